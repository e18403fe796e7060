import DomeModel
import DomePlatform
import Glibc

/// What was changed in the registries' folders: told by the kernel, and found by looking where it tells nothing (network
/// mounts, what links lead to, more folders than the user may watch).
/// @unchecked: the mutex of Catalog's reader guards it.
final class RegistryWatch: @unchecked Sendable {
    private let watch = FoldersWatch()
    /// What is looked at, with how it was last seen.
    private var polled: [String: [UInt64]] = [:]

    /// Readable when the kernel has something to tell.
    var descriptor: FileDescriptor? { watch?.descriptor }

    /// Begins with a folder; before it is read, so that no change falls between. `isLinked`: some of it lies elsewhere.
    func add(_ folder: String, isLinked: Bool) {
        let isTold = !isLinked && watch != nil && FoldersWatch.isLocal(folder) && watch?.add(folder) == true
        polled[folder] = isTold ? nil : Self.fingerprint(folder)
    }

    func remove(_ folder: String) {
        watch?.remove(folder)
        polled[folder] = nil
    }

    /// Since the last call.
    func changes() -> FoldersWatch.Changes {
        var changed: [String: Set<String>] = [:]
        if let watch {
            guard case .some(let told) = watch.changes() else { return .unknown }
            changed = told
        }
        for (folder, seen) in polled {
            let now = Self.fingerprint(folder)
            guard now != seen else { continue }
            polled[folder] = now
            changed[folder, default: []].insert("")
        }
        return .some(changed)
    }

    /// Inode, size and times of a folder and of what is directly in it; links are followed.
    private static func fingerprint(_ path: String) -> [UInt64] {
        var fingerprint: [UInt64] = []
        guard let folder = ListedFolder(path) else { return fingerprint }
        add(folder.status, &fingerprint)
        for name in folder.names() { add(folder.status(of: name), &fingerprint) }
        return fingerprint
    }

    private static func add(_ status: stat?, _ fingerprint: inout [UInt64]) {
        guard let status else { return fingerprint.append(0) }
        fingerprint += [
            UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_size)), UInt64(status.st_mode),
            UInt64(bitPattern: Int64(status.st_mtim.tv_sec)), UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)),
            UInt64(bitPattern: Int64(status.st_ctim.tv_sec)), UInt64(bitPattern: Int64(status.st_ctim.tv_nsec)),
        ]
    }
}
