import DomeAsync
import DomeClient
import DomeModel

/// Passes a job's events on: its stdout to stdout and its stderr to stderr, byte for byte; what dome has to say
/// about it to stderr; or all of it as JSON lines.
@Core
final class EventRelay {
    private let jobID: String
    private let isJSON: Bool
    private let bar = ProgressBar(Output.stderr)
    /// Whether an error event told already what went wrong.
    private var hasToldError = false
    /// Whether the stream's last output ended without a newline.
    private var isMidLine = false
    /// What the terminal event said.
    private(set) var ending: Ending?

    init(jobID: String, isJSON: Bool) {
        self.jobID = jobID
        self.isJSON = isJSON
    }

    func show(_ events: [JobEvent]) throws(CommandFailure) {
        for event in events {
            if event.kind == .stateChange, let ending = Ending(event) { self.ending = ending }
            if isJSON {
                try Output.stdout.write { bytes in
                    event.appendJSON(jobID: jobID, to: &bytes)
                    bytes.append(0x0a)
                }
            } else {
                try showText(event)
            }
        }
        try Output.stdout.flush()
        try Output.stderr.flush()
        bar.draw()
    }

    private func showText(_ event: JobEvent) throws(CommandFailure) {
        switch event.kind {
        case .log:
            guard let log = event.log else { return }
            if let value = log.progress { return bar.set(value) }
            try pass(log)
        case .guard: try tell(Self.sentence(event))
        case .error:
            hasToldError = true
            try tell(Self.sentence(event))
        case .stateChange, .unknown: break
        }
    }

    private func pass(_ log: LogPayload) throws(CommandFailure) {
        bar.hide()
        let isError = log.stream == .stderr
        let (output, other) =
            isError
            ? (Output.stderr, Output.stdout) : (Output.stdout, Output.stderr)
        // Both may be the same terminal: keep the order in which they came.
        try other.flush()
        try output.write(log.line)
        if !log.isPartial { try output.write("\n") }
        isMidLine = log.isPartial
    }

    private func tell(_ text: String) throws(CommandFailure) {
        bar.hide()
        try Output.stdout.flush()
        // A remark in the middle of an unfinished line would be taken for a part of it.
        try Output.stderr.write(
            (isMidLine && Output.stderr.isTerminal ? "\n" : "") + "dome: " + text + "\n")
        isMidLine = false
    }

    private static func sentence(_ event: JobEvent) -> String {
        guard let document = try? event.payload() else { return "an event that is no JSON" }
        if document["truncated"]?.boolValue == true {
            return "output was dropped: the job wrote more than its limit (" + Rendered.line(document.compact) + ")"
        }
        let (reason, message) = (document["reason"]?.stringValue, document["message"]?.stringValue)
        guard let reason, let message else { return Rendered.line(message ?? reason ?? document.compact) }
        // dome's own reasons are one word for programs; a tool's are for people.
        return Rendered.line(EndCause.isName(reason) ? message : "\(reason) (\(message))")
    }

    /// Says how the job ended, if that is more than an exit code.
    func tellEnding() throws(CommandFailure) {
        bar.close()
        guard !isJSON, let ending, !hasToldError else { return }
        if ending.state == .canceled || ending.signal != nil || (ending.state == .failed && ending.exitCode == nil) {
            let more = ending.message == ending.state.name ? "" : ": " + Rendered.line(ending.message)
            try tell("\(jobID) \(ending.state.name)\(more)")
        }
        try Output.stderr.flush()
    }

    /// Removes the progress bar.
    func close() { bar.close() }
}

/// How a job ended, by its terminal event.
struct Ending: Equatable {
    var state: JobState
    var reason = ""
    var message = ""
    var exitCode: Int32?
    var signal: Int32?

    init(state: JobState) { self.state = state }

    /// Nil for a change of state that is not the last.
    init?(_ event: JobEvent) {
        guard let document = try? event.payload(),
            let state = document["to"]?.stringValue.flatMap(JobState.init(name:)), state.isTerminal
        else { return nil }
        self.state = state
        reason = document["reason"]?.stringValue ?? ""
        message = document["message"]?.stringValue ?? ""
        exitCode = document["exit_code"]?.integerValue.map { Int32(clamping: $0) }
        signal = document["signal"]?.integerValue.map { Int32(clamping: $0) }
    }

    /// What `dome run` exits with.
    var exitStatus: Int32 {
        if state == .canceled { return ExitStatus.interrupted }
        if state == .succeeded { return exitCode ?? ExitStatus.success }
        switch reason {
        case "timeout": return ExitStatus.timeout
        case "launch_failed", "keeper_lost", "session_ended", "disk_full": return ExitStatus.notRun
        default: break
        }
        if let signal { return 128 + signal }
        // Failed with exit code 0 cannot be passed on as success.
        return exitCode == 0 ? ExitStatus.failure : exitCode ?? ExitStatus.failure
    }
}

/// A line on a terminal's stderr that shows how far a job is; nothing anywhere else.
final class ProgressBar {
    private let output: Output
    private let isOn: Bool
    private var value: Double?
    private var isShown = false
    private var shownValue: Double?
    private static let columns = 30

    init(_ output: Output) {
        self.output = output
        isOn = output.isTerminal
    }

    func set(_ value: Double) { self.value = min(max(value, 0), 100) }

    /// Shows the latest value, after everything else was written.
    func draw() {
        guard isOn, !isShown || value != shownValue, let value else { return }
        shownValue = value
        let full = Int(value / 100 * Double(Self.columns))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: Self.columns - full)
        output.writeNow("\r\u{1b}[K\(bar) \(Int(value)) %")
        isShown = true
    }

    /// Makes room for output; `draw` shows it again.
    func hide() {
        guard isShown else { return }
        output.writeNow("\r\u{1b}[K")
        isShown = false
    }

    func close() {
        hide()
        value = nil
    }
}

extension EndCause {
    /// Whether `reason` is one of dome's own.
    fileprivate static func isName(_ reason: String) -> Bool {
        (UInt8.min...16).contains { EndCause(rawValue: $0)?.name == reason }
    }
}
