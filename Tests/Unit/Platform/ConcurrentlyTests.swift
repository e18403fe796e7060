import DomePlatform
import Synchronization
import Testing

@Suite struct ConcurrentlyTests {
    @Test(arguments: [(0, 4), (1, 4), (3, 2), (100, 4), (5, 0)])
    func `each is done once and all are waited for`(_ count: Int, _ width: Int) {
        let calls = Mutex<[Int]>([])
        let squares = concurrently(count, width: width, named: "test") { number in
            calls.withLock { $0.append(number) }
            return number * number
        }
        #expect(squares == (0..<count).map { $0 * $0 })
        #expect(calls.withLock { $0.sorted() } == Array(0..<count))
    }

    /// One that had to wait for its turn would wait for ever.
    @Test func `as many as the width go on beside each other`() {
        let arrived = Mutex(0)
        let seen = concurrently(3, width: 3, named: "test") { _ in
            arrived.withLock { $0 += 1 }
            while arrived.withLock({ $0 < 3 }) {}
            return true
        }
        #expect(seen == [true, true, true])
    }

    @Test func `no more than the width do`() {
        let now = Mutex(0)
        let most = Mutex(0)
        _ = concurrently(40, width: 2, named: "test") { _ in
            let count = now.withLock {
                $0 += 1
                return $0
            }
            most.withLock { $0 = max($0, count) }
            now.withLock { $0 -= 1 }
        }
        #expect(most.withLock { $0 } <= 2)
    }
}
