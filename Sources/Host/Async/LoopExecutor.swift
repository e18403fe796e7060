// Room Async: Swift's concurrency on threads that dome owns. An event loop as an executor, so that actors and
// tasks run on exactly one known thread, nothing blocks the shared pool, and that pool is never started.
// Apart from Platform because the keeper and the worker must not carry the concurrency runtime.

package import DomeModel
package import DomePlatform
internal import Glibc
internal import Synchronization

/// An event loop as a serial executor (for actors) and as a task executor (for tasks that prefer it).
package final class LoopExecutor: SerialExecutor, TaskExecutor {
    package let loop: EventLoop
    /// pthread_self of the loop's thread, 0 before there is one.
    private let thread = Atomic<UInt>(0)

    /// The loop runs on whichever thread calls `adoptCurrentThread` and then the loop's `run`.
    package init(_ loop: EventLoop) { self.loop = loop }

    /// An executor whose loop runs on a thread of its own, for as long as the process lives.
    package static func onNewThread(named name: String) throws(DomeError) -> LoopExecutor {
        let executor = LoopExecutor(try EventLoop())
        try startThread(named: name) {
            executor.adoptCurrentThread()
            executor.loop.run()
        }
        return executor
    }

    /// Makes the calling thread the one that counts as isolated.
    package func adoptCurrentThread() { thread.store(UInt(pthread_self()), ordering: .relaxed) }

    private var isOnThread: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute {
            job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

    package func isIsolatingCurrentContext() -> Bool? { isOnThread }
    package func checkIsolated() { assertOnThread() }

    /// Stops the program when the caller is on another thread: a defect of ours, never of input.
    package func assertOnThread() {
        precondition(isOnThread, "called off the executor's thread")
    }
}
