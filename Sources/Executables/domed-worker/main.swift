// Composition of domed-worker: one process, one plugin. It loads the plugin of a folder, says hello on the socket it
// was given, and answers requests until the socket closes. One thread of its own and no concurrency runtime: it starts
// in 2 ms, and what a plugin breaks breaks here alone.
import DomeLink
import DomeModel
import DomePlatform
import DomePluginHost
import Glibc

/// A call that lasts longer ends the worker by SIGALRM, even when domed is gone and nobody is left to end it.
private let callLimitSeconds: UInt32 = 60

private func usage() -> Never {
    let text = Array("usage: domed-worker --plugin FOLDER --fd N (started by domed, which holds N's other end)\n".utf8)
    _ = write(2, text, text.count)
    exit(2)
}

private func parseArguments() -> (directory: String, socket: Int32) {
    var (directory, socket): (String?, Int32?) = (nil, nil)
    var rest = CommandLine.arguments.dropFirst()
    while let option = rest.popFirst(), let value = rest.popFirst() {
        switch option {
        case "--plugin": directory = value
        case "--fd": socket = Int32(value)
        default: usage()
        }
    }
    guard rest.isEmpty, let directory, let socket, socket > 2, fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 else { usage() }
    return (directory, socket)
}

/// The plugin gets no input, what it prints goes where the log goes, and it holds no folder of the caller's busy.
private func takePlace() {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0, dup2(null, 0) >= 0, fcntl(2, F_GETFD) >= 0 || dup2(null, 2) >= 0, dup2(2, 1) >= 0 else {
        exit(2)
    }
    if null > 2 { close(null) }
    _ = chdir("/")
}

private func answer(_ message: WorkerMessage, by executor: Executor) -> WorkerMessage {
    guard case .prepare(let request, let job) = message else {
        return .failed(request: message.request, code: .internal, message: "a worker takes only prepare and cancel")
    }
    alarm(callLimitSeconds)
    defer { alarm(0) }
    do throws(DomeError) {
        return .plan(request: request, document: try executor.prepare(job))
    } catch {
        return .failed(request: request, code: error.code, message: error.message)
    }
}

private func serve(_ directory: String, _ requests: Requests) throws(DomeError) {
    alarm(callLimitSeconds)
    let manifest = try PluginManifest.read(directory: directory)
    let plugin = try Plugin(manifest, isCanceled: { requests.isCanceled })
    let executor = try Executor(plugin)
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

private func run() -> Int32 {
    let (directory, socket) = parseArguments()
    takePlace()
    signal(SIGPIPE, SIG_IGN)
    let requests = Requests(WorkerLink(FileDescriptor(owning: socket)))
    do throws(DomeError) {
        try serve(directory, requests)
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

exit(run())
