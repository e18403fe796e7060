internal import Glibc
internal import Synchronization

/// Tells whether anything was changed in some folders since they were first looked at, without looking again: the
/// kernel says so (inotify(7)). What other machines do to a network mount, and what is written through a mapping of
/// a file, it does not say. One system call a question and nothing kept, as each job asks: `FoldersWatch` tells what was
/// changed, this only whether.
package final class FolderWatch: Sendable {
    /// Nil from the first change on.
    private let queue: Mutex<FileDescriptor?>

    private static let events =
        UInt32(IN_MODIFY) | UInt32(IN_ATTRIB) | UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_MOVED_FROM)
        | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_ONLYDIR)
        | UInt32(IN_DONT_FOLLOW)

    /// Watches `folders`, absolute paths: what is directly in each, not what is below. Nil when one cannot be watched.
    package init?(_ folders: some Sequence<String>) {
        let number = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard number >= 0 else { return nil }
        let descriptor = FileDescriptor(owning: number)
        for folder in folders where inotify_add_watch(number, folder, Self.events) < 0 { return nil }
        queue = Mutex(descriptor)
    }

    /// False for good from the first change on. One system call; from any thread.
    package var isUnchanged: Bool {
        queue.withLock { queue in
            guard let descriptor = queue else { return false }
            var event = (inotify_event(), (UInt64(0), UInt64(0), UInt64(0), UInt64(0)))
            // Too little room for an event with a name is an answer, too.
            guard read(descriptor.number, &event, MemoryLayout.size(ofValue: event)) < 0, errno == EAGAIN else {
                queue = nil
                return false
            }
            return true
        }
    }
}
