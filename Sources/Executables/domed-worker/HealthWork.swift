import DomeLink
import DomeModel
import DomePlatform
import DomePluginHost
import Glibc

/// Connects an adapter only to ask it how it is. Whoever started this ends it when it takes too long.
enum HealthWork {
    static func run() -> Never {
        let output = fcntl(1, F_DUPFD_CLOEXEC, 10)
        guard output >= 0 else { exit(2) }
        let reports = ReportWriter(FileDescriptor(owning: output))
        CrashReporter.install(
            on: output, head: WorkerReport.crashHead.bytes, sizeOffset: WorkerReport.crashHead.sizeOffset)
        do throws(DomeError) {
            let job = try AdapterJob.onStandardInput()
            takePlace("/")
            var services = HostServices()
            services.secrets = job.secretsByName
            let plugin = try Plugin(job.manifest, services)
            let adapter = try Adapter(plugin, config: job.config)
            reports.send(result: try adapter.health())
            adapter.disconnect()
            plugin.unload()
            reports.send(.done)
            _exit(0)
        } catch {
            reports.send(.failed(error.message))
            _exit(1)
        }
    }
}

extension AdapterJob {
    /// What this process was given to do.
    static func onStandardInput() throws(DomeError) -> AdapterJob {
        let input = try SealedMemory.read(FileDescriptor(owning: 0), limitBytes: WorkerMessage.payloadLimitBytes)
        return try input.withBytes { raw throws(DomeError) in try AdapterJob(raw) }
    }

    /// The plugin that is to do it.
    var manifest: PluginManifest {
        var manifest = PluginManifest(
            id: pluginID, version: pluginVersion, kind: .adapter, directory: AdapterJob.pluginFolder, library: library)
        manifest.identity = FileIdentity(text: identity)
        return manifest
    }

    var secretsByName: [String: [UInt8]] {
        Dictionary(secrets.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}
