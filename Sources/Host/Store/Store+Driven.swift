package import DomeModel

// Jobs that executors drive elsewhere.
extension Store {
    /// Keeps the handle of a job; durable when this returns. The same again changes nothing.
    package nonisolated(nonsending) func keep(_ driven: DrivenJob) async throws(DomeError) {
        try await write { database throws(DomeError) in try database.insert(driven) }
    }

    /// Notes durably that somebody asked for a driven job's end; nothing for any other job.
    package nonisolated(nonsending) func cancelDriven(
        _ id: JobID, atNanoseconds time: Int64
    ) async throws(DomeError) {
        try await write { database throws(DomeError) in try database.cancelDriven(id, atNanoseconds: time) }
    }

    /// How a job is driven; nil for one that is not.
    package func driven(_ id: JobID) throws(DomeError) -> DrivenJob? { try database.driven(id) }

    private nonisolated(nonsending) func write(
        _ body: @escaping @Sendable (Database) throws(DomeError) -> Void
    ) async throws(DomeError) {
        let result: Result<Void, DomeError> = await withUnsafeContinuation { continuation in
            writes.submit(body) { continuation.resume(returning: $0) }
        }
        try result.get()
    }
}
