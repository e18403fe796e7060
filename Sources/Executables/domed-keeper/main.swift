// Composition of domed-keeper. The room CJail is linked in because the inner servers are this same binary: its
// constructor catches them before anything below runs.
import CJail
import DomeKeeper
import DomeModel
import DomePlatform
import Glibc

/// The command line's, or those that domed wrote into a file for the service manager's instance.
func arguments() throws(DomeError) -> [String] {
    let given = Array(CommandLine.arguments.dropFirst())
    guard given.first == "--arguments", given.count == 2 else { return given }
    return KeeperConfiguration.arguments(fromFile: try Files.read(given[1], limitBytes: 64 << 10))
}

/// Serves until the keeper has nothing left to hold.
func serve() throws(DomeError) {
    let configuration = try KeeperConfiguration(arguments: arguments())
    ProcessSetup.prepare()
    Log.setFormat(named: "auto")
    let loop = try EventLoop()
    let keeper = try Keeper(configuration, on: loop)
    // Nothing that happens to domed's terminal or session ends it; SIGTERM asks it to leave when it is empty.
    let signals = try SignalSource([SIGHUP, SIGINT, SIGQUIT, SIGTERM], on: loop) { number in
        if number == SIGTERM { keeper.retire() }
    }
    try keeper.start()
    Systemd.notify("READY=1")
    withExtendedLifetime(signals) { loop.run() }
}

if CommandLine.arguments.dropFirst().first == "--help" {
    print(KeeperConfiguration.usage, terminator: "")
    exit(0)
}
if CommandLine.arguments.dropFirst().first == "--confine" {
    Confinement.run(hasChannel: CommandLine.arguments.dropFirst(2) == ["--channel"])
}
do throws(DomeError) {
    try serve()
} catch {
    Log.error("keeper.failed", ["error": error.description])
    exit(error.code == .invalidRequest ? 2 : 1)
}
