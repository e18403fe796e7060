import DomeModel
import Testing

@testable import DomeEngine

@Suite struct RunQueueTests {
    private func job(_ number: UInt64) -> JobID { JobID(createdMilliseconds: number, random: (number, 0)) }

    private func drained(_ queue: inout RunQueue) -> [JobID] {
        var order: [JobID] = []
        while let next = queue.next() { order.append(next) }
        return order
    }

    @Test func `higher priority first, then the order of arrival`() {
        var queue = RunQueue()
        for (number, priority) in [(1, 0), (2, 5), (3, 0), (4, 5), (5, -1)] {
            queue.add(job(UInt64(number)), priority: Int64(priority))
        }
        let order = drained(&queue)
        #expect(order == [2, 4, 1, 3, 5].map(job))
    }

    @Test func `what was removed never comes, and does not count`() {
        var queue = RunQueue()
        for number in 1...5 { queue.add(job(UInt64(number)), priority: 0) }
        let removed = [1, 3, 3].map { queue.remove(job($0)) }
        #expect(removed == [true, true, false])
        #expect(queue.count == 3)
        let order = drained(&queue)
        #expect(order == [2, 4, 5].map(job))
    }

    @Test func `a job waits once, however often it is added`() {
        var queue = RunQueue()
        queue.add(job(1), priority: 0)
        queue.add(job(1), priority: 9)
        #expect(queue.count == 1)
        let order = drained(&queue)
        #expect(order == [job(1)])
    }

    @Test func `random priorities come out sorted`() {
        var queue = RunQueue()
        var priorities: [JobID: Int64] = [:]
        for number in 1...500 {
            let id = job(UInt64(number))
            priorities[id] = Int64.random(in: -100...100)
            queue.add(id, priority: priorities[id] ?? 0)
        }
        var last = Int64.max
        while let next = queue.next() {
            #expect((priorities[next] ?? 0) <= last)
            last = priorities[next] ?? 0
        }
    }
}
