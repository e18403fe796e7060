internal import DomeAsync
internal import DomeModel
package import DomePlatform
internal import Glibc

/// Starts domed when there is none: by its systemd user unit where one is installed and the manager answers, else
/// as a detached process of its own.
package struct DaemonLauncher: Sendable {
    private let directories: Directories
    /// The folder where domed lies, beside this program.
    private let executableDirectory: String
    private static let readyTimeoutMilliseconds: UInt64 = 15_000

    package init(directories: Directories, executableDirectory: String) {
        self.directories = directories
        self.executableDirectory = executableDirectory
    }

    private var logPath: String { directories.state + "/domed.log" }

    /// Returns when something accepts connections at the endpoint.
    @Core
    func start(_ endpoint: Endpoint) async throws(ClientError) {
        guard case .unix(let paths) = endpoint, let path = paths.first else {
            throw .unavailable(
                "no daemon answers at \(endpoint), and dome starts none for a TCP address; start domed there, "
                    + "or unset DOMED_ENDPOINT")
        }
        guard paths.contains(directories.socketPath) else {
            throw .unavailable(
                "no daemon answers at \(endpoint), which DOMED_ENDPOINT names; start domed there, or unset it")
        }
        if await startUnit(path) {
            if try await isReady(endpoint, process: nil) { return }
        }
        let process = try spawn()
        guard try await isReady(endpoint, process: process) else {
            throw .unavailable("domed was started but took no connection; see \(logPath)\(logTail())")
        }
    }

    /// Waits until a connection succeeds; false when it takes too long. An early end of `process` throws.
    @Core
    private func isReady(_ endpoint: Endpoint, process: Int32?) async throws(ClientError) -> Bool {
        let deadline = Clock.monotonicNanoseconds() + Int64(Self.readyTimeoutMilliseconds) * 1_000_000
        var pause: UInt64 = 1
        var child = process
        while Clock.monotonicNanoseconds() < deadline {
            // There is nothing to be told by: whoever starts the daemon may be systemd.
            if (try? endpoint.connect()) != nil { return true }
            var status: Int32 = 0
            if let running = child, waitpid(running, &status, WNOHANG) == running {
                // Another dome started one at the same moment, and won the lock: wait for that one's socket.
                if status >> 8 & 0xff == Self.lockHeldExitCode, status & 0x7f == 0 {
                    child = nil
                    continue
                }
                throw .unavailable("domed ended while starting (\(Self.describe(status))); see \(logPath)\(logTail())")
            }
            await Core.sleep(milliseconds: pause)
            pause = min(pause * 2, 50)
        }
        return false
    }

    /// domed's exit status when another daemon has the state folder (EX_TEMPFAIL of sysexits.h).
    private static let lockHeldExitCode: Int32 = 75

    private static func describe(_ status: Int32) -> String {
        status & 0x7f == 0 ? "exit code \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
    }

    private func spawn() throws(ClientError) -> Int32 {
        let program = executableDirectory + "/domed"
        guard access(program, X_OK) == 0 else {
            throw .unavailable("no daemon runs, and \(program) cannot be started; install domed beside dome")
        }
        do throws(DomeError) {
            try Files.makeDirectories(directories.state)
            // Its name says the stage, whatever this program took it from.
            var daemon = Subprocess(program, [program + directories.stage.suffix])
            daemon.isSessionLeader = true
            daemon.workingDirectory = "/"
            let log = try Files.open(logPath, O_WRONLY | O_CREAT | O_APPEND)
            daemon.descriptors = [(log, 2)]
            return try daemon.start()
        } catch {
            throw .unavailable("domed could not be started: \(error.message)")
        }
    }

    /// The last lines of its log, for an error message.
    private func logTail() -> String {
        guard let file = try? Files.open(logPath, O_RDONLY) else { return "" }
        var bytes = [UInt8](repeating: 0, count: 2048)
        let end = lseek(file.number, 0, SEEK_END)
        lseek(file.number, max(0, end - bytes.count), SEEK_SET)
        let count = read(file.number, &bytes, bytes.count)
        guard count > 0 else { return "" }
        let lines = bytes[..<count].split(separator: 0x0a).suffix(3).map { String(decoding: $0, as: UTF8.self) }
        return ":\n  " + lines.joined(separator: "\n  ")
    }
}

// The systemd way.
extension DaemonLauncher {
    /// True if the manager says that it started the socket's unit. Only for the socket that the unit makes: a
    /// daemon with other directories is none of systemd's.
    @Core
    private func startUnit(_ path: String) async -> Bool {
        let runtime = "/run/user/\(geteuid())"
        guard path == runtime + "/dome/\(unit).sock", getenv("DOME_NO_SYSTEMD") == nil else { return false }
        guard Files.exists(runtime + "/systemd/private") || Files.exists(runtime + "/bus"), hasUnit else {
            return false
        }
        for systemctl in ["/usr/bin/systemctl", "/bin/systemctl"] where access(systemctl, X_OK) == 0 {
            let command = Subprocess(
                systemctl, [systemctl, "--user", "--quiet", "start", unit + ".socket", unit + ".service"])
            // It may take seconds, which whoever serves on this thread meanwhile does not have.
            let isStarted = OneShot<Bool>()
            do throws(DomeError) {
                try startThread(named: "systemctl") {
                    let outcome = try? command.capture(limitBytes: 4096, timeoutMilliseconds: 10_000)
                    Core.loop.execute { Core.assumeIsolated { _ = isStarted.set(outcome?.exitCode == 0) } }
                }
            } catch {
                return false
            }
            return await isStarted.wait()
        }
        return false
    }

    private var unit: String { "domed" + directories.stage.suffix }

    private var hasUnit: Bool {
        let own = directories.configHome + "/systemd/user"
        let beside = executableDirectory + "/../lib/systemd/user"
        let folders = [own, beside, "/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"]
        return folders.contains { Files.exists($0 + "/\(unit).socket") }
    }
}
