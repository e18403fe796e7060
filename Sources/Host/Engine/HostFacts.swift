internal import DomeCrypto
package import DomeModel
internal import DomePlatform
internal import Glibc

/// The machine a job ran on. Taken once per daemon start, off the core's thread.
package struct HostFacts: Sendable, Equatable {
    package var python: String
    /// `env_fingerprint`: an object with at least "python" and "platform".
    package var fingerprint: JSONValue
    /// Of the fingerprint (RFC 8785), in hexadecimal.
    package var sha256: String

    package init(python: String, fingerprint: JSONValue) {
        self.python = python
        self.fingerprint = fingerprint
        sha256 = (try? SHA256.digest(fingerprint.canonical).hex) ?? "unknown"
    }

    /// Reads kernel, distribution, C library and python's version. May start `python3 --version`.
    package static func read() -> HostFacts {
        var name = utsname()
        uname(&name)
        let system = text(&name.sysname)
        let release = text(&name.release)
        let machine = text(&name.machine)
        let distribution = distributionName()
        let python = pythonVersion()
        let fingerprint: JSONValue = [
            "python": .string(python),
            "platform": .string("\(system)-\(release)-\(machine)-\(distribution)"),
            "kernel": .string("\(system) \(release)"),
            "architecture": .string(machine),
            "os": .string(distribution),
            "libc": .string(libraryVersion()),
            "locale": .string(getenv("LC_ALL").map { String(cString: $0) } ?? "C.UTF-8"),
            "cpu": .string(cpuModel()),
            "variables": .object(variables()),
        ]
        return HostFacts(python: python, fingerprint: fingerprint)
    }

    /// The daemon's own, which jobs may get parts of. Their values may be secrets, so only digests of them.
    private static func variables() -> JSONObject {
        var found = JSONObject()
        for name in ["PATH", "LANG", "LC_ALL", "TZ", "HOME", "XDG_STATE_HOME", "DOME_REGISTRY_PATH"] {
            guard let value = getenv(name) else { continue }
            found[name] = .string((try? SHA256.digest(String(cString: value)).hex) ?? "unknown")
        }
        return found
    }

    private static func cpuModel() -> String {
        guard let bytes = try? Files.read("/proc/cpuinfo", limitBytes: 4 << 20) else { return "unknown" }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("model name") {
            return String(line.drop { $0 != ":" }.dropFirst().drop { $0 == " " })
        }
        return "unknown"
    }

    private static func text<Field>(_ field: inout Field) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func libraryVersion() -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = confstr(2, &buffer, buffer.count)  // _CS_GNU_LIBC_VERSION
        guard count > 1, count <= buffer.count else { return "unknown" }
        return String(decoding: buffer[..<(count - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func distributionName() -> String {
        var id = "unknown"
        var version = ""
        guard let bytes = try? Files.read("/etc/os-release", limitBytes: 64 << 10) else { return id }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let value = line.drop { $0 != "=" }.dropFirst().filter { $0 != "\"" }
            if line.hasPrefix("ID=") { id = String(value) }
            if line.hasPrefix("VERSION_ID=") { version = String(value) }
        }
        return version.isEmpty ? id : "\(id)-\(version)"
    }

    private static func pythonVersion() -> String {
        for path in ["/usr/bin/python3", "/usr/local/bin/python3"] where access(path, X_OK) == 0 {
            var program = Subprocess(path, ["python3", "-I", "--version"])
            program.environment = ["PATH=/usr/bin:/bin"]
            guard let outcome = try? program.capture(limitBytes: 4096, timeoutMilliseconds: 3000) else { continue }
            let words = String(decoding: outcome.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            if outcome.exitCode == 0, words.count == 2, words[0] == "Python" { return String(words[1]) }
        }
        return "unknown"
    }
}
