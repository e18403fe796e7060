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
            if let value { return value }
            if let value = await suspended() { return value }
        }
    }

    /// The value, or nil after `milliseconds` without one.
    package func wait(milliseconds: UInt64) async -> Value? {
        if let value { return value }
        guard milliseconds > 0 else { return nil }
        let number = nextWaiter
        let timer = Core.loop.schedule(afterMilliseconds: milliseconds) {
            Core.assumeIsolated { self.waiters.removeValue(forKey: number)?.resume(returning: nil) }
        }
        defer { timer.cancel() }
        return await suspended()
    }

    private func suspended() async -> Value? {
        let number = nextWaiter
        nextWaiter += 1
        return await withCheckedContinuation { waiters[number] = $0 }
    }
}
