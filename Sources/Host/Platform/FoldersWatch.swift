internal import CLinux
internal import Glibc

/// Tells in which of many folders something was changed, and which names in them, since it was last asked: the kernel
/// keeps the list (inotify(7)). What other machines do to a network mount, and what is written through a mapping of a
/// file, it does not say. Not thread-safe.
package final class FoldersWatch {
    /// What was changed since the last question.
    package enum Changes: Sendable, Equatable {
        /// Names by folder, as it was given; "" stands for the folder itself.
        case some([String: Set<String>])
        /// More than the kernel keeps.
        case unknown
    }

    /// Readable when there is something to ask for.
    package let descriptor: FileDescriptor
    private var folders: [Int32: String] = [:]
    private var numbers: [String: Int32] = [:]

    private static let events =
        UInt32(IN_CLOSE_WRITE) | UInt32(IN_MODIFY) | UInt32(IN_ATTRIB) | UInt32(IN_CREATE) | UInt32(IN_DELETE)
        | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
        | UInt32(IN_ONLYDIR)

    /// Nil when the kernel gives this user no more.
    package init?() {
        let number = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard number >= 0 else { return nil }
        descriptor = FileDescriptor(owning: number)
    }

    /// Watches what is directly in `folder`. False when that cannot be: it is gone, or the user has too many watches.
    package func add(_ folder: String) -> Bool {
        let number = inotify_add_watch(descriptor.number, folder, Self.events)
        guard number >= 0 else {
            remove(folder)
            return false
        }
        if let old = numbers[folder], old != number { remove(folder) }
        // Two paths of one folder have one watch: the later one would take it from the first.
        if let other = folders[number], other != folder { return false }
        folders[number] = folder
        numbers[folder] = number
        return true
    }

    package func remove(_ folder: String) {
        guard let number = numbers.removeValue(forKey: folder) else { return }
        folders[number] = nil
        inotify_rm_watch(descriptor.number, number)
    }

    /// What was changed since the last call.
    package func changes() -> Changes {
        var found: [String: Set<String>] = [:]
        var isComplete = true
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor.number, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            buffer.withUnsafeBytes { bytes in
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let start = offset + MemoryLayout<inotify_event>.size
                    let name = bytes[start..<min(start + Int(event.len), count)].prefix { $0 != 0 }
                    offset = start + Int(event.len)
                    if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { isComplete = false }
                    guard let folder = folders[event.wd] else { continue }
                    found[folder, default: []].insert(String(decoding: name, as: UTF8.self))
                    guard event.mask & UInt32(IN_IGNORED) != 0 else { continue }
                    folders[event.wd] = nil
                    if numbers[folder] == event.wd { numbers[folder] = nil }
                }
            }
        }
        return isComplete ? .some(found) : .unknown
    }

    /// Whether the file system of `folder` tells of all changes here: those of other machines do not.
    package static func isLocal(_ folder: String) -> Bool {
        guard let place = try? Files.open(folder, dome_path_only() | O_DIRECTORY) else { return false }
        var (type, total, free, used) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        guard dome_file_system(place.number, &type, &total, &free, &used) == 0 else { return false }
        // NFS, SMB, CIFS, SMB2, FUSE, 9p, Ceph, AFS, virtiofs (statfs(2)).
        let remote: [UInt32] = [
            0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x6a65_6a63,
        ]
        return !remote.contains(UInt32(truncatingIfNeeded: type))
    }
}
