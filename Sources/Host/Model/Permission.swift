/// One thing a manifest asks for, or a caller grants. Text form as in manifests and `--grant`.
package enum Permission: Sendable, Hashable, CustomStringConvertible {
    /// `fs.read:PATH`; nil for `*`: the caller names it by grant.
    case readPath(String?)
    /// `fs.write:PATH`
    case writePath(String?)
    case networkLoopback
    case networkFull
    /// Unix sockets.
    case unixSockets
    /// `env:NAME`: this variable of the daemon's environment is passed on.
    case environment(String)
    /// `process`: may start processes; informative, shown to callers.
    case process

    /// Parses the text form.
    package init(parsing text: String) throws(DomeError) {
        let forms = "fs.read:PATH, fs.write:PATH, net.loopback, net.full, unix, env:NAME, process"
        func path(_ text: Substring) throws(DomeError) -> String? {
            if text == "*" { return nil }
            guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0) else {
                throw DomeError(.invalidRequest, "permission path '\(text.prefix(256))' must be absolute, or *")
            }
            guard !PathText.climbs(String(text)) else {
                throw DomeError(.invalidRequest, "permission path '\(text.prefix(256))' must not contain '..'")
            }
            return String(text)
        }
        if text.hasPrefix("fs.read:") {
            self = .readPath(try path(text.dropFirst(8)))
        } else if text.hasPrefix("fs.write:") {
            self = .writePath(try path(text.dropFirst(9)))
        } else if text.hasPrefix("env:") {
            let name = text.dropFirst(4)
            guard Self.isEnvironmentName(name) else {
                throw DomeError(.invalidRequest, "'\(text.prefix(256))' does not name an environment variable")
            }
            self = .environment(String(name))
        } else {
            switch text {
            case "net.loopback": self = .networkLoopback
            case "net.full": self = .networkFull
            case "unix": self = .unixSockets
            case "process": self = .process
            default:
                throw DomeError(.invalidRequest, "unknown permission '\(text.prefix(256))'; known are \(forms)")
            }
        }
    }

    private static func isEnvironmentName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte)
        }
    }

    package var description: String {
        switch self {
        case .readPath(let path): "fs.read:" + (path ?? "*")
        case .writePath(let path): "fs.write:" + (path ?? "*")
        case .networkLoopback: "net.loopback"
        case .networkFull: "net.full"
        case .unixSockets: "unix"
        case .environment(let name): "env:" + name
        case .process: "process"
        }
    }
}
