import DomeLink
import DomeModel
import DomePlatform
import DomePluginHost
import Glibc

/// Loads a plugin only to hear what it declares. Whoever started the scan ends it when it takes too long.
enum Scan {
    static func run(_ directory: String, identity: FileIdentity?) -> Int32 {
        let output = fcntl(1, F_DUPFD_CLOEXEC, 10)
        guard output >= 0 else { return 2 }
        takePlace("/")
        let reports = ReportWriter(FileDescriptor(owning: output))
        CrashReporter.install(
            on: output, head: WorkerReport.crashHead.bytes, sizeOffset: WorkerReport.crashHead.sizeOffset)
        do throws(DomeError) {
            var manifest = try PluginManifest.read(directory: directory)
            manifest.identity = identity
            let plugin = try Plugin(manifest)
            let declaration = try plugin.declaration()
            plugin.unload()
            reports.send(result: Array(declaration.utf8))
            reports.send(.done)
            _exit(0)
        } catch {
            reports.send(.failed(error.message))
            _exit(1)
        }
    }
}
