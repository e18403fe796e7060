// The bench's load client over dome's own client library, which is what `dome` itself uses: what a job costs when the
// client is no part of the measurement. Prints what bench/main.cc prints for the same mode.
//
// usage: bench-client jobs --target unix:PATH [--concurrency N] [--count N] [--wait 1] -- ARGV…
import DomeAsync
import DomeClient
import DomeModel
import DomePlatform
import Glibc

/// The command line.
struct Options {
    var target = ""
    var concurrency = 1
    var count = 100
    var waits = false
    var arguments: [String] = []

    init?(_ arguments: [String]) {
        var rest = arguments[...]
        guard rest.popFirst() == "jobs" else { return nil }
        while let name = rest.popFirst() {
            if name == "--" {
                self.arguments = Array(rest)
                break
            }
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--target": target = value.hasPrefix("unix:///") ? value : "unix://" + value.dropFirst(5)
            case "--concurrency": concurrency = Int(value) ?? 1
            case "--count": count = Int(value) ?? 100
            case "--wait": waits = value != "0"
            default: return nil
            }
        }
    }
}

/// Runs jobs one after the other, as one of several at the same time.
@Core
final class Load {
    private let client: DaemonClient
    private let options: Options
    private var left: Int
    private(set) var latenciesMicroseconds: [Int64] = []

    init(_ client: DaemonClient, _ options: Options) {
        self.client = client
        self.options = options
        left = options.count
    }

    func run() async throws(ClientError) {
        let task = JSONValue.object(["argv": .array(options.arguments.map { .string($0) })]).compact
        while left > 0 {
            left -= 1
            let start = Clock.monotonicNanoseconds()
            try await runOne(task)
            latenciesMicroseconds.append((Clock.monotonicNanoseconds() - start) / 1_000)
        }
    }

    private func runOne(_ task: String) async throws(ClientError) {
        let admission = try await client.submit(
            Submission(
                toolID: "shell.run", profile: "bench", idempotencyKey: JobID.make().text, taskJSON: task,
                constraintsJSON: options.waits ? "{\"wait_ms\":60000}" : "{\"wait_ms\":0}"))
        if options.waits {
            guard admission.state == .succeeded else { throw .protocolBroken("job \(admission.jobID) did not succeed") }
            return
        }
        let events = try await client.events(admission.jobID, follow: true, sinceSeq: 0)
        while try await events.next() != nil {}
    }
}

/// Runs the whole and prints it.
@Core
private func measure(_ options: Options, _ endpoint: Endpoint) async -> Int32 {
    let client = DaemonClient(endpoint: endpoint, launcher: nil)
    let load = Load(client, options)
    let start = Clock.monotonicNanoseconds()
    let runs = (0..<options.concurrency).map { _ in
        Core.task { () async -> String? in
            do throws(ClientError) {
                try await load.run()
                return nil
            } catch {
                return "\(error)"
            }
        }
    }
    for run in runs {
        if let error = await run.value {
            print("{\"errors\":[\"\(error)\"]}")
            return 1
        }
    }
    let seconds = Double(Clock.monotonicNanoseconds() - start) / 1e9
    let latencies = load.latenciesMicroseconds.map { "\($0)" }.joined(separator: ",")
    print("{\"seconds\": \(seconds), \"latency\": [\(latencies)], \"errors\": []}")
    return 0
}

guard let options = Options(Array(CommandLine.arguments.dropFirst())), !options.arguments.isEmpty else {
    print("usage: bench-client jobs --target unix:PATH [--concurrency N] [--count N] [--wait 1] -- ARGV…")
    exit(64)
}
Core.adoptCurrentThread()
do throws(DomeError) {
    let endpoint = try Endpoint(parsing: options.target)
    Core.task { exit(await measure(options, endpoint)) }
    Core.run()
} catch {
    print("bench-client: \(error.message)")
    exit(64)
}
