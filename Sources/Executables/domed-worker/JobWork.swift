import DomeLink
import DomeModel
import DomePlatform
import DomePluginHost
import Glibc

/// One job of an adapter, in the jail: connect, execute, disconnect, and what came of it as reports.
enum JobWork {
    private static let reportDescriptor: Int32 = 3

    static func run() -> Never {
        guard fcntl(reportDescriptor, F_SETFD, FD_CLOEXEC) == 0 else { exit(2) }
        CrashReporter.install(
            on: reportDescriptor, head: WorkerReport.crashHead.bytes, sizeOffset: WorkerReport.crashHead.sizeOffset)
        let reports = ReportWriter(FileDescriptor(owning: reportDescriptor))
        let started = Clock.monotonicNanoseconds()
        do throws(DomeError) {
            let job = try AdapterJob.onStandardInput()
            takePlace("/job")
            try carryOut(job, reports, started)
            reports.send(.done)
            leave(0)
        } catch {
            reports.send(.failed("\(error.code.name): \(error.message)"))
            leave(1)
        }
    }

    /// Without the destructors of the plugin's static objects: its deinit was its chance.
    private static func leave(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    private static func carryOut(
        _ job: AdapterJob, _ reports: ReportWriter, _ started: Int64
    ) throws(DomeError) {
        let plugin = try Plugin(job.manifest, services(job, reports, started))
        defer { plugin.unload() }
        let adapter = try Adapter(plugin, config: job.config)
        defer { adapter.disconnect() }
        adapter.audit(record("job_started", job, nil))
        let outcome = Result { () throws(DomeError) in try adapter.execute(job.action, job.payload) }
        var status = DomeError?.none
        if case .failure(let error) = outcome { status = error }
        adapter.audit(record("job_ended", job, status))
        reports.send(result: try line(try outcome.get(), of: job))
    }

    private static func services(_ job: AdapterJob, _ reports: ReportWriter, _ started: Int64) -> HostServices {
        var services = HostServices()
        // Until the plugin shows that it can stop by itself, the signal does it.
        services.watchesCancel = { HeldSignal.hold(SIGTERM) }
        services.isCanceled = { HeldSignal.hasCome(SIGTERM) }
        services.log = { level, text in reports.send(.log(level: UInt8(clamping: level), text: text)) }
        services.progress = { value, message in reports.send(progress: value, message) }
        services.deadlineNanoseconds = started + Int64(clamping: job.wallMilliseconds) * 1_000_000
        services.secrets = job.secretsByName
        services.artifacts = ArtifactFolder(workPath: "/job/.dome/artifacts", outputPath: "/job/out")
        return services
    }

    /// The result as one line of output.
    private static func line(_ result: [UInt8], of job: AdapterJob) throws(DomeError) -> [UInt8] {
        do throws(DomeError) {
            _ = try JSONParser.parse(result, what: "its result")
        } catch {
            throw DomeError(
                .internal, "plugin \(job.pluginID) answered \(job.action) with no JSON text: \(error.message)")
        }
        // In JSON a line break is only ever layout.
        return result.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 } + [0x0a]
    }

    private static func record(_ kind: String, _ job: AdapterJob, _ failure: DomeError?) -> String {
        var event: JSONObject = [
            "kind": .string(kind), "job_id": .string(job.jobID), "tool_id": .string(job.toolID),
            "action": .string(job.action),
        ]
        if let failure { event["error"] = .string(failure.code.name) }
        return JSONValue.object(event).compact
    }
}
