internal import DomeAsync
internal import DomeClient
internal import DomeModel

/// A list of tools as a client is told of it, ready to be sent.
final class ToolListing: Sendable {
    /// Those of the daemon, by name.
    let tools: [String: DirectTool]
    var count: Int { MetaTool.all.count + tools.count }
    private let handshake: [UInt8]
    private let stateless: [UInt8]

    /// dome's own tools, and `details` in their order.
    init(_ details: [ToolDetail]) {
        var names = ToolNames(taken: Set(MetaTool.table.keys))
        let direct = details.map { DirectTool($0, name: names.name($0.summary.toolID)) }
        tools = Dictionary(direct.map { ($0.name, $0) }) { first, _ in first }
        let list = JSONValue.array(MetaTool.all.map(\.json) + direct.map(\.json)).compact
        handshake = Array("{\"tools\":\(list)}".utf8)
        let server: JSONValue = [MetaKey.server: ServerCard.implementation]
        stateless = Array(
            ("{\"tools\":\(list),\"resultType\":\"complete\",\"ttlMs\":60000,\"cacheScope\":\"private\","
                + "\"_meta\":\(server.compact)}").utf8)
    }

    /// The result of tools/list.
    @Core
    func result(for call: Call) -> [UInt8] { call.version.isStateless ? stateless : handshake }
}
