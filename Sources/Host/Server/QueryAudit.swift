internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeTransport
internal import DomeWire

extension DomedService {
    /// Events of the audit log, a page at a time, as fast as the client takes them; with `follow` also those to come.
    func queryAudit(_ request: Domed_V1_QueryAuditRequest, _ call: ServerCall) {
        do throws(DomeError) {
            AuditFollower(self, call, try AuditQuestion(request)).start()
        } catch {
            call.finish(Self.status(of: error))
        }
    }
}

/// QueryAudit's request, checked.
struct AuditQuestion {
    var query = AuditQuery()
    var limit: Int
    var isFollowing: Bool
    var hasPayload: Bool

    init(_ request: Domed_V1_QueryAuditRequest) throws(DomeError) {
        query.isNewestFirst = request.newestFirst
        isFollowing = request.follow
        hasPayload = request.withPayload
        limit = request.limit == 0 ? .max : Int(request.limit)
        guard !query.isNewestFirst || !isFollowing else {
            throw DomeError(.invalidRequest, "follow: what is to come has no newest event; ask without newest_first")
        }
        query.kind = request.kind.isEmpty ? nil : request.kind
        query.toolID = request.toolId.isEmpty ? nil : request.toolId
        query.actorUserID = request.actorUid
        query.outcome = request.outcome.isEmpty ? nil : request.outcome
        query.jobID = request.jobId.isEmpty ? nil : try jobID(request.jobId)
        query.sinceNanoseconds = try time(ofField: "since", request.since)
        query.untilNanoseconds = try time(ofField: "until", request.until)
        if !request.afterCursor.isEmpty { query.position = try AuditQuery.position(ofCursor: request.afterCursor) }
    }
}

/// One client that reads the audit log at its own pace.
@Core
final class AuditFollower: OpenStream {
    private static let pageSize = 256

    private var question: AuditQuestion
    private var observation: AuditObservation?
    private var isReading = false
    private var hasNews = false

    init(_ service: DomedService, _ call: ServerCall, _ question: AuditQuestion) {
        self.question = question
        super.init(service, call)
    }

    func start() {
        open()
        if question.isFollowing {
            observation = service.engine.observeAudit { [weak self] in
                self?.hasNews = true
                self?.advance()
            }
            call.sendHeaders()
        }
        hasNews = true
        advance()
    }

    override var farewell: String { "the daemon is leaving; ask again after the last cursor" }

    override func advance() {
        guard !isEnded, !isReading, hasNews, call.canSend else { return }
        isReading = true
        Core.task { [self] in await readPage() }
    }

    private func readPage() async {
        hasNews = false
        do throws(DomeError) {
            let page = try await service.engine.auditEvents(
                question.query, limit: min(Self.pageSize, question.limit), hasPayloads: question.hasPayload)
            isReading = false
            guard !isEnded else { return }
            for event in page.events { send(event) }
            question.limit -= page.events.count
            if let next = page.next, question.limit > 0 {
                question.query.position = next
                hasNews = true
            } else if question.isFollowing, question.limit > 0 {
                question.query.position = max(question.query.position ?? 0, page.end)
            } else {
                return finish(.ok)
            }
            advance()
        } catch {
            finish(DomedService.status(of: error))
        }
    }

    private func send(_ event: AuditEventReport) {
        send(
            Domed_V1_QueryAuditResponse.with {
                $0.seq = UInt64(clamping: event.seq)
                $0.cursor = event.cursor
                $0.ts = Timestamp.format(nanoseconds: event.timeNanoseconds)
                $0.kind = event.kind
                $0.actorUid = event.actorUserID
                $0.jobId = event.jobID
                $0.toolId = event.toolID
                $0.outcome = event.outcome
                $0.leafJson = event.leafJSON
                $0.leafHash = event.leafHash
                $0.payload = event.payload
            })
    }

    override func release() { observation?.cancel() }
}
