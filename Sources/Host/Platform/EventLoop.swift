internal import CLinux
package import DomeModel
internal import Glibc
internal import Synchronization

/// One thread's wait for descriptors, timers and work handed over by other threads (epoll, level-triggered).
/// Everything but `execute` and `stop` must be called on the loop's own thread (or before it runs).
package final class EventLoop: @unchecked Sendable {
    // @unchecked: registrations and timers belong to the loop's thread; `inbox` is the only door from others.

    /// What a descriptor is ready for. An error or hang-up counts as readable and writable.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Readiness(rawValue: 1)
        package static let writable = Readiness(rawValue: 4)

        /// epoll reports hang-ups whether one asks or not, again and again. Without interest it shall do so once
        /// at most (EPOLLONESHOT): the loop of a job whose pipe is closed while nobody may read it must not spin.
        fileprivate var mask: UInt32 { isEmpty ? 1 << 30 : rawValue }
    }

    /// A descriptor's place in the loop. Cancel it before the descriptor is closed.
    package final class Registration {
        fileprivate let token: UInt64
        fileprivate let descriptor: Int32
        fileprivate var interest: Readiness
        fileprivate var handler: ((Readiness) -> Void)?
        fileprivate weak var loop: EventLoop?

        fileprivate init(
            _ loop: EventLoop, _ token: UInt64, _ descriptor: Int32, _ interest: Readiness,
            _ handler: @escaping (Readiness) -> Void
        ) {
            (self.loop, self.token, self.descriptor, self.interest) = (loop, token, descriptor, interest)
            self.handler = handler
        }

        /// Changes what the handler is called for; cheap when nothing changes. With no interest it is not called
        /// at all, not even for a hang-up.
        package func setInterest(_ interest: Readiness) {
            guard interest != self.interest, let loop, handler != nil else { return }
            self.interest = interest
            _ = dome_epoll_modify(loop.epoll.number, descriptor, interest.mask, token)
        }

        /// Ends it; the handler is not called again, not even for events already fetched.
        package func cancel() {
            guard handler != nil else { return }
            handler = nil
            guard let loop else { return }
            _ = dome_epoll_delete(loop.epoll.number, descriptor)
            loop.registrations[token] = nil
        }
    }

    fileprivate let epoll: FileDescriptor
    private let wake: FileDescriptor
    fileprivate var registrations: [UInt64: Registration] = [:]
    private var nextToken: UInt64 = 1
    private var timers = TimerHeap()
    private let inbox = Mutex(Inbox())
    /// pthread_self of the thread that is in `turn` and does not wait, else 0.
    private let turningThread = Atomic<UInt>(0)
    /// Whether the last turn left work in the inbox.
    private var hasLeftovers = false
    /// Work of this round; kept to reuse its storage.
    private var round: [@Sendable () -> Void] = []
    private var isStopping = false
    /// What epoll filled last; kept to reuse its storage.
    private var events = [dome_epoll_event](repeating: dome_epoll_event(), count: 64)

    private struct Inbox {
        var work: [@Sendable () -> Void] = []
        /// Whether somebody has written the eventfd, or is about to, since the loop last looked.
        var isSignaled = false
    }

    package init() throws(DomeError) {
        let epoll = dome_epoll_create()
        guard epoll >= 0 else { throw .system("create an epoll", errno) }
        self.epoll = FileDescriptor(owning: epoll)
        let wake = dome_eventfd()
        guard wake >= 0 else { throw .system("create an eventfd", errno) }
        self.wake = FileDescriptor(owning: wake)
        guard dome_epoll_add(epoll, wake, Readiness.readable.rawValue, 0) == 0 else {
            throw .system("watch an eventfd", errno)
        }
    }

    /// Watches `descriptor`, which the caller keeps open until the registration is canceled.
    package func register(
        _ descriptor: FileDescriptor, interest: Readiness, _ handler: @escaping (Readiness) -> Void
    ) throws(DomeError) -> Registration {
        let registration = Registration(self, nextToken, descriptor.number, interest, handler)
        guard dome_epoll_add(epoll.number, descriptor.number, interest.mask, nextToken) == 0 else {
            throw .system("watch descriptor \(descriptor.number)", errno)
        }
        registrations[nextToken] = registration
        nextToken += 1
        return registration
    }

    /// Calls `body` once after `nanoseconds` (monotonic); at the end of a turn for 0.
    @discardableResult
    package func schedule(afterNanoseconds nanoseconds: Int64, _ body: @escaping () -> Void) -> LoopTimer {
        timers.add(deadline: Clock.monotonicNanoseconds() + max(0, nanoseconds), body)
    }

    /// Calls `body` once after `milliseconds`.
    @discardableResult
    package func schedule(afterMilliseconds milliseconds: UInt64, _ body: @escaping () -> Void) -> LoopTimer {
        schedule(afterNanoseconds: Int64(min(milliseconds, 1 << 42)) * 1_000_000, body)
    }

    /// Hands `work` to the loop's thread; from any thread, in order.
    package func execute(_ work: @escaping @Sendable () -> Void) {
        // What a turn hands to itself it finds before it waits: no need to wake anybody (three system calls).
        let isOwn = turningThread.load(ordering: .relaxed) == UInt(pthread_self())
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            guard !isOwn else { return false }
            defer { inbox.isSignaled = true }
            return !inbox.isSignaled
        }
        guard mustWake else { return }
        var one: UInt64 = 1
        _ = write(wake.number, &one, 8)
    }

    /// Makes `run` return after the present turn; from any thread.
    package func stop() { execute { self.isStopping = true } }

    /// Serves until `stop`.
    package func run() {
        while !isStopping { turn(maximumWaitNanoseconds: -1) }
        isStopping = false
    }

    /// Waits at most that long (negative: for ever) and handles what is due. The building block of `run`.
    package func turn(maximumWaitNanoseconds: Int64) {
        let limit = hasLeftovers ? 0 : wait(maximumWaitNanoseconds)
        let count = dome_epoll_wait(epoll.number, &events, Int32(events.count), limit)
        turningThread.store(UInt(pthread_self()), ordering: .relaxed)
        defer { turningThread.store(0, ordering: .relaxed) }
        if count > 0 {
            for event in events[..<Int(count)] {
                if event.data == 0 { drainWake() }
                guard let registration = registrations[event.data], let handler = registration.handler,
                    !registration.interest.isEmpty
                else { continue }
                var ready = Readiness(rawValue: event.events & 5)
                if event.events & UInt32(DOME_EPOLL_ERR | DOME_EPOLL_HUP) != 0 {
                    ready = [.readable, .writable]
                }
                handler(ready)
            }
        }
        // What timers and work bring about is done in the same turn, up to a bound: descriptors have their turn too.
        var rounds = 0
        repeat {
            for timer in timers.takeDue(Clock.monotonicNanoseconds()) { timer.fire() }
            hasLeftovers = runInbox()
            rounds += 1
        } while (hasLeftovers || wait(-1) == 0) && rounds < Self.roundLimit
    }

    private static let roundLimit = 32

    private func wait(_ maximum: Int64) -> Int64 {
        guard let deadline = timers.nextDeadline else { return maximum }
        let untilTimer = max(0, deadline - Clock.monotonicNanoseconds())
        return maximum < 0 ? untilTimer : min(maximum, untilTimer)
    }

    /// When the descriptor says so and not when the inbox does: a thread that was interrupted between the two in
    /// `execute` writes late, and what it wrote would wake the loop for ever.
    private func drainWake() {
        var count: UInt64 = 0
        _ = read(wake.number, &count, 8)
    }

    /// Whether there is more by now.
    private func runInbox() -> Bool {
        inbox.withLock { inbox in
            swap(&inbox.work, &round)
            inbox.isSignaled = false
        }
        for work in round { work() }
        round.removeAll(keepingCapacity: true)
        return inbox.withLock { !$0.work.isEmpty }
    }
}
