internal import DomeAsync
internal import DomeModel

extension Method {
    /// The tools: dome's own calls, and those of the daemon's tools that are listed by themselves.
    static let toolsList = Method(era: .both) { call throws(RPCError) in
        try Paging.refuse(call.parameters["cursor"])
        return .ready(await call.listing().result(for: call))
    }

    static let toolsCall = Method(era: .both) { call throws(RPCError) in
        guard let name = call.parameters["name"]?.stringValue else {
            throw .invalidParameters("tools/call needs \"name\", a string")
        }
        let arguments: JSONObject
        switch call.parameters["arguments"] {
        case nil, .null: arguments = JSONObject()
        case .object(let object): arguments = object
        case .some(let other): throw .invalidParameters("\"arguments\" must be an object, not \(other.typeName)")
        }
        let answer: ToolAnswer
        if let meta = MetaTool.table[name] {
            answer = await meta.answer(call, arguments)
        } else if let tool = await call.listing().tools[name] {
            answer = await tool.answer(call, arguments)
        } else {
            let meant = await call.bridge.shelf.id(like: name).map { ", this one as tool_id \"\($0)\"" } ?? ""
            throw .invalidParameters(
                "unknown tool: \(name.prefix(128)). dome_search_tools finds tools; dome_run runs any of them by its id\(meant)"
            )
        }
        return .object(answer.result(for: call).completed(for: call, as: answer.task == nil ? "complete" : "task"))
    }
}

extension Call {
    /// The tools as this session knows them.
    func listing() async -> ToolListing {
        if let listing = session.listing { return listing }
        let listing = await bridge.shelf.listing()
        if let listing = session.listing { return listing }
        session.listing = listing
        return listing
    }
}

/// Lists that come whole have no second page.
enum Paging {
    static func refuse(_ cursor: JSONValue?) throws(RPCError) {
        guard let cursor, cursor != .null else { return }
        throw .invalidParameters("the list has one page; \"cursor\" \(cursor.compact.prefix(80)) names none of it")
    }
}
