internal import CLinux
package import DomeModel
internal import Glibc

extension FileDescriptor {
    /// Takes the exclusive lock on the whole open file without waiting; false if somebody else has it. It
    /// belongs to the open file (fcntl's F_OFD_SETLK): it goes when the last duplicate is closed, process death
    /// included.
    package func lockExclusively() throws(DomeError) -> Bool {
        if dome_lock_exclusive(number) == 0 { return true }
        if errno == EAGAIN || errno == EACCES { return false }
        throw .system("lock descriptor \(number)", errno)
    }

    /// Gives the lock up at once, whoever still has a duplicate of the descriptor.
    package func unlock() { _ = dome_unlock(number) }

    /// Allocates blocks for the bytes from `start` to `end` without changing the file's size. Returns 0 or
    /// errno: EOPNOTSUPP where the filesystem cannot, ENOSPC when the disk is full.
    package func allocate(from start: UInt64, to end: UInt64) -> Int32 {
        while true {
            if dome_allocate(number, Int64(clamping: start), Int64(clamping: end)) == 0 { return 0 }
            if errno != EINTR { return errno }
        }
    }
}
