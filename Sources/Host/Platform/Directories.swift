package import DomeModel
internal import Glibc

/// Where dome keeps things, by the XDG base-directory rules, `dome` being `dome-dev` and so on for other stages than
/// prod. Computed once at start; nothing is created here.
package struct Directories: Sendable, Equatable {
    /// Database, journals, locks, keys: `${XDG_STATE_HOME:-~/.local/state}/dome`.
    package var state: String
    /// Sockets: `$XDG_RUNTIME_DIR/dome`, else `/run/user/<uid>/dome` if that exists, else `<state>/run`.
    package var runtime: String
    /// `${XDG_CONFIG_HOME:-~/.config}/dome`
    package var config: String
    /// `${XDG_DATA_HOME:-~/.local/share}/dome`
    package var data: String

    /// Whose folders these are.
    package let stage: Stage
    /// `${XDG_CONFIG_HOME:-~/.config}`
    package let configHome: String
    /// The four folders of every stage: a job may no more touch another stage's than its own.
    package let ofAllStages: [String]

    package var socketPath: String { runtime + "/domed\(stage.suffix).sock" }
    package var auditAnchorPath: String { state + "/audit-anchor" }
    package var databasePath: String { state + "/domed.sqlite" }
    package var jobsPath: String { state + "/jobs" }
    package var contentPath: String { state + "/content" }

    /// The folders for this user. `environment` looks a variable up; an empty or relative value counts as unset,
    /// as the XDG specification says.
    package init(stage: Stage = .prod, environment: (String) -> String?) throws(DomeError) {
        self.stage = stage
        func absolute(_ name: String) -> String? {
            guard let value = environment(name), value.hasPrefix("/") else { return nil }
            return value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
        }
        guard let home = absolute("HOME") ?? Self.passwordFileHome() else {
            throw DomeError(.invalidRequest, "no home directory: set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME")
        }
        let stateHome = absolute("XDG_STATE_HOME") ?? home + "/.local/state"
        let dataHome = absolute("XDG_DATA_HOME") ?? home + "/.local/share"
        configHome = absolute("XDG_CONFIG_HOME") ?? home + "/.config"
        let name = "/dome" + stage.suffix
        state = stateHome + name
        config = configHome + name
        data = dataHome + name
        if let runtime = absolute("XDG_RUNTIME_DIR"), Files.isDirectory(runtime) {
            self.runtime = runtime + "/dome"
        } else if Files.isDirectory("/run/user/\(getuid())") {
            runtime = "/run/user/\(getuid())/dome"
        } else {
            runtime = state + "/run"
        }
        ofAllStages =
            [runtime]
            + [stateHome, configHome, dataHome].flatMap { base in Stage.allCases.map { base + "/dome" + $0.suffix } }
    }

    /// The folders of this program's user and stage.
    package init() throws(DomeError) {
        let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
        let stage = try Stage.resolve(
            programName: CommandLine.arguments.first ?? "", executableDirectory: try? Self.ofExecutable(),
            environment: environment)
        try self.init(stage: stage, environment: environment)
    }

    private static func passwordFileHome() -> String? {
        guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return nil }
        let path = String(cString: home)
        return path.hasPrefix("/") ? path : nil
    }

    /// The folder of the running executable, e.g. `/usr/local/bin`.
    package static func ofExecutable() throws(DomeError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw .system("read /proc/self/exe", errno) }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let slash = path.lastIndex(of: "/") else { return "/" }
        return String(path[..<slash])
    }
}
