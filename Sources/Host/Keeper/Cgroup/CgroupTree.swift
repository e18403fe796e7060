import DomeModel
import DomePlatform
import Glibc

/// The keeper's own branch of the cgroup v2 tree:
///
///     <delegated group>/dome-keeper-7-4711/keeper   the keeper and its inner servers
///                                         /job-12   one job
///
/// Processes are only in leaves, as cgroups(7) demands of whoever hands controllers down ("no internal processes").
final class CgroupTree {
    /// The keeper's branch.
    let branch: FileDescriptor
    let hasCPU: Bool
    private let root: String
    private let name: String

    private static let prefix = "dome-keeper-"
    private static let required = ["memory", "pids"]

    /// Takes the group that this process is in, or `path`: makes the branch, moves this process into it and hands
    /// the controllers down.
    ///
    /// - Throws: why the group is of no use; then this process is where it was, and nothing is left behind.
    init(_ path: String?, generation: UInt64) throws(DomeError) {
        let own = try Self.ownFolder(path == nil ? nil : "/")
        root = path ?? own
        name = "\(Self.prefix)\(generation)-\(getpid())"
        let directory = try Self.open(root)
        let controllers = try Self.check(directory, root)
        guard mkdirat(directory.number, name, 0o755) == 0 else {
            throw .system("make a group in \(root), which this user was not given", errno)
        }
        do throws(DomeError) {
            branch = try Self.open(root + "/" + name)
            guard mkdirat(branch.number, "keeper", 0o755) == 0 else {
                throw DomeError.system("make a group in \(root)/\(name)", errno)
            }
            try CgroupFiles.write(branch, "keeper/cgroup.procs", "\(getpid())")
            hasCPU = try Self.delegate(directory, branch, controllers)
        } catch {
            // Where it came from takes it back: controllers were not handed down there.
            if let home = try? Self.open(own) { try? CgroupFiles.write(home, "cgroup.procs", "\(getpid())") }
            unlinkat(directory.number, name + "/keeper", AT_REMOVEDIR)
            unlinkat(directory.number, name, AT_REMOVEDIR)
            throw error
        }
    }

    /// This process's group; `otherwise` where it cannot be told.
    private static func ownFolder(_ otherwise: String?) throws(DomeError) -> String {
        let membership = try Files.read("/proc/self/cgroup", limitBytes: 1 << 16)
        let mounts = try Files.read("/proc/self/mountinfo", limitBytes: 16 << 20)
        let found = CgroupPlace.folder(
            membership: String(decoding: membership, as: UTF8.self), mounts: String(decoding: mounts, as: UTF8.self))
        guard let folder = found ?? otherwise else {
            throw DomeError(.notFound, "cgroup v2 is not mounted here, or not with the keeper's own group in it")
        }
        return folder
    }

    private static func open(_ path: String) throws(DomeError) -> FileDescriptor {
        let directory = try Files.open(path, O_RDONLY | O_DIRECTORY)
        guard try directory.fileSystem().kind == .cgroup2 else {
            throw DomeError(.invalidRequest, "\(path) is no folder of a cgroup v2 file system")
        }
        return directory
    }

    /// The controllers that can be handed down.
    private static func check(_ directory: FileDescriptor, _ path: String) throws(DomeError) -> [Substring] {
        let controllers = (CgroupFiles.text(directory, "cgroup.controllers") ?? "").split { $0 == " " || $0 == "\n" }
        let missing = required.filter { !controllers.contains(Substring($0)) }
        guard missing.isEmpty else {
            let words = missing.joined(separator: ", ")
            throw DomeError(
                .notFound,
                "the controllers \(words) are not delegated to \(path): run domed-keeper as a systemd unit with Delegate="
            )
        }
        // Only the tree's root may have processes and hand controllers down.
        guard faccessat(directory.number, "cgroup.type", F_OK, 0) == 0 else { return controllers }
        let others = (CgroupFiles.text(directory, "cgroup.procs") ?? "").split(separator: "\n")
            .filter { $0 != "\(getpid())" }
        guard others.isEmpty else {
            throw DomeError(.lockConflict, "\(path) is not the keeper's alone: other processes are in it")
        }
        return controllers
    }

    /// Hands the controllers down to the jobs' level; whether processor time can be limited.
    private static func delegate(
        _ root: FileDescriptor, _ branch: FileDescriptor, _ controllers: [Substring]
    ) throws(DomeError) -> Bool {
        for level in [root, branch] { try CgroupFiles.write(level, "cgroup.subtree_control", "+memory +pids") }
        guard controllers.contains("cpu") else { return false }
        do throws(DomeError) {
            // Refused while a process with a real-time schedule is in there.
            for level in [root, branch] { try CgroupFiles.write(level, "cgroup.subtree_control", "+cpu") }
            return true
        } catch {
            Log.info("keeper.cgroup_without_cpu", ["error": error.description])
            return false
        }
    }

    /// For logs.
    var path: String { root + "/" + name }

    // MARK: What earlier keepers left

    /// Removes the branches of keepers that are dead. A keeper's jobs die with it, so what is left in there is litter;
    /// true if something is still dying and has to be tried again.
    func sweep() -> Bool {
        guard let names = try? Files.list(root) else { return false }
        var isLeft = false
        for other in names where other.hasPrefix(Self.prefix) && other != name {
            guard let directory = try? Self.open(root + "/" + other), !Self.isPopulated(directory, "keeper/") else {
                continue
            }
            if Self.remove(directory, root + "/" + other) {
                Log.info("keeper.cgroup_swept", ["path": root + "/" + other])
            } else {
                isLeft = true
            }
        }
        return isLeft
    }

    private static func isPopulated(_ directory: FileDescriptor, _ prefix: String) -> Bool {
        CgroupFiles.read(directory, prefix + "cgroup.events") { CgroupFiles.value("populated", in: $0) } == 1
    }

    private static func remove(_ directory: FileDescriptor, _ path: String) -> Bool {
        if isPopulated(directory, "") { try? CgroupFiles.write(directory, "cgroup.kill", "1") }
        for name in (try? Files.list(path)) ?? [] where Files.isDirectory(path + "/" + name) {
            unlinkat(directory.number, name, AT_REMOVEDIR)
        }
        return rmdir(path) == 0 || errno == ENOENT
    }
}
