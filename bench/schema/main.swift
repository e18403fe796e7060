// What validation costs: prints the nanoseconds of each round as JSON, beside what was measured.
//
// usage: bench-schema SCHEMA INSTANCE ROUNDS
import DomeModel
import DomePlatform
import DomeSchema
import Glibc

func measured(_ rounds: Int, _ body: () throws -> Bool) rethrows -> JSONValue {
    var samples: [JSONValue] = []
    for _ in 0..<rounds {
        let began = Clock.monotonicNanoseconds()
        // Ten at a time: the clock costs something too.
        for _ in 0..<10 where try !body() { return .null }
        samples.append(.integer(Int64(Clock.monotonicNanoseconds() - began) / 10))
    }
    return .array(samples)
}

let arguments = CommandLine.arguments
guard arguments.count == 4, let rounds = Int(arguments[3]) else {
    print("usage: bench-schema SCHEMA INSTANCE ROUNDS")
    exit(64)
}
do {
    let schemaBytes = try Files.read(arguments[1], limitBytes: 1 << 24)
    let bytes = try Files.read(arguments[2], limitBytes: 1 << 24)
    let schema = try JSONSchema.compile(try JSONTree.parse(schemaBytes, what: "the schema"), what: "the schema")
    let tree = try JSONTree.parse(bytes, what: "the instance")
    let value = try JSONParser.parse(bytes, what: "the instance")
    for violation in schema.validate(tree) { print(violation) }
    let report: JSONValue = [
        "tree": measured(rounds) { schema.accepts(tree) },
        "value": measured(rounds) { schema.validate(value).isEmpty },
        "bytes": try measured(rounds) { schema.accepts(try JSONTree.parse(bytes, what: "the instance")) },
    ]
    print(report.compact)
} catch {
    print(error)
    exit(1)
}
