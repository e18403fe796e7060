internal import Glibc

/// The memory that cursors read into. Cursors of one thread may share one: a cursor at rest keeps only an open
/// file and a position. Not for two threads at a time.
package final class JournalScratch {
    private(set) var memory: UnsafeMutableRawBufferPointer
    private static let initialBytes = 256 << 10

    package init() {
        memory = .allocate(byteCount: Self.initialBytes, alignment: 16)
    }

    /// For reading one file of this size once.
    init(forFileOf byteCount: Int) {
        memory = .allocate(byteCount: min(Self.initialBytes, max(4096, byteCount)), alignment: 16)
    }

    deinit { memory.deallocate() }

    /// Makes room for one large frame; the contents are lost.
    func grow(to byteCount: Int) {
        guard byteCount > memory.count else { return }
        memory.deallocate()
        memory = .allocate(byteCount: byteCount, alignment: 16)
    }

    /// Gives back what one large frame needed.
    func shrink() {
        guard memory.count > Self.initialBytes else { return }
        memory.deallocate()
        memory = .allocate(byteCount: Self.initialBytes, alignment: 16)
    }
}
