// Unit tests of the room Async: where code runs, and in which order.

import DomeAsync
import DomeModel
import DomePlatform
import Glibc
import Synchronization
import Testing

private actor Teller {
    nonisolated let executor: LoopExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var numbers: [Int] = []

    init(_ executor: LoopExecutor) { self.executor = executor }

    deinit { executor.loop.stop() }

    var threadName: String {
        let bytes = (try? Files.read("/proc/thread-self/comm", limitBytes: 64)) ?? []
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    func add(_ number: Int) { numbers.append(number) }
    func all() -> [Int] { numbers }
    nonisolated func assumeSeparately() -> String { assumeIsolated { $0.threadName } }
}

@Suite struct `An executor on a loop` {
    private let teller: Teller

    init() throws { teller = Teller(try LoopExecutor.onNewThread(named: "test-teller")) }

    @Test func `runs its actor on the loop's thread and nowhere else`() async {
        #expect(await teller.threadName == "test-teller")
        await withTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { await teller.threadName } }
            for await name in group { #expect(name == "test-teller") }
        }
    }

    @Test func `keeps the order in which one caller asks`() async {
        for number in 0..<500 { await teller.add(number) }
        #expect(await teller.all() == Array(0..<500))
    }

    @Test func `counts as isolated in a callback of the loop, and only there`() async {
        let teller = teller
        let name = await withCheckedContinuation { continuation in
            teller.executor.loop.execute { continuation.resume(returning: teller.assumeSeparately()) }
        }
        #expect(name == "test-teller")
        await #expect(processExitsWith: .failure) {
            let stray = Teller(try LoopExecutor.onNewThread(named: "stray"))
            _ = stray.assumeSeparately()
        }
    }

    @Test func `a task that prefers it stays on it through suspensions`() async {
        let executor = teller.executor
        let onThread = await Task(executorPreference: executor) {
            let before = executor.isIsolatingCurrentContext()
            await Task.yield()
            return before == true && executor.isIsolatingCurrentContext() == true
        }.value
        #expect(onThread)
    }
}

private func onCore(_ body: @Core @Sendable () async -> Void) async throws {
    try Core.startOwnThread()
    await body()
}

@Suite struct `The core` {
    @Test func `sleeps without stopping others`() async throws {
        try await onCore {
            var order: [String] = []
            let start = Clock.monotonicNanoseconds()
            async let long: Void = Core.sleep(milliseconds: 30)
            await Core.sleep(milliseconds: 5)
            order.append("short")
            await long
            order.append("long")
            #expect(order == ["short", "long"])
            #expect(Clock.monotonicNanoseconds() - start >= 30_000_000)
        }
    }

    @Test func `is assumed in a callback of its loop, and tasks of the core run there`() async throws {
        try Core.startOwnThread()
        let isCore = await withCheckedContinuation { continuation in
            Core.loop.execute { continuation.resume(returning: Core.assumeIsolated { true }) }
        }
        #expect(isCore)
        #expect(await Core.task { Core.shared.executor.isIsolatingCurrentContext() }.value == true)
    }

    @Test func `a value that comes once reaches those who wait and those who come later`() async throws {
        try await onCore {
            for _ in 0..<50 { await Self.deliver() }
        }
    }

    @Core private static func deliver() async {
        let shot = OneShot<Int>()
        async let first = shot.wait()
        async let second = shot.wait(milliseconds: 10_000)
        await Core.sleep(milliseconds: 0)
        #expect(shot.set(7))
        #expect(!shot.set(8))
        #expect(await first == 7)
        #expect(await second == 7)
        #expect(await shot.wait() == 7)
        #expect(await shot.wait(milliseconds: 0) == 7)
        #expect(shot.value == 7)
    }

    @Test func `waiting for it has an end, and one who gave up does not disturb the others`() async throws {
        try await onCore {
            let shot = OneShot<Int>()
            #expect(await shot.wait(milliseconds: 0) == nil)
            async let patient = shot.wait(milliseconds: 10_000)
            #expect(await shot.wait(milliseconds: 5) == nil)
            #expect(shot.set(1))
            #expect(await patient == 1)
        }
    }
}
