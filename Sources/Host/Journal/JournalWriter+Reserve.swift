import DomeModel
import DomePlatform
import Glibc

/// Space ahead of the file's end. Blocks are allocated before they are needed (fallocate, without changing the
/// size), always a little beyond the next frame: when the disk is full, events are refused while the EXIT
/// record still fits.
extension JournalWriter {
    /// Room for the EXIT record and one small event.
    private static let reserveBytes: UInt64 = 2048
    /// What a file system allocates at least. The rest of the block that a write has touched is the file's.
    private static let blockBytes: UInt64 = 4096
    private static let firstStepBytes: UInt64 = 8 << 10
    private static let largestStepBytes: UInt64 = 1 << 20

    /// Makes sure that `count` bytes can be written, and (unless they are what the reserve is for) that the
    /// reserve remains. A journal that ends within its first block never gets here with a system call.
    func reserve(_ count: UInt64, mayUseReserve: Bool) throws(DomeError) {
        guard keepsReserve, exit == nil else { return }
        let needed = byteLength + count + (mayUseReserve ? 0 : Self.reserveBytes)
        let touched = (byteLength + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
        guard needed > max(allocatedLength, touched) else { return }
        // Doubling: small journals stay small, large ones are not allocated frame by frame.
        let step = min(max(Self.firstStepBytes, byteLength), Self.largestStepBytes)
        var status = allocate(upTo: needed + step)
        if status == ENOSPC || status == EDQUOT { status = allocate(upTo: needed) }
        switch status {
        case 0: return
        case EOPNOTSUPP, ENOSYS, EINVAL:
            // This filesystem has no reserves; short writes are still noticed.
            keepsReserve = false
        default:
            if mayUseReserve { return }
            throw .system("write the journal of \(jobID)", status)
        }
    }

    /// 0 or errno.
    private func allocate(upTo end: UInt64) -> Int32 {
        let start = max(byteLength, allocatedLength)
        guard end > start else { return 0 }
        guard let file else { return EBADF }
        let status = file.allocate(from: start, to: end)
        if status == 0 { allocatedLength = end }
        return status
    }

    /// Gives blocks behind the end back if they are worth the call.
    func releaseReserve() {
        guard let file, keepsReserve, allocatedLength > byteLength + 4 * Self.blockBytes else { return }
        // Truncating to the present size frees what was allocated beyond it.
        ftruncate(file.number, off_t(byteLength))
        allocatedLength = 0
    }
}
