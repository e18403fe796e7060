import Testing

@testable import DomePlatform

@Suite struct `Canceled timers` {
    @Test func `do not pile up until they are due`() {
        var heap = TimerHeap()
        var fired: [Int64] = []
        for index in 0..<Int64(100_000) {
            let timer = heap.add(deadline: 1_000_000 - index) { fired.append(index) }
            if index % 1000 != 0 { timer.cancel() }
        }
        #expect(heap.count < 3000)
        for timer in heap.takeDue(1_000_000) { timer.fire() }
        #expect(fired == (0..<100).map { 99_000 - $0 * 1000 })
    }
}
