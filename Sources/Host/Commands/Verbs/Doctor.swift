import DomeAsync
import DomeCatalog
import DomeClient
import DomeModel
import DomePlatform
import Glibc

extension Verb {
    /// `dome doctor`
    static let doctor = Verb(
        words: ["doctor"], summary: "check that everything dome needs is there and in order",
        details: ["Exits with 1 if a check failed. Starts no daemon."],
        examples: ["dome doctor", "dome doctor -o json"]
    ) { invocation async throws(CommandFailure) in
        var examination = Examination()
        examination.examineHost()
        examination.examineInstallation()
        examination.examineSettings()
        var quiet = invocation
        quiet.options["--no-start"] = [""]
        await examination.examineDaemon(quiet)
        try invocation.print(json: examination.json, text: examination.text(invocation.style))
        return examination.hasFailed ? ExitStatus.failure : ExitStatus.success
    }
}

/// What `dome doctor` finds.
private struct Examination {
    enum Verdict: String {
        case good = "ok"
        case remark = "note"
        case failed = "FAILED"
    }

    private var findings: [(verdict: Verdict, name: String, detail: String)] = []

    var hasFailed: Bool { findings.contains { $0.verdict == .failed } }

    private mutating func note(_ verdict: Verdict, _ name: String, _ detail: String) {
        findings.append((verdict, name, detail))
    }

    var json: JSONValue {
        .array(
            findings.map { finding in
                [
                    "check": .string(finding.name), "verdict": .string(finding.verdict.rawValue.lowercased()),
                    "detail": .string(finding.detail),
                ]
            })
    }

    func text(_ style: Style) -> String {
        let width = findings.map(\.name.count).max() ?? 0
        return findings.map { finding in
            let mark = finding.verdict.rawValue.padded(to: 6)
            let coloured =
                switch finding.verdict {
                case .good: style.green(mark)
                case .remark: style.yellow(mark)
                case .failed: style.red(mark)
                }
            return "\(coloured)  \(finding.name.padded(to: width))  \(Rendered.line(finding.detail))\n"
        }.joined()
    }

    // MARK: The machine

    mutating func examineHost() {
        var system = utsname()
        uname(&system)
        let release = withUnsafeBytes(of: &system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        let isNewEnough = !numbers.lexicographicallyPrecedes([6, 1])
        note(
            isNewEnough ? .good : .failed, "kernel",
            release + (isNewEnough ? "" : ": the sandbox needs Linux 6.1 or later"))
        let limit = Self.setting("/proc/sys/user/max_user_namespaces").flatMap { Int($0) }
        let clone = Self.setting("/proc/sys/kernel/unprivileged_userns_clone")
        let restricted = Self.setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
        if limit == 0 || clone == "0" {
            note(
                .failed, "user namespaces",
                "switched off: set user.max_user_namespaces and kernel.unprivileged_userns_clone")
        } else if restricted == "1", geteuid() != 0 {
            note(.remark, "user namespaces", "restricted by AppArmor; a profile for domed-keeper is needed")
        } else {
            note(.good, "user namespaces", limit.map { "up to \($0)" } ?? "no limit")
        }
        let modules = Self.setting("/sys/kernel/security/lsm") ?? ""
        if modules.isEmpty {
            note(.remark, "landlock", "cannot tell: /sys/kernel/security is not readable")
        } else {
            let isThere = modules.contains("landlock")
            note(
                isThere ? .good : .failed, "landlock",
                isThere ? "built in and on" : "not among the kernel's modules (\(modules))")
        }
    }

    private static func setting(_ path: String) -> String? {
        guard let bytes = try? Files.read(path, limitBytes: 4096) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.prefix { $0 != "\n" })
    }

    // MARK: What is installed

    mutating func examineInstallation() {
        guard let programs = try? Directories.ofExecutable() else {
            return note(.failed, "programs", "cannot tell where this program lies: is /proc mounted?")
        }
        let missing = ["domed", "domed-keeper", "domed-worker"].filter { access(programs + "/" + $0, X_OK) != 0 }
        if missing.isEmpty {
            note(.good, "programs", programs)
        } else {
            note(.failed, "programs", "\(missing.joined(separator: ", ")) not in \(programs): install them beside dome")
        }
        guard let directories = try? Directories() else { return }
        let path = Catalog.searchPath(
            directories: directories, executableDirectory: programs,
            registryPath: getenv("DOME_REGISTRY_PATH").map { String(cString: $0) })
        let snapshot = Catalog(searchPath: path).snapshot
        let shown = path.filter { Files.isDirectory($0 + "/tools") }.joined(separator: ", ")
        if snapshot.tools.isEmpty {
            note(.failed, "tools", "none; looked in \(path.joined(separator: ", "))")
        } else {
            note(.good, "tools", "\(snapshot.tools.count) in \(shown)")
        }
        for problem in snapshot.problems { note(.failed, "tool", "\(problem.path) is left out: \(problem.reason)") }
        for shadow in snapshot.shadowed { note(.remark, "tool", "\(shadow.path) is hidden by \(shadow.usedPath)") }
        for name in ["git", "rg"] where !Self.isInPath(name) {
            note(
                .remark, name,
                name == "rg" ? "not installed: text.search uses grep, slower" : "not installed: git.log cannot run")
        }
    }

    /// In the PATH that jobs have.
    private static func isInPath(_ name: String) -> Bool {
        ["/usr/local/bin", "/usr/bin", "/bin"].contains { access($0 + "/" + name, X_OK) == 0 }
    }

    // MARK: Settings and folders

    mutating func examineSettings() {
        do throws(DomeError) {
            let directories = try Directories()
            for (name, path) in [("state", directories.state), ("sockets", directories.runtime)] {
                try examineFolder(name, path)
            }
            let policy = directories.config + "/policy.json"
            _ = try Policy.load(directories)
            note(.good, "policy", Files.exists(policy) ? policy : "the default: there is no \(policy)")
        } catch {
            note(.failed, "settings", error.message)
        }
    }

    private mutating func examineFolder(_ name: String, _ path: String) throws(DomeError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return note(.good, name, "\(path), to be made at the first start") }
        guard status.st_uid == geteuid(), access(path, W_OK | X_OK) == 0 else {
            return note(.failed, name, "\(path) belongs to uid \(status.st_uid) or cannot be written")
        }
        guard status.st_mode & 0o077 == 0 else {
            return note(.remark, name, "\(path) is open to others: chmod 700 it")
        }
        var space = statvfs()
        guard statvfs(path, &space) == 0 else { return note(.good, name, path) }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        let isLow = free < 1 << 30 && name == "state"
        note(isLow ? .remark : .good, name, "\(path), \(Quantity.text(bytes: free)) free")
    }
}

// The daemon.
extension Examination {
    @Core
    fileprivate mutating func examineDaemon(_ invocation: Invocation) async {
        let status: DaemonStatus
        do throws(CommandFailure) {
            let client = try invocation.client()
            status = try await calling { () async throws(ClientError) in try await client.status() }
        } catch {
            // Not running is no fault: the next command starts it.
            return note(error.status == ExitStatus.unavailable ? .remark : .failed, "daemon", error.message)
        }
        note(.good, "daemon", "domed \(status.serverVersion), process \(status.pid), at \(status.endpoint)")
        if !status.versionAdvice.isEmpty { note(.remark, "version", status.versionAdvice) }
        note(
            status.isSandboxWhole ? .good : .failed, "sandbox",
            status.isSandboxWhole ? "every layer is in force" : status.sandboxReportJSON)
        for problem in status.problems { note(.remark, "daemon", problem) }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
