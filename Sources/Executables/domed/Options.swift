import DomeModel
import DomePlatform

/// domed's command line.
struct Options {
    var stateDirectory: String?
    var socketPath: String?
    /// nil: as the settings say.
    var logLevel: Log.Level?
    var logFormat: String?
    /// nil: no TCP at all.
    var tcpAddress: String?
    var tcpTokenFile: String?
    var isTCPOpenToAll = false

    static let usage = """
        usage: domed [OPTION]…
        dome's daemon: admits jobs, follows them, remembers them. `dome` starts it by itself.

          --state-dir DIR    state folder (default $XDG_STATE_HOME/dome or ~/.local/state/dome; dome-dev and so on for
                             another stage than prod)
          --socket PATH      socket to serve (default $XDG_RUNTIME_DIR/dome/domed.sock; domed-dev.sock and so on)
          --tcp HOST:PORT    serves loopback TCP too (127.0.0.1 or [::1] only; off by default)
          --tcp-token-file F file with the token that TCP clients send (default <state>/tcp-token, made if missing)
          --tcp-no-auth      asks TCP clients for no token: every local user may then run jobs as you
          --log-level LEVEL  debug, info, warning or error, whatever the settings say (default info)
          --log-format FORM  auto, text, json or journal, whatever the settings say (default auto: fields to systemd's
                             journal where standard error leads there, else lines of text on standard error)
          --check            checks database, settings and plugins, prints what it finds as JSON, and leaves
          --version          prints the version
          --help             prints this

        Environment: DOME_PLUGIN_PATH, DOME_REGISTRY_PATH (colon-separated folders), DOME_CGROUP (own, none or a folder:
        where each job gets a control group), DOME_KEEPER_UNIT (template unit of the keepers), DOME_STAGE (dev, staging
        or prod; otherwise dev for what runs from a build folder, else prod), XDG_*.
        Signals: SIGTERM and SIGINT drain and leave; running jobs go on without the daemon. SIGHUP reads the settings
        again; on a terminal, whose end it tells, it is as SIGTERM.

        """

    /// What the arguments ask for.
    enum Request {
        case serve(Options)
        /// For `dome doctor`.
        case check(Options)
        case printVersion
        case printUsage
    }

    static func parse(_ arguments: [String]) throws(DomeError) -> Request {
        var options = Options()
        var isCheck = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .printUsage
            case "--version": return .printVersion
            case "--check": isCheck = true
            case "--state-dir": options.stateDirectory = try absolute(argument, rest.popFirst())
            case "--socket": options.socketPath = try absolute(argument, rest.popFirst())
            case "--tcp": options.tcpAddress = try value(argument, rest.popFirst())
            case "--tcp-token-file": options.tcpTokenFile = try absolute(argument, rest.popFirst())
            case "--tcp-no-auth": options.isTCPOpenToAll = true
            case "--log-level": options.logLevel = try level(rest.popFirst())
            case "--log-format": options.logFormat = try format(rest.popFirst())
            default:
                throw DomeError(.invalidRequest, "unknown argument '\(argument.prefix(128))'; see domed --help")
            }
        }
        guard options.tcpAddress != nil || (options.tcpTokenFile == nil && !options.isTCPOpenToAll) else {
            throw DomeError(.invalidRequest, "--tcp-token-file and --tcp-no-auth need --tcp HOST:PORT")
        }
        return isCheck ? .check(options) : .serve(options)
    }

    private static func value(_ option: String, _ value: String?) throws(DomeError) -> String {
        guard let value, !value.isEmpty else { throw DomeError(.invalidRequest, "\(option) needs a value") }
        return value
    }

    private static func absolute(_ option: String, _ value: String?) throws(DomeError) -> String {
        guard let value, value.hasPrefix("/") else {
            throw DomeError(.invalidRequest, "\(option) needs an absolute path")
        }
        return value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
    }

    private static func level(_ value: String?) throws(DomeError) -> Log.Level {
        guard let level = value.flatMap({ Log.Level(name: $0) }) else {
            throw DomeError(.invalidRequest, "--log-level needs debug, info, warning or error")
        }
        return level
    }

    private static func format(_ value: String?) throws(DomeError) -> String {
        guard let value, ["auto", "text", "json", "journal"].contains(value) else {
            throw DomeError(.invalidRequest, "--log-format needs auto, text, json or journal")
        }
        return value
    }
}
