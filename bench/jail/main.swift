// The jail alone: a keeper in miniature that starts jobs over the room Jail, output to /dev/null, and times each from
// its start to its end. Prints what bench/main.cc prints.
//
// usage: bench-jail jobs [--concurrency N] [--count N] -- ARGV…
//        bench-jail filter FILE      writes the jobs' system call filter, for bwrap --seccomp
import DomeJail
import DomeModel
import DomePlatform
import Glibc

/// Runs `count` jobs, `concurrency` at a time, in one inner server.
struct Load {
    var concurrency = 1
    var count = 100
    var arguments: [String] = []
    private var latenciesMicroseconds: [Int64] = []
    private var starts: [UInt64: Int64] = [:]

    init(_ arguments: ArraySlice<String>) throws(DomeError) {
        var rest = arguments
        while let name = rest.popFirst(), name != "--" {
            guard let value = rest.popFirst() else { throw DomeError(.invalidRequest, "\(name) lacks its value") }
            switch name {
            case "--target": break  // every load client is told; this one needs none
            case "--concurrency": concurrency = Int(value) ?? 1
            case "--count": count = Int(value) ?? 100
            default: throw DomeError(.invalidRequest, "bench-jail does not know \(name)")
            }
        }
        self.arguments = Array(rest)
    }

    mutating func run() throws(DomeError) {
        let server = try JailServer(Self.configuration())
        var plan = LaunchPlan(
            jobID: JobID(createdMilliseconds: 0, random: (0, 0)), arguments: arguments,
            environment: ["PATH=/usr/bin:/bin"])
        plan.limits.diskBytes = 256 << 20
        let required = EnforcedLayers.required(hasHostNetwork: false, isRoot: JailServer.isPrivileged)
        let spec = try JailSpec(plan, requiredLayers: required)
        var descriptors = JailServer.Descriptors()
        let null = try Files.open("/dev/null", O_RDWR)
        (descriptors.standardInput, descriptors.standardOutput, descriptors.standardError) = (null, null, null)
        // The first one has the curated root built; it is no sample.
        try start(server, 1, spec, descriptors)
        while try !receive(server) {}
        latenciesMicroseconds = []
        let began = Clock.monotonicNanoseconds()
        var next: UInt64 = 2
        while latenciesMicroseconds.count < count {
            while starts.count < concurrency, next < UInt64(count) + 2 {
                try start(server, next, spec, descriptors)
                next += 1
            }
            _ = try receive(server)
        }
        let seconds = Double(Clock.monotonicNanoseconds() - began) / 1e9
        let latencies = latenciesMicroseconds.map { "\($0)" }.joined(separator: ",")
        print("{\"seconds\": \(seconds), \"latency\": [\(latencies)], \"errors\": []}")
    }

    private mutating func start(
        _ server: JailServer, _ token: UInt64, _ spec: JailSpec, _ descriptors: JailServer.Descriptors
    ) throws(DomeError) {
        starts[token] = Clock.monotonicNanoseconds()
        guard try server.start(token: token, spec, descriptors) else {
            throw DomeError(.resourceExhausted, "the inner server does not keep up")
        }
    }

    /// Waits for what the server has to say; whether a job has ended.
    private mutating func receive(_ server: JailServer) throws(DomeError) -> Bool {
        var polled = pollfd(fd: server.replies.number, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 10_000) > 0 else { throw DomeError(.timeout, "no word from the inner server for 10 s") }
        var hasEnded = false
        while true {
            switch try server.receive() {
            case .nothing: return hasEnded
            case .closed: throw DomeError(.internal, "the inner server died")
            case .reply(.failed(_, let failure)), .reply(.unusable(let failure)): throw failure.error
            case .reply(.exited(let token, let exit)):
                guard exit.rawWaitStatus == 0, let start = starts.removeValue(forKey: token) else {
                    throw DomeError(.internal, "\(arguments) ended with wait status \(exit.rawWaitStatus)")
                }
                latenciesMicroseconds.append((Clock.monotonicNanoseconds() - start) / 1_000)
                hasEnded = true
            case .reply: break
            }
        }
    }

    /// As the keeper's: the static program, if it lies where `make build` puts it.
    private static func configuration() throws(DomeError) -> JailServer.Configuration {
        var configuration = JailServer.Configuration()
        configuration.diesWithThread = true
        let program = try Directories.ofExecutable() + "/../lib/dome/domed-jail"
        if Files.exists(program) { configuration.binary = program }
        return configuration
    }
}

do throws(DomeError) {
    var arguments = CommandLine.arguments.dropFirst()
    switch (arguments.popFirst(), arguments.first) {
    case ("filter", let path?): try JailServer.exportFilter(to: Files.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644))
    case ("jobs", _?):
        var load = try Load(arguments)
        try load.run()
    default:
        print("usage: bench-jail jobs [--concurrency N] [--count N] -- ARGV… | bench-jail filter FILE")
        exit(64)
    }
} catch {
    let text = JSONValue.string("\(error)").compact
    print("{\"errors\": [\(text)]}")
    exit(1)
}
