internal import DomeAsync
internal import DomeModel

/// Where a call comes from, as the client says, for the record of its job: program, protocol, and what `_meta` has of
/// threads, turns and calls. Clients put them under names of their own, so short values are taken as they are.
enum StatedCaller {
    /// More than this the daemon would refuse, and the job with it.
    private static let limitBytes = 4_000
    private static let textLimitBytes = 256
    private static let memberLimit = 24
    /// W3C Trace Context, under the name that it has in `_meta` and in `caller_json`.
    private static let traceKey = "traceparent"

    @Core
    static func json(_ call: Call) -> String {
        var caller: JSONObject = [
            "client": ["name": .string(call.client.name), "version": .string(call.client.version)],
            "protocol": .string("mcp " + call.version.rawValue), "request_id": short(call.id.json) ?? .null,
        ]
        // Where daemon and job look for it; what is none is no trace, and stays with the rest.
        let trace = call.meta[traceKey]?.stringValue.flatMap { TraceContext($0) }
        if let trace { caller[traceKey] = .string(trace.text) }
        var meta = JSONObject()
        for (key, value) in call.meta.members where key != "progressToken" && !key.hasPrefix("io.modelcontextprotocol/")
        {
            if key != traceKey || trace == nil { add(key, value, to: &meta) }
        }
        let bare = JSONValue.object(caller).compact
        guard !meta.isEmpty else { return bare }
        caller["meta"] = .object(meta)
        let whole = JSONValue.object(caller).compact
        return whole.utf8.count <= limitBytes ? whole : bare
    }

    /// Takes short values, and those of an object one level down.
    private static func add(_ key: String, _ value: JSONValue, to meta: inout JSONObject) {
        guard meta.count < memberLimit, key.utf8.count <= 64 else { return }
        if let value = short(value) {
            meta[key] = value
        } else if let members = value.objectValue?.members {
            var inner = JSONObject()
            for (name, value) in members where inner.count < 8 && name.utf8.count <= 64 {
                if let value = short(value) { inner[name] = value }
            }
            if !inner.isEmpty, JSONValue.object(inner).compact.utf8.count <= 1_024 { meta[key] = .object(inner) }
        }
    }

    private static func short(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .bool: value
        // What is hashed must be exact in every reader's numbers (RFC 8785).
        case .integer(let number): number.magnitude <= 1 << 53 ? value : .string(String(number))
        case .string(let text): text.utf8.count <= textLimitBytes ? value : nil
        default: nil
        }
    }
}
