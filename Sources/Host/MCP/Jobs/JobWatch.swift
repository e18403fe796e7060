internal import DomeAsync
internal import DomeClient
internal import DomeModel
internal import DomePlatform

/// Waits for a job's events within a time limit, across lost connections and restarts of the daemon.
@Core
final class JobWatch {
    private let call: Call
    private let jobID: String
    /// What the job printed since.
    private(set) var output: OutputCapture
    /// The last event taken.
    private(set) var lastSeq: UInt64
    /// Whether the job's end was seen.
    private(set) var isOver = false
    /// What its last event said of it.
    private(set) var outcome: JobOutcome?
    /// What its errors and limits said, in words.
    private(set) var remarks: [String] = []

    private var stream: EventStream?
    private var isStopped = false
    private static let pauseMilliseconds: UInt64 = 50
    private static let attempts = 40

    init(_ call: Call, jobID: String, sinceSeq: UInt64, output: OutputCapture) {
        (self.call, self.jobID, lastSeq, self.output) = (call, jobID, sinceSeq, output)
    }

    /// Returns at the job's end, after `seconds`, when the output is full, or when the call is canceled.
    func wait(seconds: Double) async throws(ClientError) {
        let nanoseconds = Int64(max(0, min(seconds, 3_600)) * 1e9)
        call.whenStopped { self.stop() }
        defer { call.whenStopped(nil) }
        // What is there already is read in any case, also with nothing left to wait.
        if nanoseconds == 0 { return try await readNow() }
        let deadline = Clock.monotonicNanoseconds() + nanoseconds
        let timer = Core.loop.schedule(afterNanoseconds: nanoseconds) { Core.assumeIsolated { self.stop() } }
        defer { timer.cancel() }
        while !isOver, !isStopped {
            do throws(ClientError) {
                try await read(follow: true)
            } catch {
                guard !isStopped else { return }
                guard Self.mayRetry(error), Clock.monotonicNanoseconds() < deadline else { throw error }
                await Core.sleep(milliseconds: Self.pauseMilliseconds)
            }
        }
    }

    /// What there is, also if the daemon is just being replaced.
    private func readNow() async throws(ClientError) {
        for _ in 0..<Self.attempts {
            do throws(ClientError) { return try await read(follow: false) } catch {
                guard !isStopped else { return }
                guard Self.mayRetry(error) else { throw error }
            }
            await Core.sleep(milliseconds: Self.pauseMilliseconds)
        }
        try await read(follow: false)
    }

    private static func mayRetry(_ error: ClientError) -> Bool {
        if case .connectionLost = error { return true }
        return false
    }

    private func stop() {
        isStopped = true
        stream?.cancel()
    }

    private func read(follow: Bool) async throws(ClientError) {
        let stream = try await call.bridge.client.events(jobID, follow: follow, sinceSeq: lastSeq)
        // The time may have run out while there was no daemon, and nobody would stop the stream any more.
        guard !isStopped else { return stream.cancel() }
        self.stream = stream
        defer { self.stream = nil }
        while let batch = try await stream.next() {
            for event in batch where event.seq > lastSeq {
                guard take(event) else {
                    isStopped = true
                    return
                }
            }
        }
        // Nothing came past the end of a job that is over.
        if !isOver { isOver = follow }
    }

    /// False when there is no room for it.
    private func take(_ event: JobEvent) -> Bool {
        switch event.kind {
        case .log:
            guard let log = event.log else { break }
            if let progress = log.progress {
                call.report(progress: progress)
            } else if !output.take(log, seq: event.seq) {
                return false
            }
        case .guard, .error:
            if let document = try? event.payload(), remarks.count < 8 {
                let words = document["message"]?.stringValue ?? document["reason"]?.stringValue ?? document.compact
                remarks.append(String(words.prefix(500)))
            }
        case .stateChange:
            if let payload = try? event.payload(), let outcome = JobOutcome(terminal: payload) {
                self.outcome = outcome
                isOver = true
            }
        case .unknown: break
        }
        lastSeq = event.seq
        return true
    }
}
