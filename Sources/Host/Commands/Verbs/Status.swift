import DomeClient
import DomeModel

extension Verb {
    /// `dome status`
    static let status = Verb(
        words: ["status"], summary: "show how the daemon is",
        examples: ["dome status", "dome status --no-start"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        let status = try await calling { () async throws(ClientError) in try await client.status() }
        try invocation.print(json: status.json, text: status.text(style: invocation.style))
        return ExitStatus.success
    }
}

extension DaemonStatus {
    fileprivate func text(style: Style) -> String {
        var fields = Fields()
        fields.add("daemon", "domed \(serverVersion), process \(pid)")
        fields.add("up", Quantity.text(milliseconds: uptimeMilliseconds))
        fields.add("endpoint", endpoint)
        fields.add("state", stateDirectory)
        fields.add("jobs", "\(jobsRunning) running, \(jobsQueued) queued")
        let keepers = keepers.map { "process \($0.pid), generation \($0.generation), \($0.jobs) jobs, \($0.version)" }
        fields.add("keepers", keepers.isEmpty ? "none yet" : keepers.joined(separator: "\n"))
        fields.add("sandbox", isSandboxWhole ? style.green("whole") : style.red("incomplete: see 'dome doctor'"))
        fields.add("version", versionAdvice)
        var output = fields.text(style: Style(isOn: false))
        for problem in problems { output += style.yellow("problem: ") + Rendered.line(problem) + "\n" }
        return output
    }

    /// What a person should do about this program's version; empty if nothing.
    var versionAdvice: String {
        if DomeVersion.text.isOlderVersion(than: minSupportedVersion) {
            return
                "this dome is \(DomeVersion.text), older than the \(minSupportedVersion) that the daemon serves: upgrade it"
        }
        if DomeVersion.text.isOlderVersion(than: recommendedVersion) {
            return "this dome is \(DomeVersion.text); \(recommendedVersion) is recommended"
        }
        if serverVersion.isOlderVersion(than: DomeVersion.text) {
            return "the daemon is older than this dome (\(DomeVersion.text)): restart it; jobs go on meanwhile"
        }
        return ""
    }
}

extension String {
    /// By major, minor and patch; false for what is no version.
    func isOlderVersion(than other: String) -> Bool {
        func parts(_ text: String) -> [Int]? {
            let core = text.prefix { $0 != "-" && $0 != "+" }
            let numbers = core.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            return numbers.count == 3 && !numbers.contains(nil) ? numbers.compactMap { $0 } : nil
        }
        guard let left = parts(self), let right = parts(other) else { return false }
        return left.lexicographicallyPrecedes(right)
    }
}
