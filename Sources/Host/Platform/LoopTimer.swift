/// A pending call of an event loop. Belongs to the loop's thread.
package final class LoopTimer {
    fileprivate let deadline: Int64
    fileprivate let order: UInt64
    fileprivate var body: (() -> Void)?

    fileprivate init(deadline: Int64, order: UInt64, body: @escaping () -> Void) {
        (self.deadline, self.order, self.body) = (deadline, order, body)
    }

    /// Drops the call; harmless after it was made.
    package func cancel() { body = nil }

    func fire() {
        let body = body
        self.body = nil
        body?()
    }

    fileprivate func isBefore(_ other: LoopTimer) -> Bool {
        deadline == other.deadline ? order < other.order : deadline < other.deadline
    }
}

/// A binary heap of timers. A canceled timer stays until its time comes or it is at the top: it holds no body.
struct TimerHeap {
    private var heap: [LoopTimer] = []
    private var nextOrder: UInt64 = 0
    /// At this size the canceled timers are thrown out: most deadlines of calls are canceled long before they
    /// are due, and must not pile up until then.
    private var sweepCount = 1024

    /// The earliest live deadline (monotonic nanoseconds).
    var nextDeadline: Int64? {
        mutating get {
            while let first = heap.first, first.body == nil { removeFirst() }
            return heap.first?.deadline
        }
    }

    mutating func add(deadline: Int64, _ body: @escaping () -> Void) -> LoopTimer {
        let timer = LoopTimer(deadline: deadline, order: nextOrder, body: body)
        nextOrder += 1
        if heap.count >= sweepCount { sweep() }
        heap.append(timer)
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return timer
    }

    private mutating func sweep() {
        heap.removeAll { $0.body == nil }
        // A sorted array is a heap.
        heap.sort { $0.isBefore($1) }
        sweepCount = max(1024, 2 * heap.count)
    }

    /// Timers held, canceled ones included; for tests.
    var count: Int { heap.count }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    /// Removes and returns what is due. They fire after the heap is whole again, so that a body may add or
    /// cancel timers, also one of this very batch.
    mutating func takeDue(_ now: Int64) -> [LoopTimer] {
        guard var deadline = nextDeadline, deadline <= now else { return [] }
        var due: [LoopTimer] = []
        while deadline <= now {
            due.append(heap[0])
            removeFirst()
            guard let next = nextDeadline else { break }
            deadline = next
        }
        return due
    }
}
