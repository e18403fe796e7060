internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Admits a job and waits for its end as long as the request says.
    func skillExecute(
        _ request: Domed_V1_SkillExecuteRequest, _ caller: Caller, traceparent: String?
    ) async -> Domed_V1_SkillExecuteResponse {
        var submission = SubmitRequest(
            skillID: request.skillId, profile: request.profile, idempotencyKey: request.idempotencyKey,
            taskJSON: request.taskJson, constraintsJSON: request.constraintsJson, caller: caller)
        submission.callerJSON = request.callerJson
        submission.traceparent = traceparent
        do throws(DomeError) {
            let reply = try await engine.submit(submission)
            let report = reply.report
            return .with {
                $0.status = .ok(reply.message)
                $0.runId = report.jobID.runID
                $0.jobId = report.jobID.text
                $0.state = Domed_V1_JobState(report.state)
                $0.artifacts = report.artifacts.prefix(Self.artifactsAlongLimit).map(Domed_V1_ArtifactRef.init)
                $0.artifactCount = UInt64(report.artifacts.count)
                $0.exitCode = report.exitCode
                $0.signal = report.signal
                $0.lastSeq = report.lastSeq
                $0.replayed = reply.isReplayed
                $0.reason = report.reason
                $0.resultJson = report.resultJSON
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
