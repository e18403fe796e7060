import DomeModel
import DomePlatform
import Glibc
import Synchronization
import Testing

@Suite struct `The event loop` {
    let loop: EventLoop

    init() throws { loop = try EventLoop() }

    @Test func `runs what other threads hand over, each thread's in order, all on its own`() throws {
        let seen = Record()
        let threads = 4
        for thread in 0..<threads {
            try startThread(named: "hand-\(thread)") { [loop] in
                for number in 0..<1000 { loop.execute { seen.add(thread, number) } }
                loop.execute { if seen.end() == threads { loop.stop() } }
            }
        }
        loop.run()
        for thread in 0..<threads { #expect(seen.of(thread) == Array(0..<1000)) }
        #expect(seen.threads.count == 1)
    }

    @Test func `sleeps again once it has run what was handed over, however the threads were interrupted`() throws {
        // Threads hand work over while the loop is awake, so that it takes work whose wake-up is yet to be written.
        let rounds = 400
        let counter = Counter()
        let loop = loop
        for _ in 0..<2 {
            try startThread(named: "hand-over") {
                for _ in 0..<rounds * 50 { loop.execute { counter.increment() } }
            }
        }
        while counter.value < rounds * 100 { loop.turn(maximumWaitNanoseconds: 1_000_000_000) }
        loop.turn(maximumWaitNanoseconds: 50_000_000)
        let start = Clock.monotonicNanoseconds()
        loop.turn(maximumWaitNanoseconds: 30_000_000)
        #expect(Clock.monotonicNanoseconds() - start > 25_000_000)
    }

    @Test func `stops at once when it was told before it ran, and can run again`() {
        loop.stop()
        loop.run()
        let counter = Counter()
        loop.execute { counter.increment() }
        loop.execute { [loop] in loop.stop() }
        loop.run()
        #expect(counter.value == 1)
    }

    @Test func `what is handed over by handed-over work runs in a later turn`() {
        let order = Record()
        loop.execute { [loop] in
            order.add(0, 1)
            loop.execute {
                order.add(0, 3)
                loop.stop()
            }
            order.add(0, 2)
        }
        loop.run()
        #expect(order.of(0) == [1, 2, 3])
    }

    @Test func `timers fire in the order of their deadlines, equal ones in the order given`() {
        var fired: [Int] = []
        for (number, microseconds) in [(0, 3000), (1, 1000), (2, 0), (3, 1000), (4, 2000), (5, 0)] {
            loop.schedule(afterNanoseconds: Int64(microseconds) * 1000) { fired.append(number) }
        }
        loop.schedule(afterMilliseconds: 5) { [loop] in loop.stop() }
        loop.run()
        #expect(Set(fired.prefix(2)) == [2, 5] && fired.first == 2)
        #expect(Array(fired.dropFirst(2)) == [1, 3, 4, 0])
    }

    @Test func `a canceled timer does not fire, not even one that is due in the same turn`() {
        var fired: [Int] = []
        var second: LoopTimer?
        loop.schedule(afterNanoseconds: 0) {
            fired.append(1)
            second?.cancel()
        }
        second = loop.schedule(afterNanoseconds: 0) { fired.append(2) }
        let third = loop.schedule(afterNanoseconds: 0) { fired.append(3) }
        third.cancel()
        loop.schedule(afterMilliseconds: 1) { [loop] in loop.stop() }
        loop.run()
        second?.cancel()
        #expect(fired == [1])
    }

    @Test func `many timers, half of them canceled, fire in order`() {
        var generator = SystemRandomNumberGenerator()
        var fired: [Int64] = []
        for number in 0..<2000 {
            let delay = Int64.random(in: 0..<2_000_000, using: &generator)
            let timer = loop.schedule(afterNanoseconds: delay) { fired.append(Clock.monotonicNanoseconds()) }
            if number % 2 == 1 { timer.cancel() }
        }
        loop.schedule(afterMilliseconds: 10) { [loop] in loop.stop() }
        loop.run()
        #expect(fired.count == 1000 && fired == fired.sorted())
    }

    @Test func `a descriptor's handler is called until it is canceled`() throws {
        let pipe = try Pipe()
        var received = ""
        var registration: EventLoop.Registration?
        registration = try loop.register(pipe.reading, interest: .readable) { [loop] ready in
            #expect(ready.contains(.readable))
            var byte: UInt8 = 0
            _ = read(pipe.reading.number, &byte, 1)
            received.unicodeScalars.append(Unicode.Scalar(byte))
            if received == "abc" {
                registration?.cancel()
                loop.schedule(afterMilliseconds: 1) { loop.stop() }
            }
        }
        write("abcd", to: pipe.writing)
        loop.run()
        registration?.cancel()
        #expect(received == "abc")
    }

    @Test func `one handler may cancel another whose event was fetched with its own`() throws {
        let (first, second) = (try Pipe(), try Pipe())
        var calls = 0
        var registrations: [EventLoop.Registration] = []
        for pipe in [first, second] {
            registrations.append(
                try loop.register(pipe.reading, interest: .readable) { _ in
                    calls += 1
                    for registration in registrations { registration.cancel() }
                })
        }
        write("x", to: first.writing)
        write("x", to: second.writing)
        loop.turn(maximumWaitNanoseconds: 0)
        loop.turn(maximumWaitNanoseconds: 0)
        #expect(calls == 1)
    }

    @Test func `without interest nothing is reported, and a hang-up does not make the loop spin`() throws {
        let ends = try UnixSocket.packetPair()
        var calls = 0
        let registration = try loop.register(ends.0, interest: .readable) { _ in calls += 1 }
        registration.setInterest([])
        try withoutPeer(ends.1)
        // The hang-up may end one wait; after that the loop must sleep.
        for _ in 0..<3 { loop.turn(maximumWaitNanoseconds: 1_000_000) }
        let start = Clock.monotonicNanoseconds()
        loop.turn(maximumWaitNanoseconds: 30_000_000)
        #expect(Clock.monotonicNanoseconds() - start > 25_000_000)
        #expect(calls == 0)
        registration.setInterest(.readable)
        loop.turn(maximumWaitNanoseconds: 1_000_000_000)
        #expect(calls == 1)
        registration.cancel()
    }

    private func withoutPeer(_ peer: FileDescriptor) throws {
        try #require(shutdown(peer.number, Int32(SHUT_RDWR)) == 0)
    }

    @Test func `signals arrive as events`() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            var seen: [Int32] = []
            let source = try SignalSource([SIGUSR1, SIGTERM], on: loop) { signal in
                seen.append(signal)
                if seen.count == 2 { loop.stop() }
            }
            pthread_kill(pthread_self(), SIGUSR1)
            pthread_kill(pthread_self(), SIGTERM)
            loop.run()
            source.cancel()
            #expect(Set(seen) == [SIGUSR1, SIGTERM])
        }
    }
}

/// Numbers by a key, and the threads they came on.
private final class Record: Sendable {
    private struct State {
        var numbers: [Int: [Int]] = [:]
        var threads: Set<UInt> = []
        var ended = 0
    }
    private let state = Mutex(State())
    func add(_ key: Int, _ number: Int) {
        state.withLock {
            $0.numbers[key, default: []].append(number)
            $0.threads.insert(UInt(pthread_self()))
        }
    }
    func end() -> Int {
        state.withLock {
            $0.ended += 1
            return $0.ended
        }
    }
    func of(_ key: Int) -> [Int] { state.withLock { $0.numbers[key] ?? [] } }
    var threads: Set<UInt> { state.withLock { $0.threads } }
}
