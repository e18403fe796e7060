// Composition of domed: reads the command line, takes the state folder's lock, puts the parts together (Daemon) and
// serves until a signal. Everything else is in the rooms.
import DomeAsync
import DomeEngine
import DomeModel
import DomePlatform
import Glibc

private func fail(_ error: DomeError) -> Never {
    let text = Array("domed: \(error.message)\n".utf8)
    _ = write(2, text, text.count)
    // As sysexits.h has them; 75 tells a `dome` that started us that another daemon is there or coming.
    switch error.code {
    case .invalidRequest: exit(64)
    case .lockConflict: exit(75)
    default: exit(1)
    }
}

/// The lock, from a daemon that lives if need be: one that systemd activated takes over, so that the socket's
/// clients reach the daemon that systemd knows.
private func takeLock(_ directories: Directories) throws(DomeError) -> InstanceLock {
    let path = directories.state + "/domed.lock"
    let deadline = Clock.monotonicNanoseconds() + 10_000_000_000
    var isAsked = false
    while true {
        switch try InstanceLock.take(path: path) {
        case .taken(let lock): return lock
        case .heldBy(let holder):
            // A dead daemon's lock can outlive it by a moment: a program that it was just starting shares its files
            // until exec.
            let isGone = holder.map { ProcessHandle.startTicks(of: $0) == nil } ?? true
            if isGone, Clock.monotonicNanoseconds() < deadline - 8_000_000_000 {
                usleep(5_000)
                continue
            }
            guard getenv("LISTEN_FDS") != nil, let holder, holder > 1, Clock.monotonicNanoseconds() < deadline else {
                let who = holder.map { " (process \($0))" } ?? ""
                throw DomeError(
                    .lockConflict,
                    "another daemon\(who) serves \(directories.state); stop it, or choose another --state-dir")
            }
            // Verified by the lock itself: only a process that could open our state folder can hold it.
            if !isAsked { kill(holder, SIGTERM) }
            isAsked = true
            usleep(20_000)
        }
    }
}

private func serve(_ options: Options) throws(DomeError) {
    if let level = options.logLevel { Log.setLevel(level) }
    Log.setFormat(named: options.logFormat ?? "auto")
    umask(0o077)
    ProcessSetup.prepare()
    Core.adoptCurrentThread()
    var directories = try Directories()
    if let state = options.stateDirectory { directories.state = state }
    try Files.makeDirectories(directories.state)
    let lock = try takeLock(directories)
    // Before the first thread, so that all of them inherit the mask.
    let daemonBox = DaemonBox()
    // A terminal that goes away is no wish for new settings.
    let isOnTerminal = isatty(0) == 1
    let signals = try SignalSource([SIGTERM, SIGINT, SIGHUP], on: Core.loop) { number in
        Core.assumeIsolated {
            if number == SIGHUP, !isOnTerminal { daemonBox.daemon?.reload() } else { daemonBox.daemon?.leave() }
        }
    }
    defer { signals.cancel() }
    let daemon = try Core.assumeIsolated { Result { () throws(DomeError) in try Daemon(options, directories, lock) } }
        .get()
    Core.assumeIsolated {
        daemonBox.daemon = daemon
        Core.task {
            do throws(DomeError) { try await daemon.start() } catch { fail(error) }
        }
    }
    Core.run()
}

/// Looks at what a daemon needs, and changes nothing.
private func check(_ options: Options) throws(DomeError) {
    Log.setLevel(.error)
    Core.adoptCurrentThread()
    var directories = try Directories()
    if let state = options.stateDirectory { directories.state = state }
    let programs = try Directories.ofExecutable()
    let places = PluginPlaces(directories, programs: programs)
    let plugins = try places.registry(keepsScans: false)
    Core.assumeIsolated { [directories] in
        let check = SelfCheck(directories, plugins: plugins, makeWorker: places.worker)
        Core.task {
            print(await check.run().indented, terminator: "")
            Core.loop.stop()
        }
    }
    Core.run()
}

/// The daemon, once there is one, for the signal handler.
@Core
private final class DaemonBox {
    var daemon: Daemon?
    nonisolated init() {}
}

do throws(DomeError) {
    switch try Options.parse(Array(CommandLine.arguments.dropFirst())) {
    case .printUsage: print(Options.usage, terminator: "")
    case .printVersion: print("domed \(Daemon.version)")
    case .check(let options): try check(options)
    case .serve(let options): try serve(options)
    }
} catch {
    fail(error)
}
