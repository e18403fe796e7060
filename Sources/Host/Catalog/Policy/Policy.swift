package import DomeModel
package import DomePlatform
internal import Glibc

/// What this user allows jobs to have, from `<config>/policy.json`. Immutable; shared between threads.
///
/// The file (all members optional, unknown ones refused; names that begin with `x-` are the author's own):
///
///     {"version": 1,
///      "deny_paths": ["/home/me/private"],
///      "tools": {"shell.run": {"allow": ["net.full", "fs.read:/srv/data"], "deny": ["fs.write:*"],
///                              "enabled": true}}}
///
/// - `allow` permits a tool what is refused otherwise: `net.full`, `unix`, paths that the caller does not own, and
///   writing what runs outside the sandbox (start-up files, folders of programs, dome's own).
///   It never gives a tool what its manifest does not ask for, nor opens a protected path.
/// - `deny` takes away, and wins over `allow`. `enabled: false` refuses the tool altogether.
/// - `deny_paths` are protected like ~/.ssh. The tool name `*` stands for every tool in `deny` and `enabled`.
///
/// Without a file: what a manifest fixes holds; paths are granted that the caller owns and that are not protected;
/// `net.full` and `unix` are refused.
package struct Policy: Sendable {
    /// The rules for one tool.
    struct ToolRules: Sendable {
        var allow: [Permission] = []
        var deny: [Permission] = []
        var isEnabled = true
    }

    var tools: [String: ToolRules] = [:]
    /// SHA-256 of the document (RFC 8785), in hexadecimal; "default" when there is none.
    package internal(set) var digest = "default"
    /// What no job may reach.
    let protected: ProtectedPaths
    /// What no job may write unless `allow` says so.
    let startup: ProtectedPaths
    /// Where it came from, for messages.
    package let path: String
    /// The user whose files may be granted.
    let userID: UInt32

    /// The tools that the file names, `*` aside.
    package var namedTools: [String] { tools.keys.filter { $0 != "*" }.sorted() }

    /// What holds when there is no file.
    package init(
        directories: Directories, homes: [String], userID: UInt32,
        environment: @escaping (String) -> String? = Self.variable
    ) {
        let places = SensitivePaths(
            directories: directories, homes: homes, environment: environment,
            executableDirectory: try? Directories.ofExecutable())
        path = directories.config + "/policy.json"
        protected = places.secrets(extra: [])
        startup = places.startup
        self.userID = userID
    }

    /// A variable of this process's environment.
    package static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Checks a policy document. E_INVALID_REQUEST names the member.
    package init(
        _ document: JSONValue, directories: Directories, homes: [String], userID: UInt32,
        environment: @escaping (String) -> String? = Self.variable
    ) throws(DomeError) {
        path = directories.config + "/policy.json"
        self.userID = userID
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(path): a policy must be a JSON object")
        }
        var reader = MemberReader(object, what: path)
        _ = try reader.optionalText("$schema", limit: 1024)
        _ = try reader.number("version", 1...1)
        let denied = try reader.texts("deny_paths", limit: 4096)
        for path in denied where !path.hasPrefix("/") {
            throw reader.fail("\"deny_paths\" must hold absolute paths, not '\(path)'")
        }
        for path in denied where PathText.climbs(path) {
            throw reader.fail("\"deny_paths\" must not contain '..', as '\(path)' does")
        }
        let places = SensitivePaths(
            directories: directories, homes: homes, environment: environment,
            executableDirectory: try? Directories.ofExecutable())
        protected = places.secrets(extra: denied)
        startup = places.startup
        for (name, value) in (try reader.object("tools") ?? JSONObject()).members {
            tools[name] = try Self.rules(name, value, what: path)
        }
        try reader.finish()
    }

    private static func rules(_ name: String, _ value: JSONValue, what: String) throws(DomeError) -> ToolRules {
        guard name == "*" || ToolManifest.isToolID(name), let object = value.objectValue else {
            throw DomeError(.invalidRequest, "\(what): tools: '\(name.prefix(64))' must be a tool's id with an object")
        }
        var reader = MemberReader(object, what: "\(what): tools: \(name)")
        let allow = try reader.permissions("allow")
        guard name != "*" || allow.isEmpty else {
            throw reader.fail("\"allow\" must name its tool; it cannot stand under *")
        }
        let rules = ToolRules(
            allow: allow, deny: try reader.permissions("deny"), isEnabled: try reader.flag("enabled") ?? true)
        try reader.finish()
        return rules
    }
}
