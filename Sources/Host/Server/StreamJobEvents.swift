internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeTransport
internal import DomeWire

extension DomedService {
    /// A job's events past `since_seq`, and with `follow` the live ones up to the terminal event. The one RPC whose
    /// domain errors are gRPC codes: there is no status field in a stream of events.
    func streamJobEvents(_ request: Domed_V1_StreamJobEventsRequest, _ call: ServerCall) {
        Core.task { [self] in
            do throws(DomeError) {
                let job = try jobID(request.jobId)
                let head = try await engine.head(of: job)
                EventFollower(self, call, job, request, head).start()
            } catch {
                call.finish(Self.status(of: error))
            }
        }
    }

    static func status(of error: DomeError) -> GRPCStatus {
        switch error.code {
        case .notFound: GRPCStatus(.notFound, error.message)
        case .invalidRequest: GRPCStatus(.invalidArgument, error.message)
        case .resourceExhausted: GRPCStatus(.resourceExhausted, error.message)
        default: GRPCStatus(.internal, error.message)
        }
    }
}

/// One client that reads one job's journal at its own pace. Reads a piece only when there is something to read and
/// the client has taken what was sent: a slow client costs no memory and slows nobody.
@Core
final class EventFollower: OpenStream {
    private let job: JobID
    private let isFollowing: Bool
    private let number: UInt64
    /// What may be read: grows with the job while following, else stays what it was at the call.
    private var head: EventHub.Head
    private var sentSeq: UInt64
    private var observation: EventHub.Observation?
    private var isReading = false
    /// Whether the streams' thread may have a file open for it.
    private var hasRead = false
    private var hasMended = false

    private static var nextNumber: UInt64 = 0

    init(
        _ service: DomedService, _ call: ServerCall, _ job: JobID, _ request: Domed_V1_StreamJobEventsRequest,
        _ head: EventHub.Head
    ) {
        (self.job, self.head) = (job, head)
        isFollowing = request.follow
        sentSeq = request.sinceSeq
        Self.nextNumber += 1
        number = Self.nextNumber
        super.init(service, call)
    }

    func start() {
        open()
        if isFollowing, !head.isTerminal {
            observation = service.engine.hub.observe(job) { [self] head in
                self.head = head
                advance()
            }
            // It ended between the question and the observation: ask again.
            if observation == nil {
                Core.task { [self] in
                    do throws(DomeError) {
                        head = try await service.engine.head(of: job)
                        advance()
                    } catch {
                        finish(DomedService.status(of: error))
                    }
                }
                return
            }
        }
        // The client learns at once that the stream stands, also while nothing happens; else with the first events.
        if sentSeq >= head.lastSeq { call.sendHeaders() }
        advance()
    }

    override func advance() {
        guard !isEnded, !isReading else { return }
        guard sentSeq < head.lastSeq else {
            if head.isTerminal || !isFollowing { finish(.ok) }
            return
        }
        guard call.canSend else { return }
        if sendChanges() { return advance() }
        isReading = true
        hasRead = true
        Core.task { [self] in await readPiece() }
    }

    /// The changes of state that come next, without a detour over the journal: of a job that prints nothing there is
    /// nothing else, and the client waits for nothing else. False if another event comes next.
    private func sendChanges() -> Bool {
        var encoder = StreamEventEncoder(jobID: job)
        var bytes: [UInt8] = []
        while sentSeq < head.lastSeq, let change = head.changes.first(where: { $0.seq == sentSeq + 1 }) {
            change.payload.withUnsafeBytes { payload in
                encoder.append(
                    EventView(
                        seq: change.seq, wallNanoseconds: change.wallNanoseconds, kind: .stateChange,
                        payload: payload), to: &bytes)
            }
            sentSeq = change.seq
        }
        guard !bytes.isEmpty else { return false }
        call.sendFramed(bytes)
        return true
    }

    private func readPiece() async {
        do throws(DomeError) {
            let piece = try await service.streams.read(
                number, job, path: service.engine.journalPath(job), after: sentSeq, through: head.lastSeq)
            isReading = false
            guard !isEnded else { return }
            guard piece.lastSeq > sentSeq else {
                throw DomeError(.internal, "the journal of \(job) ends before its event \(head.lastSeq)")
            }
            sentSeq = piece.lastSeq
            call.sendFramed(piece.bytes)
            advance()
        } catch {
            do throws(DomeError) { try await mend(after: error) } catch {
                isReading = false
                Log.error("stream.failed", ["job": job.text, "error": error.description])
                finish(DomedService.status(of: error))
            }
        }
    }

    /// An ended job's journal may lack its end; once it says so itself, reading goes on. Throws what cannot be helped.
    private func mend(after error: DomeError) async throws(DomeError) {
        guard error.code == .internal, head.isTerminal, !hasMended else { throw error }
        isReading = true
        hasMended = true
        await service.streams.close(number)
        head = try await service.engine.mendJournal(job)
        isReading = false
        advance()
    }

    override var farewell: String { "the daemon is leaving; follow on with since_seq \(sentSeq)" }

    override func release() {
        observation?.cancel()
        guard hasRead else { return }
        let (streams, number) = (service.streams, number)
        Core.task { await streams.close(number) }
    }
}
