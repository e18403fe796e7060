extension Core {
    /// Starts `body` on the core, at the loop's next turn.
    ///
    /// To be used instead of `Core.task { … }`. A continuation does not resume on the actor that awaits it but
    /// first on the "generic" executor (Swift 6.3.1: seen with a debugger on swift_task_enqueueGlobal), which is the
    /// shared thread pool unless the task prefers another. Here it prefers the core's loop, so nothing of ours ever
    /// starts that pool. A test counts the daemon's threads.
    @discardableResult
    package nonisolated static func task<Value: Sendable>(
        _ body: @escaping @Core @Sendable () async -> Value
    ) -> Task<Value, Never> {
        Task(executorPreference: shared.executor, operation: body)
    }

    /// The same, but from the core itself. Not quite at once: Task.immediate with an executor preference is enqueued
    /// like any other (Swift 6.3.1), and runs at the loop's next turn; without one it would run at once and start
    /// the pool at its first wait.
    @discardableResult
    package static func immediateTask<Value: Sendable>(
        _ body: @escaping @Core @Sendable () async -> Value
    ) -> Task<Value, Never> {
        Task.immediate(executorPreference: shared.executor, operation: body)
    }
}
