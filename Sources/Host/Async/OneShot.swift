internal import DomePlatform

/// A value that comes once: any number of tasks wait for it, before or after. What comes later is ignored.
@Core
package final class OneShot<Value: Sendable> {
    package private(set) var value: Value?
    /// In the order in which they came. Who is taken out of it is resumed, and nobody else. They look for the value
    /// themselves: an array that does not depend on `Value` needs no types made at run time (5 us for each use).
    private var waiters: [Waiter] = []
    private var nextWaiter: UInt64 = 0

    package nonisolated init() {}

    /// Delivers the value; false if there is one already.
    @discardableResult
    package func set(_ value: Value) -> Bool {
        guard self.value == nil else { return false }
        self.value = value
        let waiters = waiters
        self.waiters = []
        for waiter in waiters { waiter.continuation.resume() }
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
        waiters.remove(at: index).continuation.resume()
    }

    private func suspended(_ milliseconds: UInt64?) async -> Value? {
        var timer: LoopTimer?
        defer { timer?.cancel() }
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            // Only here is it certain that nothing comes in between: a call of an async function may let others
            // run, even on the same actor (it does in tasks that do not prefer the core's executor).
            guard value == nil else { return continuation.resume() }
            let number = nextWaiter
            nextWaiter += 1
            waiters.append(Waiter(number: number, continuation: continuation))
            guard let milliseconds else { return }
            timer = Core.loop.schedule(afterMilliseconds: milliseconds) {
                Core.assumeIsolated { self.giveUp(number) }
            }
        }
        return value
    }
}

/// A task that waits for a `OneShot`.
private struct Waiter {
    let number: UInt64
    let continuation: UnsafeContinuation<Void, Never>
}
