import DomeCatalog
import DomeModel
import DomePlatform
import Glibc
import Testing

/// A home with dome's folders, keys and a project.
final class Home {
    let scratch: Scratch
    let directories: Directories
    let path: String

    init() throws {
        scratch = try Scratch()
        // The scratch path may itself hold a link (/tmp).
        path = try #require(realpath(scratch.path, nil).map { String(cString: $0) })
        let home = path
        try Files.makeDirectories(home + "/runtime")
        directories = try Directories {
            ["HOME": home, "XDG_RUNTIME_DIR": home + "/runtime"][$0]
        }
        for folder in [
            "project/src", ".ssh", ".config/dome", ".local/state/dome", "runtime/dome", ".local/share/dome",
        ] { try Files.makeDirectories(path + "/" + folder) }
        try scratch.write("project/file", "x")
        try scratch.write(".ssh/id", "secret")
    }

    func policy(_ document: String? = nil, userID: UInt32 = geteuid()) throws -> Policy {
        guard let document else { return Policy(directories: directories, homes: [path], userID: userID) }
        return try Policy(try json(document), directories: directories, homes: [path], userID: userID)
    }

    /// In another environment.
    func policy(environment: @escaping (String) -> String?) -> Policy {
        Policy(directories: directories, homes: [path], userID: geteuid(), environment: environment)
    }

    func manifest(_ permissions: [String], optional: [String] = []) throws -> ToolManifest {
        try ToolManifest(
            manifestDocument([
                ("permissions", .array(permissions.map { .string($0) })),
                ("optional_permissions", .array(optional.map { .string($0) })),
            ]), what: "tool.json")
    }

    func evaluate(_ permissions: [String], _ grants: [String], policy: String? = nil) throws -> EffectiveGrants {
        try self.policy(policy).evaluate(
            try manifest(permissions), grants: try grants.map { try Permission(parsing: $0) })
    }
}

@Suite struct `The policy` {
    @Test func `gives fixed permissions and owned paths without a file`() throws {
        let home = try Home()
        let result = try home.evaluate(
            ["fs.read:*", "fs.write:*", "net.loopback", "env:LANG", "process", "fs.read:/usr/share"],
            ["fs.write:\(home.path)/project/src", "fs.read:\(home.path)/project", "fs.read:\(home.path)/project/src"])
        #expect(
            result.permissionTexts == [
                "fs.read:\(home.path)/project", "fs.write:\(home.path)/project/src", "fs.read:/usr/share",
                "net.loopback",
                "env:LANG",
            ])
        #expect(result.mounts.first?.target == home.path + "/project")
        #expect(result.network == .loopback)
        #expect(!result.allowsUnixSockets)
    }

    @Test(arguments: [
        "", "/.ssh", "/.ssh/id", "/.config", "/.config/dome", "/.local", "/.local/state/dome", "/.local/share/dome",
        "/runtime",
        "/.gnupg-link", "/link-to-ssh", "/link-to-home", "/link-to-id", "/project/../.ssh/id",
    ]) func `opens no credentials and none of its own folders`(_ suffix: String) throws {
        let home = try Home()
        symlink(home.path + "/.ssh", home.path + "/link-to-ssh")
        symlink(home.path, home.path + "/link-to-home")
        symlink(home.path + "/.ssh/id", home.path + "/link-to-id")
        // ~/.gnupg is a link to a folder elsewhere: that folder is protected too.
        try Files.makeDirectories(home.path + "/vault/keys")
        symlink(home.path + "/vault", home.path + "/.gnupg")
        symlink(home.path + "/vault/keys", home.path + "/.gnupg-link")
        for mode in ["fs.read:", "fs.write:"] {
            let message = refusal {
                let grant: Permission =
                    mode == "fs.read:" ? .readPath(home.path + suffix) : .writePath(home.path + suffix)
                _ = try home.policy().evaluate(try home.manifest(["fs.write:*"]), grants: [grant])
            }
            #expect(message.contains("it would open"), "\(message)")
            #expect(message.contains(mode))
        }
    }

    @Test func `protects them from manifests and from policies as well`() throws {
        let home = try Home()
        #expect(refusal { _ = try home.evaluate(["fs.read:\(home.path)/.ssh"], []) }.contains("it would open"))
        let allow = #"{"tools":{"a.tool":{"allow":["fs.read:\#(home.path)/.ssh"]}}}"#
        #expect(
            refusal { _ = try home.evaluate(["fs.read:*"], ["fs.read:\(home.path)/.ssh"], policy: allow) }
                .contains("it would open"))
    }

    @Test func `uses the resolved path of a link`() throws {
        let home = try Home()
        symlink(home.path + "/project/src", home.path + "/short")
        let result = try home.evaluate(["fs.read:*"], ["fs.read:\(home.path)/short"])
        var status = stat()
        #expect(lstat(home.path + "/project/src", &status) == 0)
        #expect(
            result.mounts == [
                Mount(
                    source: home.path + "/project/src", target: home.path + "/project/src", isWritable: false,
                    device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
            ])
    }

    @Test func `grants no path of another user unless the file allows it`() throws {
        let home = try Home()
        let stranger = geteuid() + 1
        let manifest = try home.manifest(["fs.read:*"])
        let grant: [Permission] = [.readPath(home.path + "/project")]
        #expect(
            refusal { _ = try home.policy(userID: stranger).evaluate(manifest, grants: grant) }.contains("another user")
        )
        let allow = #"{"tools":{"a.tool":{"allow":["fs.read:\#(home.path)/project"]}}}"#
        #expect(try home.policy(allow, userID: stranger).evaluate(manifest, grants: grant).mounts.count == 1)
        let inner: [Permission] = [.readPath(home.path + "/project/src")]
        #expect(try home.policy(allow, userID: stranger).evaluate(manifest, grants: inner).mounts.count == 1)
    }

    @Test func `grants no more than the manifest asks for`() throws {
        let home = try Home()
        let project = home.path + "/project"
        for (asked, grant) in [
            ("fs.read:*", "fs.write:\(project)"), ("process", "fs.read:\(project)"),
            ("fs.write:\(project)/src", "fs.read:\(project)"),
            ("net.loopback", "net.full"), ("process", "unix"), ("process", "env:HOME"),
        ] {
            let message = refusal { _ = try home.evaluate([asked], [grant]) }
            #expect(
                message.contains(grant) && message.contains("within what the tool's manifest asks for"), "\(message)")
        }
        #expect(try home.evaluate(["fs.write:\(project)"], ["fs.read:\(project)/src"]).mounts.count == 2)
        #expect(refusal { _ = try home.evaluate(["fs.read:*"], ["fs.read:*"]) }.contains("must name the path"))
    }

    @Test func `gives the network and unix sockets only to tools that the file names`() throws {
        let home = try Home()
        for permission in ["net.full", "unix"] {
            let message = refusal { _ = try home.evaluate([permission], []) }
            #expect(message.contains(#"{"tools":{"a.tool":{"allow":["\#(permission)"]}}}"#), "\(message)")
        }
        let allow = #"{"version":1,"tools":{"a.tool":{"allow":["net.full","unix"]},"other":{"allow":[]}}}"#
        let result = try home.evaluate(["net.full", "unix"], [], policy: allow)
        #expect(result.network == .full)
        #expect(result.allowsUnixSockets)
        let optional = try home.manifest([], optional: ["net.full"])
        #expect(try home.policy(allow).evaluate(optional, grants: []).network == .none)
        #expect(try home.policy(allow).evaluate(optional, grants: [.networkFull]).network == .full)
        #expect(try home.policy().evaluate(optional, grants: [.networkLoopback]).network == .loopback)
    }

    @Test func `denies what the file denies`() throws {
        let home = try Home()
        let project = home.path + "/project"
        func message(_ policy: String, _ asked: [String], _ grants: [String]) -> String {
            refusal { _ = try home.evaluate(asked, grants, policy: policy) }
        }
        let deny = #"{"tools":{"*":{"deny":["net.loopback"]},"a.tool":{"deny":["fs.write:\#(project)/src"]}}}"#
        #expect(message(deny, ["net.loopback"], []).contains("denies it"))
        #expect(message(deny, ["fs.write:*"], ["fs.write:\(project)"]).contains("denies it"))
        #expect(try home.evaluate(["fs.write:*"], ["fs.read:\(project)"], policy: deny).mounts.count == 1)
        let paths = #"{"deny_paths":["\#(project)/src"]}"#
        #expect(message(paths, ["fs.read:*"], ["fs.read:\(project)"]).contains("it would open"))
        #expect(message(#"{"tools":{"a.tool":{"enabled":false}}}"#, [], []).contains("disabled"))
        #expect(message(#"{"tools":{"*":{"enabled":false}}}"#, [], []).contains("disabled"))
        #expect(try home.evaluate([], [], policy: #"{"tools":{"*":{"enabled":false},"a.tool":{}}}"#).mounts.isEmpty)
    }

    @Test(arguments: [
        "/", "/job", "/proc", "/proc/self", "/dev/null", "/etc", "/etc/shadow", "/nonexistent-path", "/run",
        "/sys/kernel",
    ]) func `refuses the system's own places`(_ path: String) throws {
        let home = try Home()
        #expect(
            refusal { _ = try home.evaluate(["fs.read:*"], ["fs.read:\(path)"]) }.contains("fs.read:\(path) is refused")
        )
    }

    @Test func `does not let root write the system because root owns it`() throws {
        let home = try Home()
        let manifest = try home.manifest(["fs.write:*"])
        let message = refusal { _ = try home.policy(userID: 0).evaluate(manifest, grants: [.writePath("/usr/share")]) }
        #expect(message.contains("belongs to the system"), "\(message)")
    }

    @Test func `refuses sockets and pipes`() throws {
        let home = try Home()
        mkfifo(home.path + "/project/pipe", 0o600)
        let message = refusal { _ = try home.evaluate(["fs.read:*"], ["fs.read:\(home.path)/project/pipe"]) }
        #expect(message.contains("neither a folder nor a regular file"))
    }

    @Test(arguments: [
        "[]", #"{"tool":{}}"#, #"{"version":2}"#, #"{"tools":{"A":{}}}"#, #"{"tools":{"a.tool":{"alow":[]}}}"#,
        #"{"tools":{"*":{"allow":["unix"]}}}"#, #"{"tools":{"a.tool":{"allow":["everything"]}}}"#,
        #"{"deny_paths":["rel"]}"#,
    ]) func `that cannot be understood in full is an error`(_ document: String) throws {
        let home = try Home()
        #expect(refusal { _ = try home.policy(document) }.contains("policy.json"))
    }

    @Test func `file must be its owner's alone`() throws {
        let home = try Home()
        #expect(try Policy.load(home.directories).evaluate(try home.manifest([]), grants: []).mounts.isEmpty)
        try home.scratch.write(".config/dome/policy.json", "{}", mode: 0o600)
        _ = try Policy.load(home.directories)
        chmod(home.directories.config + "/policy.json", 0o666)
        #expect(refusal { _ = try Policy.load(home.directories) }.contains("chmod"))
        try home.scratch.write(".config/dome/policy.json", "{", mode: 0o600)
        #expect(refusal { _ = try Policy.load(home.directories) }.contains("not valid JSON"))
    }
}
