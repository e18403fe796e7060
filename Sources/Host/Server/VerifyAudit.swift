internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeTransport

extension DomedService {
    private static let progressNanoseconds: Int64 = 200_000_000

    /// Computes the whole audit log anew, and tells how far it is some times a second. Nothing waits for it but its client.
    func verifyAudit(_ request: Domed_V1_VerifyAuditRequest, _ call: ServerCall) {
        Core.task { [self] in
            do throws(DomeError) {
                var run = try await engine.beginVerification(against: request.checkpoints)
                var told = Clock.monotonicNanoseconds()
                while !run.isDone {
                    guard call.isActive else { return }
                    run = try await engine.advanceVerification(run)
                    let now = Clock.monotonicNanoseconds()
                    guard now - told > Self.progressNanoseconds, call.canSend, !run.isDone else { continue }
                    told = now
                    Self.send(Self.progress(run), call)
                }
                var last = Self.progress(run)
                last.done = true
                last.ok = run.findings.isEmpty
                last.checkpointsChecked = UInt64(clamping: run.checkpointsChecked)
                last.root = run.root
                last.checkpoint = try await engine.newestCheckpoint()
                last.findings = run.findings.map { finding in
                    .with {
                        $0.seq = UInt64(clamping: finding.seq)
                        $0.what = finding.what
                        $0.message = finding.message
                    }
                }
                Self.send(last, call)
                call.finish()
            } catch {
                call.finish(Self.status(of: error))
            }
        }
    }

    private static func progress(_ run: AuditCheck) -> Domed_V1_VerifyAuditResponse {
        .with {
            $0.checked = UInt64(clamping: run.checked)
            $0.total = UInt64(clamping: run.total)
        }
    }

    private static func send(_ message: Domed_V1_VerifyAuditResponse, _ call: ServerCall) {
        message.serialized().withUnsafeBytes { call.send(message: $0) }
    }
}
