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
}
