internal import DomeAsync
internal import DomeClient
internal import DomeModel

/// The extension `io.modelcontextprotocol/tasks` of the stateless era.
enum TasksExtension {
    static let name = "io.modelcontextprotocol/tasks"

    /// What a request that takes part in it without having said so is told.
    static let missing = RPCError(
        code: -32021, message: "missing required client capability: \(name)",
        data: ["requiredCapabilities": ["extensions": .object([name: [:]])]])
}

extension Method {
    /// How a task is, with its result once it has one.
    static let tasksGet = Method(era: .stateless) { call throws(RPCError) in
        let id = try call.taskID()
        let task = try await tellingOfTask { () async throws(ClientError) in
            try await JobTask.document(call, try await call.bridge.client.job(id))
        }
        return .object(task.completed(for: call))
    }

    /// Takes answers to a task's questions. Jobs have none, and what answers no question is ignored.
    static let tasksUpdate = Method(era: .stateless) { call throws(RPCError) in
        let id = try call.taskID()
        guard call.parameters["inputResponses"]?.objectValue != nil else {
            throw .invalidParameters("tasks/update needs \"inputResponses\", an object")
        }
        _ = try await tellingOfTask { () async throws(ClientError) in try await call.bridge.client.job(id) }
        return .object(JSONObject().completed(for: call))
    }

    /// Cancels a task's job; one that is over stays as it is.
    static let tasksCancel = Method(era: .stateless) { call throws(RPCError) in
        let id = try call.taskID()
        try await tellingOfTask { () async throws(ClientError) in
            do throws(ClientError) {
                _ = try await call.bridge.client.cancel(id, idempotencyKey: "mcp-cancel-" + id)
            } catch {
                guard case .refused(let refusal) = error, refusal.code == .invalidTransition else { throw error }
            }
        }
        return .object(JSONObject().completed(for: call))
    }
}

extension Call {
    /// Whether the client can take a task for a result.
    var takesTasks: Bool {
        version.isStateless && meta[MetaKey.capabilities]?["extensions"]?[TasksExtension.name]?.objectValue != nil
    }

    /// The job of the task that the request is about.
    fileprivate func taskID() throws(RPCError) -> String {
        guard takesTasks else { throw TasksExtension.missing }
        guard let given = parameters["taskId"]?.stringValue else {
            throw .invalidParameters("\"taskId\" must be a string")
        }
        guard let id = JobID(given) else { throw .invalidParameters("no such task: \(given.prefix(64))") }
        return id.text
    }
}

/// Calls the daemon, with its error as the one that the extension has for it.
@Core
private func tellingOfTask<Value: Sendable>(
    _ body: @Core () async throws(ClientError) -> Value
) async throws(RPCError) -> Value {
    do throws(ClientError) {
        return try await body()
    } catch {
        if case .refused(let refusal) = error, refusal.code == .notFound {
            throw .invalidParameters("no such task: \(refusal.message)")
        }
        let failure = ToolFailure(error)
        throw .internalError(failure.message + ". " + failure.hint)
    }
}
