internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Removes old finished jobs with their output.
    func collectGarbage(_ request: Domed_V1_CollectGarbageRequest) async -> Domed_V1_CollectGarbageResponse {
        do throws(DomeError) {
            let report = try await engine.collectGarbage(
                olderThanSeconds: request.olderThanSeconds, maxBytes: request.maxBytes, isDryRun: request.dryRun)
            return .with {
                $0.status = .ok()
                $0.jobsRemoved = UInt32(clamping: report.jobs)
                $0.bytesFreed = report.bytes
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
