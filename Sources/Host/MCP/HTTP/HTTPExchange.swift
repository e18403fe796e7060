internal import DomeAsync
internal import DomeModel

/// The events of one answer, kept for a client that loses its connection before the end (until 2025-11-25; later
/// versions have no such thing).
@Core
final class EventLog {
    let name: String
    private(set) var events: [[UInt8]] = []
    private(set) var isComplete = false
    private weak var reader: HTTPConnection?
    private static let limit = 4_096

    init(name: String) { self.name = name }

    /// Adds an event with its id; `message` nil is one without data, by which a client learns the id.
    func add(_ message: [UInt8]?, isLast: Bool = false) {
        guard events.count < Self.limit else { return }
        let id = Array("id: \(name)-\(events.count + 1)\n".utf8)
        let event = id + Array("data: ".utf8) + (message ?? []) + [0x0a, 0x0a]
        events.append(event)
        reader?.writeEvent(event)
        if isLast { complete() }
    }

    func complete() {
        isComplete = true
        reader?.endStream()
        reader = nil
    }

    /// Sends what comes after the event of that number, and what is still to come, to this client.
    func attach(_ connection: HTTPConnection, after number: Int) {
        reader = connection
        for event in events.dropFirst(number) { connection.writeEvent(event) }
        if isComplete { complete() }
    }
}

/// A message posted by a client, and the way of its answer: JSON if it comes by itself, a stream of events if something
/// is to be told before it.
@Core
final class HTTPExchange: MessageSink {
    private let connection: HTTPConnection
    private let isStateless: Bool
    /// Headers of the answer, e.g. the id of a session that begins with it.
    private let headers: [(String, String)]
    /// For a client of the handshake era that takes streams.
    private let log: EventLog?
    private var isStreaming = false
    private var isDone = false
    /// Called when the answer is an error, e.g. to a handshake: then there is no session.
    var onRefused: (() -> Void)?

    init(_ connection: HTTPConnection, isStateless: Bool, headers: [(String, String)], log: EventLog?) {
        (self.connection, self.isStateless, self.headers, self.log) = (connection, isStateless, headers, log)
    }

    /// Begins the stream, if the answer is not there already: whoever loses it can come again for the rest.
    func promiseAnswer(withFirstEvent: Bool) {
        guard let log, !isDone, !isStreaming else { return }
        begin()
        if withFirstEvent { log.add(nil) }
    }

    private func begin() {
        isStreaming = true
        connection.beginStream(headers)
        log?.attach(connection, after: 0)
    }

    func send(_ message: [UInt8]) { finish(message, status: 200) }

    func fail(_ id: JSONValue, _ error: RPCError) {
        onRefused?()
        finish(RPCText.error(id, error), status: status(of: error, id))
    }

    func sendNotification(_ message: [UInt8]) {
        guard !isDone else { return }
        if !isStreaming { begin() }
        if let log { log.add(message) } else { connection.writeEvent(Self.event(message)) }
    }

    func sendNothing() {
        guard !isDone else { return }
        isDone = true
        if let log, isStreaming { return log.complete() }
        if isStreaming { connection.endStream() } else { connection.respond(202, headers) }
    }

    private func finish(_ message: [UInt8], status: Int) {
        guard !isDone else { return }
        isDone = true
        if let log, isStreaming { return log.add(message, isLast: true) }
        guard isStreaming else {
            return connection.respond(status, headers + [("content-type", "application/json")], body: message)
        }
        connection.writeEvent(Self.event(message))
        connection.endStream()
    }

    private static func event(_ message: [UInt8]) -> [UInt8] { Array("data: ".utf8) + message + [0x0a, 0x0a] }

    /// The stateless era maps errors to statuses; before it, an answer to a request is a 200 whatever it says.
    private func status(of error: RPCError, _ id: JSONValue) -> Int {
        guard isStateless else { return id == .null ? 400 : 200 }
        switch error.code {
        case -32601: return 404
        case -32700, -32600, -32602, -32020, -32021, -32022: return 400
        default: return 200
        }
    }
}
