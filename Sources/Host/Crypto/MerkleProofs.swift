package import DomeModel

/// Makes the proofs of RFC 6962 section 2.1 from the hashes of complete subtrees, which it asks for as it needs them.
package struct MerkleProver: ~Copyable {
    private let hasher: TreeHasher
    /// The hash of the 2^level leaves from `index` × 2^level on.
    private let subtree: (_ level: Int, _ index: UInt64) throws(DomeError) -> Digest

    package init(
        _ subtree: @escaping (_ level: Int, _ index: UInt64) throws(DomeError) -> Digest
    ) throws(DomeError) {
        hasher = try TreeHasher()
        self.subtree = subtree
    }

    /// The root of the first `size` leaves.
    package func root(size: UInt64) throws(DomeError) -> Digest {
        size == 0 ? try TreeHasher.emptyRoot() : try hash(0..<size)
    }

    /// That leaf `index` (from 0) is in the tree of the first `size` leaves: from the leaf's sibling up.
    package func inclusion(of index: UInt64, size: UInt64) throws(DomeError) -> [Digest] {
        guard index < size else {
            throw DomeError(.invalidRequest, "there is no leaf \(index) among \(size)")
        }
        var (range, path) = (0..<size, [Digest]())
        while range.count > 1 {
            let middle = range.lowerBound + Self.split(UInt64(range.count))
            if index < middle {
                path.append(try hash(middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                path.append(try hash(range.lowerBound..<middle))
                range = middle..<range.upperBound
            }
        }
        return path.reversed()
    }

    /// That the tree of `size` leaves begins with the tree of `oldSize` leaves.
    package func consistency(from oldSize: UInt64, to size: UInt64) throws(DomeError) -> [Digest] {
        guard oldSize <= size else {
            throw DomeError(.invalidRequest, "a tree of \(size) leaves cannot begin with one of \(oldSize)")
        }
        guard oldSize > 0, oldSize < size else { return [] }
        var (range, path) = (0..<size, [Digest]())
        // Whether what is left of the old tree is a whole one, whose root the verifier has.
        var isWhole = true
        while oldSize != range.upperBound {
            let middle = range.lowerBound + Self.split(UInt64(range.count))
            if oldSize <= middle {
                path.append(try hash(middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                path.append(try hash(range.lowerBound..<middle))
                range = middle..<range.upperBound
                isWhole = false
            }
        }
        if !isWhole { path.append(try hash(range)) }
        return path.reversed()
    }

    /// Of a range that an RFC 6962 tree has as a subtree.
    private func hash(_ range: Range<UInt64>) throws(DomeError) -> Digest {
        let count = range.upperBound - range.lowerBound
        if count.nonzeroBitCount == 1 {
            let level = count.trailingZeroBitCount
            return try subtree(level, range.lowerBound >> UInt64(level))
        }
        let middle = range.lowerBound + Self.split(count)
        return try hasher.node(try hash(range.lowerBound..<middle), try hash(middle..<range.upperBound))
    }

    /// The largest power of two below `count`, which is at least 2.
    private static func split(_ count: UInt64) -> UInt64 {
        1 << UInt64(UInt64.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}

/// Checks them, by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2. Nothing foreign is trusted: a proof that is
/// too long, too short or of another size is false.
package enum MerkleProof {
    /// The root that the proof leads to from a leaf's hash; nil if it cannot be a proof for these numbers.
    package static func root(
        ofLeaf hash: Digest, index: UInt64, size: UInt64, path: [Digest]
    ) throws(DomeError) -> Digest? {
        guard index < size else { return nil }
        let hasher = try TreeHasher()
        var (position, last, root) = (index, size - 1, hash)
        for sibling in path {
            guard last > 0 else { return nil }
            if position & 1 == 1 || position == last {
                root = try hasher.node(sibling, root)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                root = try hasher.node(root, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 ? root : nil
    }

    /// Whether the tree of `size` leaves under `root` begins with the tree of `oldSize` leaves under `oldRoot`.
    package static func isConsistent(
        oldSize: UInt64, oldRoot: Digest, size: UInt64, root: Digest, path: [Digest]
    ) throws(DomeError) -> Bool {
        guard oldSize <= size else { return false }
        if oldSize == size { return path.isEmpty && oldRoot == root }
        // The empty tree begins every tree; its root is known.
        if oldSize == 0 {
            let empty = try TreeHasher.emptyRoot()
            return path.isEmpty && oldRoot == empty
        }
        var rest = path[...]
        if oldSize.nonzeroBitCount == 1 { rest = [oldRoot] + path }
        guard let first = rest.popFirst() else { return false }
        let hasher = try TreeHasher()
        var (position, last) = (oldSize - 1, size - 1)
        while position & 1 == 1 {
            position >>= 1
            last >>= 1
        }
        var (old, new) = (first, first)
        for hash in rest {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                old = try hasher.node(hash, old)
                new = try hasher.node(hash, new)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                new = try hasher.node(new, hash)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && old == oldRoot && new == root
    }
}
