internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Jobs, newest first, a page at a time.
    func listJobs(_ request: Domed_V1_ListJobsRequest) async -> Domed_V1_ListJobsResponse {
        do throws(DomeError) {
            let page = try await engine.jobs(try Self.query(request))
            return .with {
                $0.status = .ok()
                $0.jobs = page.jobs.map(Self.summary)
                $0.nextPageToken = page.nextPageToken ?? ""
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }

    private static func query(_ request: Domed_V1_ListJobsRequest) throws(DomeError) -> JobQuery {
        var query = JobQuery()
        for state in request.states where state.rawValue != 0 {
            guard let known = JobState(rawValue: state.rawValue) else {
                throw DomeError(.invalidRequest, "states: there is no job state \(state.rawValue)")
            }
            query.states.append(known)
        }
        query.toolID = request.toolId.isEmpty ? nil : request.toolId
        query.sinceNanoseconds = try time(ofField: "since", request.since)
        query.untilNanoseconds = try time(ofField: "until", request.until)
        query.pageSize = request.pageSize == 0 ? 100 : Int(min(request.pageSize, 1_000))
        query.pageToken = request.pageToken.isEmpty ? nil : request.pageToken
        return query
    }

    private static func summary(_ report: JobReport) -> Domed_V1_JobSummary {
        .with {
            $0.runId = report.jobID.runID
            $0.jobId = report.jobID.text
            $0.toolId = report.toolID
            $0.profile = report.profile
            $0.state = Domed_V1_JobState(report.state)
            $0.createdAt = timestamp(report.createdNanoseconds)
            $0.startedAt = timestamp(report.startedNanoseconds)
            $0.endedAt = timestamp(report.endedNanoseconds)
            $0.exitCode = report.exitCode
            $0.message = report.message
            $0.lastSeq = report.lastSeq
        }
    }
}
