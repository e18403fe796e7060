package import DomeModel

/// Jobs that wait for a place, highest priority first, oldest first among equals. Bounded by the engine.
package struct RunQueue: Sendable {
    private struct Waiting: Sendable {
        var job: JobID
        var priority: Int64
        var order: UInt64
        func isBefore(_ other: Waiting) -> Bool {
            priority == other.priority ? order < other.order : priority > other.priority
        }
    }

    private var heap: [Waiting] = []
    private var members: Set<JobID> = []
    private var nextOrder: UInt64 = 0

    package init() {}

    package var count: Int { members.count }

    package mutating func add(_ job: JobID, priority: Int64) {
        guard members.insert(job).inserted else { return }
        heap.append(Waiting(job: job, priority: priority, order: nextOrder))
        nextOrder += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Removes a job wherever it stands; false if it is not waiting.
    package mutating func remove(_ job: JobID) -> Bool { members.remove(job) != nil }

    /// Removes and returns the next job.
    package mutating func next() -> JobID? {
        while let first = heap.first {
            removeFirst()
            // What `remove` took out is only skipped here, so that it costs nothing there.
            if members.remove(first.job) != nil { return first.job }
        }
        return nil
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var best = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count {
                if heap[child].isBefore(heap[best]) { best = child }
            }
            if best == parent { return }
            heap.swapAt(parent, best)
            parent = best
        }
    }
}
