internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// How the daemon is, and which versions fit together.
    func getStatus(_ request: Domed_V1_GetStatusRequest) -> Domed_V1_GetStatusResponse {
        let report = engine.status()
        return .with {
            $0.status = .ok()
            $0.minSupportedVersion = identity.minimumClientVersion
            $0.currentVersion = identity.version
            $0.recommendedVersion = identity.version
            $0.serverVersion = identity.version
            $0.pid = UInt32(clamping: identity.processID)
            $0.startedAt = timestamp(report.startedNanoseconds)
            $0.uptimeMs = UInt64(max(0, Clock.wallNanoseconds() - report.startedNanoseconds)) / 1_000_000
            $0.endpoint = identity.endpoint
            $0.stateDirectory = identity.stateDirectory
            $0.jobsQueued = UInt32(clamping: report.queued)
            $0.jobsRunning = UInt32(clamping: report.running)
            $0.keepers = report.keepers.map { keeper in
                .with {
                    $0.pid = UInt32(clamping: keeper.processID)
                    $0.generation = keeper.generation
                    $0.jobs = UInt32(clamping: keeper.jobs)
                    $0.version = keeper.version
                }
            }
            $0.sandboxOk = report.isSandboxWhole
            $0.sandboxReportJson = report.sandboxReportJSON
            $0.problems = report.problems
        }
    }
}
