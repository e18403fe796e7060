internal import DomeAsync
internal import DomeModel

/// Who a client says it is.
struct ClientDescription: Sendable, Equatable {
    var name = "unknown"
    var version = ""

    var isCodex: Bool { name.lowercased().hasPrefix("codex") }

    /// From `clientInfo`; what is missing stays unknown, what is long is cut.
    init(_ info: JSONValue?) {
        if let name = info?["name"]?.stringValue, !name.isEmpty { self.name = String(name.prefix(128)) }
        version = String((info?["version"]?.stringValue ?? "").prefix(64))
    }
}

/// A client's connection, or what stands for one: what its handshake said, and its calls under way.
@Core
final class Session {
    /// Set by the handshake.
    var version: ProtocolVersion?
    var client = ClientDescription(nil)
    /// What the client can do for us, e.g. ask its user ("elicitation"). A gate that wants a person's word asks here.
    var capabilities = JSONObject()
    /// The calls that are not answered yet.
    private(set) var calls: [RequestID: Call] = [:]
    /// The tools as this session was told of them: clients read the list once, so it does not change under them.
    var listing: ToolListing?

    /// More at once are refused, so that a client that forgets to wait does not fill this process.
    static let callLimit = 256

    nonisolated init() {}

    func add(_ call: Call) { calls[call.id] = call }
    func remove(_ call: Call) { if calls[call.id] === call { calls[call.id] = nil } }
}
