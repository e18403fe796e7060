// Room Async: Swift's concurrency on threads that dome owns. An event loop as an executor, so that actors and
// tasks run on exactly one known thread, nothing blocks the shared pool, and that pool is never started.
// Apart from Platform because the keeper and the worker must not carry the concurrency runtime.

package import DomePlatform

/// An event loop as a serial executor (for actors) and as a task executor (for tasks that prefer it).
package final class LoopExecutor: SerialExecutor, TaskExecutor {
    package let loop: EventLoop

    /// The loop runs on whichever thread calls its `run`.
    package init(_ loop: EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute {
            job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
}
