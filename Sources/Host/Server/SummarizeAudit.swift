internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// How many events there are of each.
    func summarizeAudit(
        _ request: Domed_V1_SummarizeAuditRequest
    ) async -> Domed_V1_SummarizeAuditResponse {
        do throws(DomeError) {
            let counts = try await engine.auditCounts(
                by: request.by, since: try time(ofField: "since", request.since),
                until: try time(ofField: "until", request.until))
            return .with {
                $0.status = .ok()
                $0.counts = counts.map { one in
                    .with {
                        $0.key = one.key
                        $0.count = UInt64(clamping: one.count)
                    }
                }
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
