import DomeCatalog
import DomeModel
import DomePlatform
import Glibc
import Testing

/// What an agent might try to get a job more than the policy gives it.
@Suite struct `A policy, asked by an agent` {
    @Test(arguments: [
        ".bashrc", ".profile", ".gitconfig", ".config/systemd", ".config/autostart", ".local/bin", ".vscode", "bin",
    ]) func `lets no job write what runs outside the sandbox`(_ name: String) throws {
        let home = try Home()
        if name.hasPrefix(".b") || name.hasPrefix(".pro") || name.hasPrefix(".gitc") {
            try home.scratch.write(name, "")
        } else {
            try Files.makeDirectories(home.path + "/" + name)
        }
        let grant = "fs.write:\(home.path)/\(name)"
        let message = refusal { _ = try home.evaluate(["fs.write:*"], [grant]) }
        #expect(message.contains("is executed outside the sandbox"), "\(message)")
        // To read it is harmless, and its owner may say otherwise of one tool.
        #expect(try home.evaluate(["fs.read:*"], ["fs.read:\(home.path)/\(name)"]).mounts.count == 1)
        let allow = #"{"tools":{"a.tool":{"allow":["\#(grant)"]}}}"#
        #expect(try home.evaluate(["fs.write:*"], [grant], policy: allow).mounts.map(\.isWritable) == [true])
    }

    @Test func `lets no job write dome's own programs and tools`() throws {
        let home = try Home()
        let programs = try Directories.ofExecutable()
        let manifest = try home.manifest(["fs.write:*"])
        #expect(
            refusal { _ = try home.policy().evaluate(manifest, grants: [.writePath(programs)]) }
                .contains("outside the sandbox"))
        try Files.makeDirectories(home.path + "/registry/tools")
        let policy = home.policy { $0 == "DOME_REGISTRY_PATH" ? "/nowhere:" + home.path + "/registry" : nil }
        let message = refusal {
            _ = try policy.evaluate(manifest, grants: [.writePath(home.path + "/registry/tools")])
        }
        #expect(message.contains("outside the sandbox"), "\(message)")
    }

    @Test(arguments: [
        ("GNUPGHOME", "keys", "keys"), ("SSH_AUTH_SOCK", "agents/1/socket", "agents"), ("KUBECONFIG", "a/one", "a/one"),
        ("XDG_CONFIG_HOME", "settings", "settings/gh"), ("XDG_DATA_HOME", "things", "things/keyrings"),
    ]) func `protects credential stores that variables have moved`(
        _ variable: String, _ value: String, _ asked: String
    ) throws {
        let home = try Home()
        try Files.makeDirectories(home.path + "/" + asked)
        try Files.makeDirectories(home.path + "/" + value)
        let manifest = try home.manifest(["fs.read:*"])
        let grant: [Permission] = [.readPath(home.path + "/" + asked)]
        let policy = home.policy { $0 == variable ? home.path + "/" + value : nil }
        #expect(refusal { _ = try policy.evaluate(manifest, grants: grant) }.contains("it would open"))
        #expect(try home.policy { _ in nil }.evaluate(manifest, grants: grant).mounts.count == 1)
    }

    @Test func `that denies the loopback denies the whole network`() throws {
        let home = try Home()
        let both = #"{"tools":{"a.tool":{"allow":["net.full"],"deny":["net.loopback"]}}}"#
        #expect(refusal { _ = try home.evaluate(["net.full"], [], policy: both) }.contains("denies it"))
        #expect(refusal { _ = try home.evaluate(["net.full"], ["net.loopback"], policy: both) }.contains("denies it"))
    }

    @Test func `tells everything that is refused, and the line that would allow it`() throws {
        let home = try Home()
        let manifest = try home.manifest(["net.full", "fs.read:*", "env:LANG"], optional: ["unix", "net.loopback"])
        let decision = try home.policy().decide(
            manifest, grants: [.unixSockets, .readPath("/nonexistent-path"), .readPath(home.path + "/project")])
        #expect(
            decision.refusals.map { $0.permission?.description } == ["net.full", "unix", "fs.read:/nonexistent-path"])
        // What is not refused is still told.
        #expect(decision.grants.permissionTexts == ["fs.read:\(home.path)/project", "env:LANG"])
        for refusal in decision.refusals.prefix(2) {
            let line = try #require(refusal.remedy.split(separator: "put ").last.map(String.init))
            let allowed = try home.policy(line).decide(manifest, grants: [.unixSockets])
            #expect(!allowed.refusals.contains { $0.permission == refusal.permission }, "\(line)")
        }
        let error = refusal { _ = try home.policy().evaluate(manifest, grants: []) }
        #expect(error == decision.refusals.first?.error.message)
        let offers = try home.policy().offers(manifest)
        #expect(offers.map(\.permission.description) == ["fs.read:*", "unix", "net.loopback"])
        #expect(offers.map { $0.refusal == nil } == [true, false, true])
    }

    @Test func `offers no paths where all are denied, and nothing of a disabled tool`() throws {
        let home = try Home()
        let manifest = try home.manifest(["fs.read:*", "fs.write:*"])
        let writes = try home.policy(#"{"tools":{"*":{"deny":["fs.write:*"]}}}"#).offers(manifest)
        #expect(writes.map { $0.refusal == nil } == [true, false])
        let none = try home.policy(#"{"tools":{"*":{"deny":["fs.read:*"]}}}"#).offers(manifest)
        #expect(none.map { $0.refusal == nil } == [false, false])
        let disabled = try home.policy(#"{"tools":{"a.tool":{"enabled":false}}}"#).decide(manifest, grants: [])
        #expect(disabled.refusals.map(\.reason).joined().contains("disabled"))
    }

    @Test func `is not taken from a folder in which anybody could replace it`() throws {
        let home = try Home()
        try home.scratch.write(".config/dome/policy.json", "{}", mode: 0o600)
        chmod(home.directories.config, 0o777)
        #expect(refusal { _ = try Policy.load(home.directories) }.contains("chmod 700"))
        chmod(home.directories.config, 0o755)
        _ = try Policy.load(home.directories)
    }

    @Test func `is refused when a denied path climbs`() throws {
        let home = try Home()
        #expect(refusal { _ = try home.policy(#"{"deny_paths":["/home/../home/me"]}"#) }.contains("'..'"))
    }
}

@Suite struct `What a granted project keeps` {
    private func mounts(_ home: Home, _ grants: [String], policy: String? = nil) throws -> [String] {
        try home.evaluate(["fs.write:*", "fs.read:*"], grants, policy: policy).mounts.map { mount in
            (mount.isWritable ? "write:" : "read:") + mount.target.dropFirst(home.path.utf8.count)
        }
    }

    @Test func `a repository and agents' settings can be read, and not written`() throws {
        let home = try Home()
        for folder in ["project/.git/hooks", "project/.claude"] { try Files.makeDirectories(home.path + "/" + folder) }
        #expect(
            try mounts(home, ["fs.write:\(home.path)/project"])
                == ["write:/project", "read:/project/.claude", "read:/project/.git"])
        #expect(try mounts(home, ["fs.read:\(home.path)/project"]) == ["read:/project"])
    }

    @Test func `a worktree's file counts, a link does not`() throws {
        let home = try Home()
        try home.scratch.write("project/.git", "gitdir: /elsewhere")
        #expect(symlink("/usr", home.path + "/project/.codex") == 0)
        #expect(try mounts(home, ["fs.write:\(home.path)/project"]) == ["write:/project", "read:/project/.git"])
    }

    @Test(arguments: ["project/.git", "project/.git/hooks", "project/.claude", "project/.vscode/tasks"])
    func `only the policy gives them away`(_ inner: String) throws {
        let home = try Home()
        let path = home.path + "/" + inner
        try Files.makeDirectories(path)
        let error = #expect(throws: DomeError.self) { try mounts(home, ["fs.write:\(path)"]) }
        #expect(error?.message.contains("is executed outside the sandbox") == true)
        let allow = #"{"tools":{"a.tool":{"allow":["fs.write:\#(path)"]}}}"#
        #expect(try mounts(home, ["fs.write:\(path)"], policy: allow) == ["write:/" + inner])
        let all = #"{"tools":{"a.tool":{"allow":["fs.write:\#(home.path)/project"]}}}"#
        #expect(try mounts(home, ["fs.write:\(home.path)/project"], policy: all) == ["write:/project"])
    }

    @Test func `an agent's worktrees are sources`() throws {
        let home = try Home()
        try Files.makeDirectories(home.path + "/project/.claude/worktrees/one")
        let grant = "fs.write:\(home.path)/project/.claude/worktrees/one"
        #expect(try mounts(home, [grant]) == ["write:/project/.claude/worktrees/one"])
    }
}
