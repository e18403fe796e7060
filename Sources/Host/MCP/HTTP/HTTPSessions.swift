internal import DomeAsync
internal import DomeModel
internal import DomePlatform

/// A session of the handshake era, which over HTTP outlives its connections.
@Core
final class HTTPSession {
    let id: String
    let session = Session()
    fileprivate var lastUse: Int64 = 0
    private var logs: [EventLog] = []
    private var logCount = 0
    /// So many answers can be asked for again.
    private static let logLimit = 16

    fileprivate init(id: String) { self.id = id }

    func newLog() -> EventLog {
        logCount += 1
        let log = EventLog(name: String(logCount))
        logs.append(log)
        if logs.count > Self.logLimit, let old = logs.firstIndex(where: \.isComplete) { logs.remove(at: old) }
        return log
    }

    /// The log and the number of the event with that id.
    func log(_ eventID: String) -> (EventLog, Int)? {
        let parts = eventID.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[1]),
            let log = logs.first(where: { $0.name == parts[0] }), (0...log.events.count).contains(number)
        else { return nil }
        return (log, number)
    }
}

/// The sessions that there are, by their ids.
@Core
final class HTTPSessions {
    /// One more, and the one that was silent longest is forgotten; its client begins anew (404).
    private static let limit = 128
    private var sessions: [String: HTTPSession] = [:]

    nonisolated init() {}

    subscript(id: String) -> HTTPSession? {
        let session = sessions[id]
        session?.lastUse = Clock.monotonicNanoseconds()
        return session
    }

    func begin() -> HTTPSession {
        if sessions.count >= Self.limit {
            let idle = sessions.values.filter(\.session.calls.isEmpty)
            if let oldest = idle.min(by: { $0.lastUse < $1.lastUse }) { end(oldest) }
        }
        var generator = SystemRandomNumberGenerator()
        let session = HTTPSession(
            id: (0..<2).map { _ in String(generator.next() as UInt64, radix: 16) }.joined(separator: "-"))
        session.lastUse = Clock.monotonicNanoseconds()
        sessions[session.id] = session
        return session
    }

    /// Its calls are told that nobody waits; jobs run on.
    func end(_ session: HTTPSession) {
        sessions[session.id] = nil
        for call in session.session.calls.values { call.stopWaiting() }
    }
}
