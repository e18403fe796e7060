import DomeAsync
import DomeModel
import DomePlatform
import Glibc

/// systemd's manager of this user, by `systemctl --user`.
struct ServiceManager {
    let directories: Directories
    private let systemctl: String

    /// What it printed, and how it ended.
    struct Answer {
        var text: String
        var isGood: Bool
    }

    /// The manager, if it can be reached and uses the same runtime folder as this program.
    /// - Throws: with the remedy, else.
    init(_ directories: Directories) throws(CommandFailure) {
        self.directories = directories
        let places: [String] = ["/usr/bin/systemctl", "/bin/systemctl"]
        guard let systemctl = places.first(where: { access($0, X_OK) == 0 }) else {
            throw Self.unavailable("this system has no systemd (no systemctl)")
        }
        self.systemctl = systemctl
        guard let runtime = Self.runtimeFolder else {
            throw Self.unavailable(
                "there is no runtime folder (XDG_RUNTIME_DIR), which a login makes: log in with a session of your own "
                    + "(ssh, a console, 'machinectl shell'; not su or sudo), or run 'sudo loginctl enable-linger "
                    + "\(Self.userName)' and 'export XDG_RUNTIME_DIR=/run/user/\(geteuid())'")
        }
        guard Files.exists(runtime + "/systemd/private") || Files.exists(runtime + "/bus") else {
            throw Self.unavailable(
                "no service manager of yours runs (no \(runtime)/systemd/private, no \(runtime)/bus): log in with a "
                    + "session of your own, or run 'sudo loginctl enable-linger \(Self.userName)'")
        }
        let answer = run("show", "--property=Version", "--value")
        guard answer.isGood else {
            throw Self.unavailable("'systemctl --user' does not answer: \(answer.text.firstLine)")
        }
    }

    private static func unavailable(_ reason: String) -> CommandFailure {
        CommandFailure(
            "\(reason); without a service, dome starts its daemon by itself when it is needed",
            status: ExitStatus.unavailable)
    }

    /// Absolute and there, else that of systemd's habit.
    private static var runtimeFolder: String? {
        if let path = getenv("XDG_RUNTIME_DIR").map({ String(cString: $0) }), path.hasPrefix("/") {
            return Files.isDirectory(path) ? path : nil
        }
        let usual = "/run/user/\(geteuid())"
        return Files.isDirectory(usual) ? usual : nil
    }

    static var userName: String {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "\(geteuid())" }
        return String(cString: name)
    }

    /// Asks or tells it something; standard error goes with the rest.
    func run(_ arguments: String...) -> Answer { run(arguments) }

    func run(_ arguments: [String]) -> Answer {
        // systemctl's own words are the best there are, and they are on standard error.
        let script = "exec \"$0\" --user \"$@\" 2>&1"
        var environment = environmentOfThisProgram()
        if getenv("XDG_RUNTIME_DIR") == nil, let runtime = Self.runtimeFolder {
            environment.append("XDG_RUNTIME_DIR=" + runtime)
        }
        var command = Subprocess("/bin/sh", ["sh", "-c", script, systemctl] + arguments)
        command.environment = environment
        guard let outcome = try? command.capture(limitBytes: 1 << 20, timeoutMilliseconds: 60_000) else {
            return Answer(text: "\(systemctl) could not be started", isGood: false)
        }
        return Answer(text: String(decoding: outcome.output, as: UTF8.self), isGood: outcome.exitCode == 0)
    }

    /// The same for what must succeed.
    @discardableResult
    func order(_ arguments: String...) throws(CommandFailure) -> String {
        let answer = run(arguments)
        guard answer.isGood else {
            let what = arguments.joined(separator: " ")
            throw CommandFailure(
                "'systemctl --user \(what)' failed: \(answer.text.firstLine); see 'dome service logs'",
                status: ExitStatus.failure)
        }
        return answer.text
    }

    /// Of a unit; empty where it has none.
    func properties(_ unit: String, _ names: [String]) -> [String: String] {
        let text = run(["show", "--property=" + names.joined(separator: ","), unit]).text
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            found[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return found
    }

    // The names of this stage's units.

    private var name: String { "domed" + directories.stage.suffix }
    var socket: String { name + ".socket" }
    var service: String { name + ".service" }
    var keeperTemplate: String { name + "-keeper@.service" }
    var keeperPattern: String { name + "-keeper@*" }

    /// The keepers' units that have not ended.
    var keepers: [String] {
        let text = run(
            "list-units", "--plain", "--no-legend", "--full", "--state=active,activating,deactivating", keeperPattern
        ).text
        return text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
            .filter { $0.hasPrefix(name + "-keeper@") }
    }

    /// Whether the manager, and with it every job of the service, outlives the user's last session.
    static var isLingering: Bool { Files.exists("/var/lib/systemd/linger/" + userName) }

    static let lingerAdvice =
        "it ends with your last session, and its jobs with it; to keep it: sudo loginctl enable-linger \(userName)"
}

extension String {
    /// Without the line break; "no reason given" for nothing at all.
    var firstLine: String { split(separator: "\n").first.map(String.init) ?? "no reason given" }
}

/// NAME=VALUE, each.
func environmentOfThisProgram() -> [String] {
    var variables: [String] = []
    var pointer = environ
    while let entry = pointer.pointee {
        variables.append(String(cString: entry))
        pointer += 1
    }
    return variables
}
