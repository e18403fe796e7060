import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Synchronization

/// The worker's end of the pipe that its keeper reads. From any thread; a full pipe makes the caller wait.
final class ReportWriter: Sendable {
    private let pipe: FileDescriptor
    private let state = Mutex(State())

    /// Reports of progress closer to each other than this are left out; the last one comes when the time is over.
    private static let progressPauseNanoseconds: Int64 = 5_000_000

    private struct State {
        var lastProgressNanoseconds: Int64 = 0
        /// The last one held back.
        var heldProgress: WorkerReport?
        /// Whether a thread waits to send it.
        var isAwaited = false
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
            let isEarly = now - state.lastProgressNanoseconds < Self.progressPauseNanoseconds
            if isEarly, state.isAwaited || awaitItsTime() {
                (state.heldProgress, state.isAwaited) = (report, true)
                return
            }
            state.lastProgressNanoseconds = now
            state.heldProgress = nil
            write(report, &state)
        }
    }

    /// Has what is held back sent when its time has come, whatever the plugin does until then. False if there is no
    /// thread to be had. The thread takes no signal: how those are taken is for the plugin to say.
    private func awaitItsTime() -> Bool {
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        do throws(DomeError) {
            try startThread(named: "dome-progress") { [self] in while sendWhenDue() {} }
            return true
        } catch {
            return false
        }
    }

    /// Waits, and sends what is held back if it is time; whether there may be more to wait for.
    private func sendWhenDue() -> Bool {
        let left = state.withLock { state in
            state.lastProgressNanoseconds + Self.progressPauseNanoseconds - Clock.monotonicNanoseconds()
        }
        if left > 0 { usleep(UInt32(clamping: left / 1_000 + 1)) }
        return state.withLock { state in
            let now = Clock.monotonicNanoseconds()
            guard now - state.lastProgressNanoseconds >= Self.progressPauseNanoseconds else { return true }
            state.isAwaited = false
            if state.heldProgress != nil { state.lastProgressNanoseconds = now }
            flushProgress(&state)
            return false
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
