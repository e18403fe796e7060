internal import DomeAsync
internal import DomeModel

/// A method of the protocol.
struct Method: Sendable {
    enum Era: Sendable { case handshake, stateless, both }

    var era: Era
    /// Whether it may come before the handshake.
    var isAlwaysAllowed = false
    var run: @Core @Sendable (Call) async throws(RPCError) -> RPCResult

    static let table: [String: Method] = [
        "initialize": .initialize, "ping": .ping, "server/discover": .serverDiscover,
        "tools/list": .toolsList, "tools/call": .toolsCall,
        "resources/list": .resourcesList, "resources/read": .resourcesRead,
        "resources/templates/list": .resourceTemplatesList,
        "subscriptions/listen": .subscriptionsListen, "tasks/get": .tasksGet, "tasks/update": .tasksUpdate,
        "tasks/cancel": .tasksCancel,
    ]
}

/// The keys of `_meta` by which a request of the stateless era says what a handshake would have said.
enum MetaKey {
    static let version = "io.modelcontextprotocol/protocolVersion"
    static let client = "io.modelcontextprotocol/clientInfo"
    static let capabilities = "io.modelcontextprotocol/clientCapabilities"
    static let server = "io.modelcontextprotocol/serverInfo"
    static let subscription = "io.modelcontextprotocol/subscriptionId"
}

extension Bridge {
    /// Takes what a client sent: one message, or several where its version has that.
    func receive(_ bytes: [UInt8], _ session: Session, _ sink: any MessageSink) {
        do throws(DomeError) {
            receive(try JSONParser.parse(bytes, what: "the message"), session, sink)
        } catch {
            sink.fail(.null, .parse(error.message))
        }
    }

    /// The same of what is JSON already.
    func receive(_ value: JSONValue, _ session: Session, _ sink: any MessageSink) {
        guard let batch = value.arrayValue else { return take(RPCMessage(value), session, sink) }
        guard session.version?.allowsBatches == true else {
            let version = session.version.map { "MCP \($0.rawValue)" } ?? "a connection without a handshake"
            sink.fail(.null, .invalidRequest("\(version) has no batches; send one message at a time"))
            return
        }
        guard !batch.isEmpty, batch.count <= Session.callLimit else {
            sink.fail(.null, .invalidRequest("a batch must have 1 to \(Session.callLimit) messages"))
            return
        }
        let messages = batch.map { RPCMessage($0) }
        let answers = BatchSink(sink, count: messages.count { $0.isOwedAnAnswer })
        for message in messages {
            if case .request(let id, "initialize", _) = message {
                answers.fail(id.json, .invalidRequest("initialize must not be in a batch"))
            } else {
                take(message, session, answers)
            }
        }
    }

    private func take(_ message: RPCMessage, _ session: Session, _ sink: any MessageSink) {
        switch message {
        case .broken(let id, let error): sink.fail(id, error)
        case .response: break
        case .notification(let method, let parameters): notified(method, parameters, session)
        case .request(let id, let name, let parameters):
            do throws(RPCError) {
                let (method, call) = try admit(id, name, parameters, session, sink)
                session.add(call)
                Core.task { await self.answer(call, method, sink) }
            } catch {
                sink.fail(id.json, error)
            }
        }
    }

    /// Decides who asks, in which version, and whether they may.
    private func admit(
        _ id: RequestID, _ name: String, _ parameters: JSONObject, _ session: Session, _ sink: any MessageSink
    ) throws(RPCError) -> (Method, Call) {
        guard session.calls[id] == nil else {
            throw .invalidRequest("the id is that of a request which is not answered yet")
        }
        guard session.calls.count < Session.callLimit else {
            throw .internalError("\(Session.callLimit) requests are not answered yet; wait for one of them")
        }
        let meta = parameters["_meta"]?.objectValue ?? JSONObject()
        let method = Method.table[name]
        if meta[MetaKey.version] != nil || method?.era == .stateless && session.version == nil {
            let version = try statelessVersion(meta)
            guard let method, method.era != .handshake else { throw .unknownMethod(name) }
            let call = Call(
                id: id, parameters: parameters, meta: meta, version: version,
                client: ClientDescription(meta[MetaKey.client]), bridge: self, session: session, sink: sink)
            return (method, call)
        }
        guard let method, method.era != .stateless else { throw .unknownMethod(name) }
        guard let version = session.version ?? (method.isAlwaysAllowed ? .newestHandshake : nil) else {
            throw .invalidRequest(
                "\(name) before initialize: send initialize first, or \"\(MetaKey.version)\" in params._meta")
        }
        let call = Call(
            id: id, parameters: parameters, meta: meta, version: version, client: session.client, bridge: self,
            session: session, sink: sink)
        return (method, call)
    }

    private func statelessVersion(_ meta: JSONObject) throws(RPCError) -> ProtocolVersion {
        for key in [MetaKey.version, MetaKey.capabilities] where meta[key] == nil {
            throw .invalidParameters("params._meta must have \"\(key)\"")
        }
        guard let asked = meta[MetaKey.version]?.stringValue else {
            throw .invalidParameters("\"\(MetaKey.version)\" must be a string")
        }
        guard let version = ProtocolVersion(rawValue: asked), version.isStateless else {
            throw .unsupportedVersion(String(asked.prefix(64)))
        }
        return version
    }

    private func answer(_ call: Call, _ method: Method, _ sink: any MessageSink) async {
        let answer: Result<RPCResult, RPCError>
        do throws(RPCError) {
            answer = .success(try await method.run(call))
        } catch {
            answer = .failure(error)
        }
        call.session.remove(call)
        // Whoever canceled a request wants no answer (a batch is still owed the others').
        if call.isCancelled { return sink.sendNothing() }
        switch answer {
        case .success(let result): sink.send(RPCText.response(call.id.json, result))
        case .failure(let error): sink.fail(call.id.json, error)
        }
    }

    private func notified(_ method: String, _ parameters: JSONObject, _ session: Session) {
        guard method == "notifications/cancelled", let id = parameters["requestId"].flatMap({ RequestID($0) }) else {
            return
        }
        session.calls[id]?.cancel()
    }
}

extension RPCMessage {
    var isOwedAnAnswer: Bool {
        switch self {
        case .request, .broken: true
        case .notification, .response: false
        }
    }
}

/// Collects the answers to a batch and sends them as one.
@Core
private final class BatchSink: MessageSink {
    private let sink: any MessageSink
    private var missing: Int
    private var answers: [[UInt8]] = []

    init(_ sink: any MessageSink, count: Int) { (self.sink, missing) = (sink, count) }

    func send(_ message: [UInt8]) {
        answers.append(message)
        settle()
    }

    func sendNotification(_ message: [UInt8]) { sink.sendNotification(message) }

    func sendNothing() { settle() }

    private func settle() {
        missing -= 1
        guard missing == 0, !answers.isEmpty else { return }
        var output: [UInt8] = [UInt8(ascii: "[")]
        output.append(contentsOf: answers.joined(separator: [UInt8(ascii: ",")]))
        output.append(UInt8(ascii: "]"))
        sink.send(output)
    }
}
