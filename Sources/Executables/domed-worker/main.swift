// Composition of domed-worker: one process, one plugin, one of three things to do. It serves as an executor's worker,
// which answers domed's requests on a socket until that closes; it carries out one job of an adapter; or it scans: loads
// the plugin only to hear what it declares. One thread of its own and no concurrency runtime: it starts in 2 ms, and
// what a plugin breaks breaks here alone.
import DomeModel
import DomePlatform
import Glibc

private func usage() -> Never {
    let text = Array(
        """
        usage: domed-worker --plugin FOLDER --fd N [--config JSON]
                                            serves an executor on descriptor N
               domed-worker --scan FOLDER   tells on stdout what the plugin declares
               domed-worker --job           carries out the job on stdin, reports on descriptor 3
               domed-worker --health        asks the plugin of the job on stdin how it is, tells on stdout
        Behind them, --identity TEXT: which file the library must be.
        Started by domed and its keepers.

        """.utf8)
    _ = write(2, text, text.count)
    exit(2)
}

/// The plugin gets no input, what it prints goes where the log goes, and it holds no folder of the caller's busy.
func takePlace(_ folder: String) {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0, dup2(null, 0) >= 0, fcntl(2, F_GETFD) >= 0 || dup2(null, 2) >= 0, dup2(2, 1) >= 0 else {
        exit(2)
    }
    if null > 2 { close(null) }
    _ = chdir(folder)
    signal(SIGPIPE, SIG_IGN)
}

/// The value of `option`, which is taken out of `arguments` with it; nil if it is not there.
private func take(_ option: String, _ arguments: inout [String]) -> String? {
    guard let index = arguments.firstIndex(of: option), index + 1 < arguments.count else { return nil }
    defer { arguments.removeSubrange(index...(index + 1)) }
    return arguments[index + 1]
}

private var arguments = Array(CommandLine.arguments.dropFirst())
private let identity = take("--identity", &arguments).flatMap(FileIdentity.init(text:))
private let config = take("--config", &arguments) ?? "{}"
switch (arguments.first, arguments.count) {
case ("--job", 1): JobWork.run()
case ("--health", 1): HealthWork.run()
case ("--scan", 2): exit(Scan.run(arguments[1], identity: identity))
case ("--plugin", 4) where arguments[2] == "--fd":
    guard let socket = Int32(arguments[3]), socket > 2, fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 else { usage() }
    exit(
        ExecutorService.run(arguments[1], FileDescriptor(owning: socket), config: config, identity: identity))
default: usage()
}
