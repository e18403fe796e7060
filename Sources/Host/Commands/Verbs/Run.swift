import DomeAsync
import DomeClient
import DomeModel
import DomePlatform
import Glibc

extension Verb {
    /// `dome run`
    static let run = Verb(
        words: ["run"], summary: "run a tool and pass its output on",
        details: [
            "The job's stdout goes to stdout and its stderr to stderr, byte for byte; on a terminal progress is shown "
                + "as a bar. The exit status is the tool's (128 + the signal's number if one ended it); 124 if it "
                + "reached its time limit, 125 if it could not be started or was lost, 130 if it was canceled.",
            "Ctrl-C cancels the job; a second Ctrl-C leaves it to end by itself. If the daemon goes away it is started "
                + "again and the output goes on where it stopped.",
            "What follows -- becomes the task's \"argv\", for tools such as shell.run.",
        ],
        positionals: [PositionalSpec("TOOL", help: "the tool's id, as 'dome tools' lists it", completion: .tools)],
        options: [
            OptionSpec(
                "--task", short: "-t", value: "JSON|@FILE|-",
                help: "the task: JSON, or a file or stdin that holds it (default {})", completion: .files),
            OptionSpec(
                "--stdin", value: "@FILE|-|TEXT", help: "put this text into the task's \"stdin\"", completion: .files),
            .grant,
            OptionSpec("--detach", short: "-d", help: "print the job's id and leave it to itself"),
            OptionSpec("--timeout", value: "DURATION", help: "end the job after this long, e.g. 90s or 5m"),
            OptionSpec("--priority", value: "N", help: "-100 to 100; a higher one starts earlier"),
            OptionSpec("--profile", value: "LABEL", help: "a label that is recorded with the job (default cli)"),
            OptionSpec("--key", value: "KEY", help: "idempotency key: the same key and request is the same job"),
        ],
        rest: "ARGV…",
        examples: [
            "dome run shell.run -- ls -l /", "dome run shell.run --grant fs.read:. -- grep -rn TODO \"$PWD\"",
            "dome run text.search -g fs.read:/src -t '{\"pattern\": \"main\", \"path\": \"/src\"}'",
            "dome run shell.run --detach --timeout 1h -- make test",
        ]
    ) { invocation async throws(CommandFailure) in
        let submission = try SubmissionBuilder(invocation).submission()
        let client = try invocation.client()
        let run = RunControl(client: client)
        if !invocation.has("--detach") { try run.watchSignals() }
        let admission = try await calling { () async throws(ClientError) in try await client.submit(submission) }
        if admission.message.contains("did you mean") {
            Output.stderr.writeNow("dome: " + Rendered.line(admission.message) + "\n")
        }
        if invocation.has("--detach") {
            try invocation.print(json: admission.json, text: admission.jobID + "\n")
            return ExitStatus.success
        }
        run.admitted(admission.jobID)
        let follower = JobFollower(client, jobID: admission.jobID, follow: true, sinceSeq: 0)
        let relay = EventRelay(jobID: admission.jobID, isJSON: invocation.isJSON)
        run.relay = relay
        while let events = try await calling({ () async throws(ClientError) in try await follower.next() }) {
            try relay.show(events)
        }
        try relay.tellEnding()
        guard let ending = relay.ending else {
            throw CommandFailure(
                "the events of \(admission.jobID) ended without its end", status: ExitStatus.protocolFault)
        }
        return ending.exitStatus
    }
}

/// What Ctrl-C means while a job runs: the first cancels it, the second leaves it alone.
@Core
private final class RunControl {
    private let client: DaemonClient
    private var signals: SignalSource?
    private var jobID: String?
    private var interrupts = 0
    var relay: EventRelay?

    init(client: DaemonClient) { self.client = client }

    func watchSignals() throws(CommandFailure) {
        do throws(DomeError) {
            signals = try SignalSource([SIGINT, SIGTERM, SIGHUP], on: Core.loop) { [weak self] signal in
                Core.assumeIsolated { self?.interrupted(by: signal) }
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    /// From now on there is something to cancel.
    func admitted(_ id: String) {
        jobID = id
        if interrupts > 0 { cancel(id) }
    }

    private func interrupted(by signal: Int32) {
        interrupts += 1
        relay?.close()
        // Only a person at a terminal means the job; what ends this program otherwise ends only this program.
        guard signal == SIGINT, interrupts == 1 else { return detach(signal) }
        guard let jobID else { return }
        Output.stderr.writeNow("dome: canceling \(jobID); Ctrl-C again leaves it to end by itself\n")
        cancel(jobID)
    }

    private func cancel(_ id: String) {
        let client = client
        // Beside the task that follows the job, which goes on until the job's end.
        Core.task {
            do throws(ClientError) {
                _ = try await client.cancel(id, idempotencyKey: "cancel-" + id)
            } catch {
                Output.stderr.writeNow("dome: could not cancel \(id): \(Rendered.line(error.message))\n")
            }
        }
    }

    private func detach(_ signal: Int32) {
        if let jobID {
            Output.stderr.writeNow("dome: left \(jobID) running; 'dome logs \(jobID) -f' follows it\n")
        }
        exit(128 + signal)
    }
}
