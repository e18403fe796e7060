package import DomeAsync
internal import DomeModel

/// A job's events past a seq, across lost connections and daemon restarts: no gap, no repeat. Follows up to the
/// terminal event.
@Core
package final class JobFollower {
    private let client: DaemonClient
    private let jobID: String
    private let isFollowing: Bool
    /// The last event handed out.
    package private(set) var lastSeq: UInt64
    private var stream: EventStream?
    private var isEnded = false

    package init(_ client: DaemonClient, jobID: String, follow: Bool, sinceSeq: UInt64) {
        self.client = client
        self.jobID = jobID
        isFollowing = follow
        lastSeq = sinceSeq
    }

    /// The next events; nil at the end. A lost connection is made again meanwhile, and the daemon started if the
    /// client may do that.
    package func next() async throws(ClientError) -> [JobEvent]? {
        var patience = Patience()
        while !isEnded {
            do throws(ClientError) {
                if let batch = try await advance() { return batch }
            } catch {
                stream = nil
                try await patience.wait(after: error, hadConnection: hadConnection)
            }
        }
        return nil
    }

    /// Whether the daemon ever answered.
    private var hadConnection = false
    /// Whether the last event handed out was the terminal one.
    private var isTerminal = false

    /// Nil when the stream is over; `isEnded` then says whether for good.
    private func advance() async throws(ClientError) -> [JobEvent]? {
        let stream: EventStream
        if let present = self.stream {
            stream = present
        } else {
            stream = try await client.events(jobID, follow: isFollowing, sinceSeq: lastSeq)
            self.stream = stream
        }
        guard let batch = try await stream.next() else {
            self.stream = nil
            isEnded = !isFollowing || isTerminal ? true : try await isJobOver()
            return nil
        }
        hadConnection = true
        // A server that repeats events would break the promise; drop what is known.
        let fresh = batch.first.map { $0.seq > lastSeq } == true ? batch : batch.filter { $0.seq > lastSeq }
        if let last = fresh.last {
            lastSeq = last.seq
            isTerminal = last.isTerminal
        }
        return fresh
    }

    /// A followed stream ends after the terminal event, or at once when there is nothing past `sinceSeq`.
    private func isJobOver() async throws(ClientError) -> Bool {
        let job = try await client.job(jobID)
        return job.summary.state?.isTerminal ?? true
    }
}
