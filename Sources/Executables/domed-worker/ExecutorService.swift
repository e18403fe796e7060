import DomeLink
import DomeModel
import DomePlatform
import DomePluginHost
import Glibc

/// An executor's worker: says hello, then answers requests until domed hangs up.
enum ExecutorService {
    /// A call that lasts longer ends the worker by SIGALRM, even when domed is gone and nobody is left to end it.
    private static let callLimitSeconds: UInt32 = 60

    static func run(
        _ directory: String, _ socket: FileDescriptor, config: String, identity: FileIdentity?
    ) -> Int32 {
        takePlace("/")
        CrashReporter.install(on: socket.number, head: WorkerMessage.crashHead, sizeOffset: nil)
        let requests = Requests(WorkerLink(socket))
        do throws(DomeError) {
            try serve(directory, requests, config, identity)
            return 0
        } catch {
            Log.error("worker.ends", ["plugin_folder": directory, "error": error.description])
            do throws(DomeError) {
                try requests.answer(.failed(request: 0, code: error.code, message: error.message))
            } catch {
                // domed is gone too: the log line above has to do.
            }
            return 1
        }
    }

    private static func serve(
        _ directory: String, _ requests: Requests, _ config: String, _ identity: FileIdentity?
    ) throws(DomeError) {
        alarm(callLimitSeconds)
        var manifest = try PluginManifest.read(directory: directory)
        manifest.identity = identity
        let plugin = try Plugin(manifest, isCanceled: { requests.isCanceled })
        let executor = try Executor(plugin, config: config)
        alarm(0)
        try requests.answer(
            .hello(
                WorkerMessage.Hello(
                    abiMajor: Plugin.abiMajor, abiMinor: Plugin.abiMinor, pluginID: manifest.id,
                    pluginVersion: manifest.version)))
        while let message = requests.next() { try requests.answer(answer(message, by: executor)) }
        executor.close()
        plugin.unload()
    }

    private static func answer(_ message: WorkerMessage, by executor: Executor) -> WorkerMessage {
        alarm(callLimitSeconds)
        defer { alarm(0) }
        do throws(DomeError) {
            switch message {
            case .prepare(let request, let job):
                switch try executor.preparation(job) {
                case .plan(let document): return .plan(request: request, document: document)
                case .elsewhere: return .elsewhere(request: request)
                }
            case .drive(let request, let call):
                return .driven(request: request, document: try answer(call, by: executor))
            default: throw DomeError(.internal, "a worker takes only prepare, drive and cancel")
            }
        } catch {
            return .failed(request: message.request, code: error.code, message: error.message)
        }
    }

    private static func answer(_ call: DriveCall, by executor: Executor) throws(DomeError) -> [UInt8] {
        switch call {
        case .start(let job): return try executor.start(job)
        case .poll(let handle, let cursor): return try executor.poll(handle, cursor: cursor)
        case .cancel(let handle, let force): try executor.cancel(handle, force: force)
        case .recover(let handle): try executor.recover(handle)
        case .listArtifacts(let handle): return try executor.listArtifacts(handle)
        case .readArtifact(let handle, let name, let offset, let size):
            return try executor.readArtifact(handle, name, offset: offset, size: Int(size))
        }
        return []
    }
}
