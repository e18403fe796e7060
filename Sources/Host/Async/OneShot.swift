internal import DomePlatform

/// A value that comes once: any number of tasks wait for it, before or after. What comes later is ignored.
@Core
package final class OneShot<Value: Sendable> {
    package private(set) var value: Value?
    /// In the order in which they came. Who is taken out of it is resumed, and nobody else.
    private var waiters: [(number: UInt64, continuation: UnsafeContinuation<Value?, Never>)] = []
    private var nextWaiter: UInt64 = 0

    package nonisolated init() {}

    /// Delivers the value; false if there is one already.
    @discardableResult
    package func set(_ value: Value) -> Bool {
        guard self.value == nil else { return false }
        self.value = value
        let waiters = waiters
        self.waiters = []
        for waiter in waiters { waiter.continuation.resume(returning: value) }
        return true
    }

    /// The value, once it is there.
    package func wait() async -> Value {
        while true {
            if let value = await suspended(nil) { return value }
        }
    }

    /// The value, or nil after `milliseconds` without one.
    package func wait(milliseconds: UInt64) async -> Value? {
        guard value == nil, milliseconds > 0 else { return value }
        return await suspended(milliseconds)
    }

    private func giveUp(_ number: UInt64) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: index).continuation.resume(returning: nil)
    }

    private func suspended(_ milliseconds: UInt64?) async -> Value? {
        var timer: LoopTimer?
        defer { timer?.cancel() }
        return await withUnsafeContinuation { continuation in
            // Only here is it certain that nothing comes in between: a call of an async function may let others
            // run, even on the same actor (it does in tasks that do not prefer the core's executor).
            if let value {
                continuation.resume(returning: value)
                return
            }
            let number = nextWaiter
            nextWaiter += 1
            waiters.append((number, continuation))
            guard let milliseconds else { return }
            timer = Core.loop.schedule(afterMilliseconds: milliseconds) {
                Core.assumeIsolated { self.giveUp(number) }
            }
        }
    }
}
