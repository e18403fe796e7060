internal import DomeCrypto
internal import DomeModel
internal import DomePlatform

/// Asking git, about repositories of which nothing is known: they may have come with an archive, their own
/// configuration included. Nothing in them may run a program on our behalf, outside of any jail. So: no fsmonitor,
/// no hooks, no filters (also not when git compares contents because times do not tell), no look into submodules
/// (which would be asked with their own configuration), no fetch of missing objects.
extension GitFacts {
    private static let timeLimitMilliseconds: Int64 = 2_000
    static let outputLimitBytes = 64 << 10
    private static let diffLimitBytes = 8 << 20

    /// The facts of the repository around `folder`. Blocks, a few times two seconds at most. If git stops answering on
    /// the way, nothing is said: part of it would look like an answer.
    static func read(_ folder: String) -> GitFacts {
        let facts = readAsFarAsPossible(folder)
        return StuckGit.isHeldUp(in: folder) ? GitFacts() : facts
    }

    private static func readAsFarAsPossible(_ folder: String) -> GitFacts {
        var facts = GitFacts()
        guard let places = lines(ask(folder, ["rev-parse", "--show-toplevel", "HEAD"])), places.count == 2 else {
            return facts
        }
        facts.repository = places[0]
        facts.commit = places[1]
        if let remote = lines(ask(folder, ["config", "--get", "remote.origin.url"]))?.first {
            facts.remote = withoutCredentials(remote)
        }
        facts.isDirty = isDirty(folder)
        facts.diffSHA256 = facts.isDirty ? diffDigest(folder) : "none"
        return facts
    }

    /// Whether anything differs from the commit. What cannot be found out is not called clean.
    private static func isDirty(_ folder: String) -> Bool {
        guard let settings = withoutFilters(folder) else { return true }
        // Plumbing, which does not write the index anew. The price: a file that was touched but not changed counts
        // as dirty until the user's next `git status`.
        let questions = [
            ["diff-index", "--name-only", "--ignore-submodules=dirty", "HEAD", "--"],
            ["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", ":/"],
        ]
        return questions.contains { question in
            guard let answer = ask(folder, question, settings), answer.exitCode == 0 else { return true }
            return !answer.output.isEmpty
        }
    }

    /// Of the tracked files' changes. Files that git does not track are named, not read.
    private static func diffDigest(_ folder: String) -> String {
        guard let settings = withoutFilters(folder) else { return "unknown" }
        let question = [
            "diff-index", "-p", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty",
            "HEAD", "--",
        ]
        let others = ["ls-files", "-z", "--others", "--exclude-standard", ":/"]
        guard let diff = ask(folder, question, settings, limitBytes: diffLimitBytes), diff.exitCode == 0,
            diff.output.count < diffLimitBytes, let names = ask(folder, others, settings), names.exitCode == 0,
            names.output.count < outputLimitBytes
        else { return "unknown" }
        do throws(DomeError) { return try SHA256.digest(diff.output + names.output).hex } catch { return "unknown" }
    }

    /// Environment variables that take every configured filter's programs away; nil when that cannot be made sure.
    private static func withoutFilters(_ folder: String) -> [String]? {
        let question = ["config", "-z", "--name-only", "--get-regexp", "^filter\\..*\\.(clean|process)$"]
        guard let answer = ask(folder, question), answer.output.count < outputLimitBytes else { return nil }
        // 1: there are none.
        guard answer.exitCode == 0 || answer.exitCode == 1 else { return nil }
        var settings: [(key: String, value: String)] = []
        for name in answer.output.split(separator: 0) {
            guard let key = String(validating: name, as: UTF8.self), let dot = key.lastIndex(of: ".") else {
                return nil
            }
            settings.append((key, ""))
            settings.append((key[..<dot] + ".required", "false"))
        }
        var variables = ["GIT_CONFIG_COUNT=\(settings.count)"]
        for (index, setting) in settings.enumerated() {
            variables += ["GIT_CONFIG_KEY_\(index)=\(setting.key)", "GIT_CONFIG_VALUE_\(index)=\(setting.value)"]
        }
        return variables
    }

    /// `https://user:token@host/…` names a secret; the host is enough.
    private static func withoutCredentials(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty, let at = parts[2].lastIndex(of: "@") else {
            return url
        }
        let host = parts[2][parts[2].index(after: at)...]
        return parts[0] + "//" + host + (parts.count > 3 ? "/" + parts[3] : "")
    }

    static func lines(_ answer: Subprocess.Outcome?) -> [String]? {
        guard let answer, answer.exitCode == 0 else { return nil }
        return answer.output.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    static func ask(
        _ folder: String, _ arguments: [String], _ settings: [String] = [], limitBytes: Int = outputLimitBytes
    ) -> Subprocess.Outcome? {
        guard !StuckGit.isHeldUp(in: folder) else { return nil }
        let safety = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"]
        var program = Subprocess("/usr/bin/git", ["git", "--no-optional-locks"] + safety + ["-C", folder] + arguments)
        program.environment =
            [
                "PATH=/usr/bin:/bin", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1",
                "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none",
            ] + settings
        do throws(DomeError) {
            let outcome = try program.capture(limitBytes: limitBytes, timeoutMilliseconds: timeLimitMilliseconds)
            if let survivor = outcome.survivor { StuckGit.add(survivor, in: folder) }
            return outcome
        } catch {
            Log.debug("git.unavailable", ["reason": error.message])
            return nil
        }
    }
}
