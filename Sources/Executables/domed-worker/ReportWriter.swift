import DomeLink
import DomeModel
import DomePlatform
import Synchronization

/// The worker's end of the pipe that its keeper reads. From any thread; a full pipe makes the caller wait.
final class ReportWriter: Sendable {
    private let pipe: FileDescriptor
    private let state = Mutex(State())

    /// Reports of progress closer to each other than this are left out, all but the last.
    private static let progressPauseNanoseconds: Int64 = 5_000_000

    private struct State {
        var lastProgressNanoseconds: Int64 = 0
        /// The last one left out.
        var heldProgress: WorkerReport?
        var isBroken = false
    }

    init(_ pipe: FileDescriptor) { self.pipe = pipe }

    func send(_ report: WorkerReport) {
        state.withLock { state in
            flushProgress(&state)
            write(report, &state)
        }
    }

    func send(result: [UInt8]) {
        var rest = result[...]
        while !rest.isEmpty {
            send(.result(Array(rest.prefix(WorkerReport.payloadLimitBytes))))
            rest = rest.dropFirst(WorkerReport.payloadLimitBytes)
        }
    }

    func send(progress value: Double, _ message: String) {
        let report = WorkerReport.progress(value: JSONValue.double(value).compact, message: message)
        state.withLock { state in
            let now = Clock.monotonicNanoseconds()
            guard now - state.lastProgressNanoseconds >= Self.progressPauseNanoseconds else {
                state.heldProgress = report
                return
            }
            state.lastProgressNanoseconds = now
            state.heldProgress = nil
            write(report, &state)
        }
    }

    private func flushProgress(_ state: inout State) {
        guard let held = state.heldProgress else { return }
        state.heldProgress = nil
        write(held, &state)
    }

    private func write(_ report: WorkerReport, _ state: inout State) {
        guard !state.isBroken else { return }
        do throws(DomeError) {
            try report.bytes.withBytes { raw throws(DomeError) in try pipe.writeAll(raw, what: "a report") }
        } catch {
            // The plugin closed it, or the keeper is gone: no report will ever arrive, and the keeper knows what
            // that means.
            state.isBroken = true
            Log.error("worker.reports_lost", ["error": error.description])
        }
    }
}
