import DomeAsync
import DomeCatalog
import DomeClient
import DomeModel
import DomePlatform
import Glibc

extension Verb {
    /// `dome support-bundle`
    static let supportBundle = Verb(
        words: ["support-bundle"], summary: "collect what a bug report needs, without secrets",
        details: [
            "Writes a tar archive with versions, what 'dome doctor' finds, the daemon's status, its settings, its "
                + "plugins, the end of its log, and the last jobs by tool, state and time. No task, no output, no "
                + "environment, no key and no policy is in it; names of the user, the home folder and the machine are "
                + "replaced. Have a look at it before you send it: it is plain text."
        ],
        options: [
            OptionSpec(
                "--to", short: "-O", value: "FILE", help: "where to (default dome-support.tar here)", completion: .files
            )
        ],
        examples: ["dome support-bundle", "dome support-bundle -O /tmp/dome.tar && tar tf /tmp/dome.tar"]
    ) { invocation async throws(CommandFailure) in
        let path = invocation.value("--to") ?? "dome-support.tar"
        guard !Files.exists(path) else {
            throw CommandFailure(
                "\(path) is there already: move it away, or choose another with --to",
                status: ExitStatus.dataError)
        }
        let parts = try await collect(invocation)
        let redaction = Redaction()
        var archive = TarWriter()
        let now = Clock.wallNanoseconds() / 1_000_000_000
        for (name, text) in parts {
            archive.add("dome-support/" + name, Array(redaction.applied(to: text).utf8), modifiedSeconds: now)
        }
        archive.finish()
        try local { () throws(DomeError) in try Files.writeAtomically(path, archive.bytes) }
        try invocation.print(
            json: ["path": .string(path), "files": .array(parts.map { .string($0.name) })],
            text: "\(path): " + parts.map(\.name).joined(separator: ", ")
                + "\nit is plain text: read it before you send it\n")
        return ExitStatus.success
    }

    @Core
    private static func collect(
        _ invocation: Invocation
    ) async throws(CommandFailure) -> [(name: String, text: String)] {
        let directories = try local { () throws(DomeError) in try Directories() }
        var parts: [(name: String, text: String)] = [("versions.txt", versions(directories))]
        var examination = Examination()
        examination.examineHost()
        examination.examineInstallation()
        examination.examineSettings()
        examination.examineDaemonsOwn()
        await examination.examineDaemon(invocation.withoutStart)
        parts.append(("doctor.json", examination.json.indented))
        let client = try invocation.withoutStart.client()
        if let status = try? await client.status() { parts.append(("status.json", status.json.indented)) }
        parts.append(("settings.json", settings(directories)))
        parts.append(("domed.log", tail(directories.state + "/domed.log")))
        if let manager = try? ServiceManager(directories) {
            parts.append(
                ("units.txt", manager.run("status", "--no-pager", "--lines=0", manager.socket, manager.service).text))
            var journal = Subprocess(
                "/usr/bin/journalctl",
                ["journalctl", "--user", "--no-pager", "--lines=500", "--unit=" + manager.service])
            journal.environment = environmentOfThisProgram()
            if let outcome = try? journal.capture(limitBytes: 1 << 20, timeoutMilliseconds: 10_000) {
                parts.append(("journal.txt", String(decoding: outcome.output, as: UTF8.self)))
            }
        }
        return parts
    }

    private static func versions(_ directories: Directories) -> String {
        var system = utsname()
        uname(&system)
        func text<Value>(_ value: Value) -> String {
            withUnsafeBytes(of: value) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let release = (try? Files.read("/etc/os-release", limitBytes: 64 << 10)).map {
            String(decoding: $0, as: UTF8.self)
        }
        return "dome \(DomeVersion.text), stage \(directories.stage.rawValue)\nkernel \(text(system.release)) "
            + "\(text(system.machine))\nstate \(directories.state)\nruntime \(directories.runtime)\n\n"
            + (release ?? "")
    }

    private static func settings(_ directories: Directories) -> String {
        guard let configuration = try? Configuration(path: directories.config + "/config.json") else {
            return "config.json is refused; see doctor.json\n"
        }
        var object = JSONObject()
        for setting in Setting.all { object[setting.key] = setting.read(configuration) }
        return JSONValue.object(object).indented
    }

    /// The last 256 KiB.
    private static func tail(_ path: String) -> String {
        guard let file = try? Files.open(path, O_RDONLY) else { return "there is no \(path)\n" }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let end = lseek(file.number, 0, SEEK_END)
        lseek(file.number, max(0, end - bytes.count), SEEK_SET)
        let count = read(file.number, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }
}
