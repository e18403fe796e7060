// protoc-gen-dome: turns .proto files into Swift for the runtime in Sources/Host/Proto.
//
// protoc parses and checks; this program gets the outcome as a CodeGeneratorRequest on stdin and answers with a
// CodeGeneratorResponse on stdout. How names are mapped is in SwiftNames.swift, how fields are in FieldPlan.swift.
//
//     protoc -I proto --dome_out=<directory> --dome_opt=import=DomeProto a.proto b.proto
//
// The option `import` names the module of the runtime and is left out when the output is part of that module. All
// files are to be given in one call: the index of all messages and descriptors is made from them.
import Glibc

let response: GeneratorResponse
do {
    let request = try GeneratorRequest.decode(try readAll(STDIN_FILENO))
    response = try Generation(request).run()
} catch {
    // protoc prints this and fails; the exit status stays 0, as its documentation asks.
    response = GeneratorResponse(error: String(describing: error))
}
guard writeAll(STDOUT_FILENO, response.serialized()) else { exit(1) }
