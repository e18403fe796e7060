internal import DomeAsync
internal import DomeModel

extension Method {
    /// The stateless era's first question.
    static let serverDiscover = Method(era: .stateless) { call throws(RPCError) in
        let result: JSONObject = [
            "supportedVersions": .array(ProtocolVersion.allCases.map { .string($0.rawValue) }),
            "capabilities": ServerCard.capabilities(call.version), "instructions": .string(Bridge.instructions),
        ]
        return .object(result.completed(for: call, cachedMilliseconds: 3_600_000))
    }

    /// A stream of changes, in the stateless era. The list of tools does not change within a session and resources
    /// are not watched, so nothing is ever sent: the stream is acknowledged, and stays until it is canceled.
    static let subscriptionsListen = Method(era: .stateless) { call throws(RPCError) in
        // Tasks are asked for, not told of: none is agreed to.
        let isAboutTasks = call.parameters["notifications"]?["taskIds"].map { $0 != .null } ?? false
        guard call.takesTasks || !isAboutTasks else { throw TasksExtension.missing }
        let meta: JSONValue = [MetaKey.subscription: call.id.json]
        call.notify("notifications/subscriptions/acknowledged", ["notifications": [:], "_meta": meta])
        let ended = OneShot<Bool>()
        call.whenStopped { ended.set(true) }
        _ = await ended.wait()
        return .object(["resultType": "complete", "_meta": meta])
    }
}
