import DomeAsync
import DomeModel
import DomePlatform
import Testing

@testable import DomeEngine

@Core
private final class Seen {
    var heads: [EventHub.Head] = []
}

/// The hub is the core's; these tests are too.
@Suite(.serialized) struct EventHubTests {
    private let job = JobID(createdMilliseconds: 1, random: (2, 3))

    private func onCore(_ body: @Core @Sendable () -> Void) async throws {
        try Core.startOwnThread()
        await body()
    }

    @Test func `heads only rise, and the terminal one is the last`() async throws {
        let job = job
        try await onCore {
            let hub = EventHub()
            let seen = Seen()
            hub.publish(job, .init(lastSeq: 1, isTerminal: false))
            let observation = hub.observe(job) { seen.heads.append($0) }
            for lastSeq: UInt64 in [3, 2, 3, 5] { hub.publish(job, .init(lastSeq: lastSeq, isTerminal: false)) }
            hub.publish(job, .init(lastSeq: 6, isTerminal: true))
            hub.publish(job, .init(lastSeq: 9, isTerminal: true))
            #expect(seen.heads.map(\.lastSeq) == [3, 5, 6])
            #expect(seen.heads.map(\.isTerminal) == [false, false, true])
            #expect(hub.head(of: job) == nil)
            #expect(observation != nil)
        }
    }

    @Test func `nobody is called after canceling, and nothing can be observed that is not live`() async throws {
        let job = job
        try await onCore {
            let hub = EventHub()
            let early = hub.observe(job, { _ in })
            #expect(early == nil)
            hub.publish(job, .init(lastSeq: 1, isTerminal: false))
            let seen = Seen()
            let observation = hub.observe(job) { seen.heads.append($0) }
            hub.publish(job, .init(lastSeq: 2, isTerminal: false))
            observation?.cancel()
            hub.publish(job, .init(lastSeq: 3, isTerminal: true))
            #expect(seen.heads.count == 1)
        }
    }
}
