internal import Glibc
internal import Synchronization

/// `body` of 0..<count, at most `width` of them at once, on threads of their own; what each returned, in order. The
/// calling thread does its part and waits for the others. For work that waits, such as on other processes.
package func concurrently<Value: Sendable>(
    _ count: Int, width: Int, named name: String, _ body: @escaping @Sendable (Int) -> Value
) -> [Value] {
    let shares = Shares(count, body)
    var helpers = 0
    // With fewer threads than wished for it only takes longer.
    while helpers < min(width, count) - 1 {
        let started: Void? = try? startThread(named: name) {
            shares.work()
            sem_post(shares.helpersDone)
        }
        guard started != nil else { break }
        helpers += 1
    }
    shares.work()
    for _ in 0..<helpers { while sem_wait(shares.helpersDone) != 0, errno == EINTR {} }
    return shares.values
}

/// What is still to be done, and what came of the rest.
private final class Shares<Value: Sendable>: Sendable {
    private struct State {
        var next = 0
        var values: [Value?]
    }

    /// Made for several threads.
    nonisolated(unsafe) let helpersDone: UnsafeMutablePointer<sem_t>
    private let body: @Sendable (Int) -> Value
    private let state: Mutex<State>

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Value) {
        helpersDone = .allocate(capacity: 1)
        sem_init(helpersDone, 0, 0)
        self.body = body
        state = Mutex(State(values: Array(repeating: nil, count: count)))
    }

    deinit {
        sem_destroy(helpersDone)
        helpersDone.deallocate()
    }

    /// Complete once everybody who works has returned.
    var values: [Value] { state.withLock { $0.values.compactMap(\.self) } }

    /// Does all that nobody else has taken.
    func work() {
        while let index = take() {
            let value = body(index)
            state.withLock { $0.values[index] = value }
        }
    }

    private func take() -> Int? {
        state.withLock { state in
            guard state.next < state.values.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
