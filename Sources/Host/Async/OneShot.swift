internal import DomePlatform

/// A value that comes once: any number of tasks wait for it, before or after. What comes later is ignored.
@Core
package final class OneShot<Value: Sendable> {
    package private(set) var value: Value?
    private var waiters: [UInt64: CheckedContinuation<Value?, Never>] = [:]
    private var nextWaiter: UInt64 = 0

    package nonisolated init() {}

    /// Delivers the value; false if there is one already.
    @discardableResult
    package func set(_ value: Value) -> Bool {
        guard self.value == nil else { return false }
        self.value = value
        let waiters = waiters.values
        self.waiters.removeAll()
        for waiter in waiters { waiter.resume(returning: value) }
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

    private func suspended(_ milliseconds: UInt64?) async -> Value? {
        var timer: LoopTimer?
        defer { timer?.cancel() }
        return await withCheckedContinuation { continuation in
            // Only here is it certain that nothing comes in between: a call of an async function may let others
            // run, even on the same actor (it does in tasks that do not prefer the core's executor).
            if let value {
                continuation.resume(returning: value)
                return
            }
            let number = nextWaiter
            nextWaiter += 1
            waiters[number] = continuation
            guard let milliseconds else { return }
            timer = Core.loop.schedule(afterMilliseconds: milliseconds) {
                Core.assumeIsolated { self.waiters.removeValue(forKey: number)?.resume(returning: nil) }
            }
        }
    }
}
