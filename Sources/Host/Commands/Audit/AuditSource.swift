import DomeAsync
import DomeClient
import DomeModel
import DomePlatform
import DomeSchema

/// Asks for events and hands them out, in the order that the user wants.
@Core
struct AuditSource {
    let client: DaemonClient
    let pattern: TextPattern?
    private static let patienceNanoseconds: Int64 = 60_000_000_000

    /// The first `limit` that fit, as they come; returns the last one's cursor.
    @discardableResult
    func each(
        _ filter: AuditFilter, limit: Int, _ body: ([AuditEvent]) throws(CommandFailure) -> Void
    ) async throws(CommandFailure) -> String? {
        var filter = filter
        // With a pattern, it is here that is counted.
        filter.limit = pattern == nil && limit < Int.max ? UInt32(clamping: limit) : 0
        let asked = filter
        let stream = try await calling { () async throws(ClientError) in try await client.auditEvents(asked) }
        var (rest, cursor) = (limit, String?.none)
        while rest > 0,
            let events = try await calling({ () async throws(ClientError) in try await stream.next() })
        {
            let fitting = fitting(events).prefix(rest)
            rest -= fitting.count
            cursor = events.last?.cursor ?? cursor
            if !fitting.isEmpty { try body(Array(fitting)) }
        }
        return cursor
    }

    private func fitting(_ events: [AuditEvent]) -> [AuditEvent] {
        guard let pattern else { return events }
        return events.filter { pattern.isFound(in: $0.leafJSON) }
    }

    /// What comes after `filter`'s cursor, for ever; goes on across restarts of the daemon.
    func follow(
        _ filter: AuditFilter, _ body: ([AuditEvent]) throws(CommandFailure) -> Void
    ) async throws(CommandFailure) {
        var filter = filter
        filter.isFollowing = true
        var lostNanoseconds: Int64?
        while true {
            do throws(ClientError) {
                let stream = try await client.auditEvents(filter)
                while let events = try await stream.next() {
                    lostNanoseconds = nil
                    filter.afterCursor = events.last?.cursor ?? filter.afterCursor
                    let fitting = fitting(events)
                    if !fitting.isEmpty {
                        do throws(CommandFailure) {
                            try body(fitting)
                            try Output.stdout.flush()
                        } catch {
                            return
                        }
                    }
                }
            } catch {
                switch error {
                case .connectionLost, .unavailable: break
                default: throw CommandFailure(error)
                }
                let now = Clock.monotonicNanoseconds()
                if now - (lostNanoseconds ?? now) > Self.patienceNanoseconds { throw CommandFailure(error) }
                lostNanoseconds = lostNanoseconds ?? now
            }
            await Core.sleep(milliseconds: 200)
        }
    }
}
