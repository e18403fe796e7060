import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Synchronization

/// The requests of domed, one after the other, and whether the one under way is still wanted. `next` is the main
/// thread's; `isCanceled` any thread's, and the only reader of the socket while the plugin is at work.
final class Requests: Sendable {
    private let link: WorkerLink
    private let state = Mutex(State())

    /// Requests read ahead while the plugin asks about cancellation; beyond it they wait in the socket.
    private static let readAheadLimit = 256

    private struct State {
        var waiting: [WorkerMessage] = []
        var canceled: Set<UInt64> = []
        var current: UInt64?
        var isClosed = false
    }

    init(_ link: WorkerLink) { self.link = link }

    /// Waits for the next request; nil when domed is gone.
    func next() -> WorkerMessage? {
        while true {
            let (message, isClosed) = state.withLock { state in
                state.current = nil
                if state.waiting.isEmpty { readAhead(&state, limit: 1) }
                let message = state.waiting.isEmpty || state.isClosed ? nil : state.waiting.removeFirst()
                state.current = message?.request
                return (message, state.isClosed)
            }
            if let message { return message }
            if isClosed { return nil }
            wait(for: Int16(POLLIN))
        }
    }

    /// Whether the current request was canceled or domed is gone.
    var isCanceled: Bool {
        state.withLock { state in
            readAhead(&state, limit: Self.readAheadLimit)
            return state.isClosed || state.current.map(state.canceled.contains) ?? false
        }
    }

    /// Sends `answer`, waiting while the socket is full. Its request is then over.
    func answer(_ answer: WorkerMessage) throws(DomeError) {
        while try !link.send(answer) { wait(for: Int16(POLLOUT)) }
        state.withLock { state in _ = state.canceled.remove(answer.request) }
    }

    private func readAhead(_ state: inout State, limit: Int) {
        while !state.isClosed, state.waiting.count < limit {
            do throws(DomeError) {
                switch try link.receive() {
                case .message(.cancel(let request)):
                    let isKnown = request == state.current || state.waiting.contains { $0.request == request }
                    if isKnown { state.canceled.insert(request) }
                case .message(let message): state.waiting.append(message)
                case .wouldBlock: return
                case .closed: state.isClosed = true
                }
            } catch {
                Log.error("worker.link_failed", ["error": error.description])
                state.isClosed = true
            }
        }
    }

    private func wait(for events: Int16) {
        var watched = pollfd(fd: link.socket.number, events: events, revents: 0)
        _ = poll(&watched, 1, -1)
    }
}
