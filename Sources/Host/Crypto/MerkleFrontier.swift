package import DomeModel

/// An RFC 6962 tree of which only the right edge is kept: one hash for each power of two in its size. Enough to append
/// to it and to know its root; 32 × log₂(size) bytes.
package struct MerkleFrontier: Sendable, Equatable {
    /// Leaves so far.
    package private(set) var size: UInt64 = 0
    /// Hashes of the complete subtrees that the tree consists of, the largest first.
    package private(set) var subtrees: [Digest] = []

    package init() {}

    /// A tree of `size` leaves that consists of `subtrees`; nil unless there are as many as the size says.
    package init?(size: UInt64, subtrees: [Digest]) {
        guard subtrees.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.subtrees = subtrees
    }

    /// Adds a complete subtree of 2^`level` leaves; `level` 0 is a leaf's hash. The size must be a multiple of it.
    package mutating func append(
        _ hash: Digest, level: Int = 0, _ hasher: borrowing TreeHasher
    ) throws(DomeError) {
        var hash = hash
        var level = level
        guard size & (1 << UInt64(level) - 1) == 0 else {
            throw DomeError(.internal, "a subtree of 2^\(level) leaves cannot follow \(size) leaves")
        }
        let before = size
        size += 1 << UInt64(level)
        while before >> UInt64(level) & 1 == 1, let left = subtrees.popLast() {
            hash = try hasher.node(left, hash)
            level += 1
        }
        subtrees.append(hash)
    }

    package func root(_ hasher: borrowing TreeHasher) throws(DomeError) -> Digest {
        guard var root = subtrees.last else { return try TreeHasher.emptyRoot() }
        for left in subtrees.dropLast().reversed() { root = try hasher.node(left, root) }
        return root
    }
}
