// RFC 6962's tree: published figures, every proof of small trees, and proofs that must not hold.

import DomeCrypto
import DomeModel
import Testing

@Suite struct `The Merkle tree` {
    /// A prover over the hashes of leaves, which knows nothing else.
    static func prover(_ hashes: [Digest]) throws(DomeError) -> MerkleProver {
        try MerkleProver { level, index throws(DomeError) in
            let hasher = try TreeHasher()
            let start = Int(index) << level
            guard start + 1 << level <= hashes.count else {
                throw DomeError(.internal, "no complete subtree \(index) of level \(level)")
            }
            var row = Array(hashes[start..<(start + 1 << level)])
            while row.count > 1 {
                var above: [Digest] = []
                for pair in stride(from: 0, to: row.count, by: 2) {
                    above.append(try hasher.node(row[pair], row[pair + 1]))
                }
                row = above
            }
            return row[0]
        }
    }

    static func hashes(_ leaves: [[UInt8]]) throws -> [Digest] {
        let hasher = try TreeHasher()
        var hashes: [Digest] = []
        for leaf in leaves { hashes.append(try hasher.leaf(leaf)) }
        return hashes
    }

    static func numbered(_ count: Int) throws -> [Digest] { try hashes((0..<count).map { Array("leaf \($0)".utf8) }) }

    @Test func `has the published roots, by appending and by proving`() throws {
        let hashes = try Self.hashes(MerkleFigures.leaves)
        let hasher = try TreeHasher()
        var frontier = MerkleFrontier()
        #expect(try frontier.root(hasher).hex == SHA256.digest([UInt8]()).hex)
        for (index, root) in MerkleFigures.roots.enumerated() {
            try frontier.append(hashes[index], hasher)
            #expect(try frontier.root(hasher).hex == root)
            #expect(try Self.prover(hashes).root(size: UInt64(index + 1)).hex == root)
        }
    }

    @Test func `makes and takes the published proofs`() throws {
        let hashes = try Self.hashes(MerkleFigures.leaves)
        let prover = try Self.prover(hashes)
        for figure in MerkleFigures.inclusions {
            #expect(try prover.inclusion(of: figure.index, size: figure.size).map(\.hex) == figure.path)
            let path = figure.path.compactMap { Digest(hex: $0) }
            let root = try MerkleProof.root(
                ofLeaf: hashes[Int(figure.index)], index: figure.index, size: figure.size, path: path)
            #expect(root?.hex == MerkleFigures.roots[Int(figure.size) - 1])
        }
        for figure in MerkleFigures.consistencies {
            #expect(try prover.consistency(from: figure.oldSize, to: figure.size).map(\.hex) == figure.path)
        }
    }

    @Test func `every leaf of every small tree has a proof, which no other place and no change passes`() throws {
        let hashes = try Self.numbered(33)
        let prover = try Self.prover(hashes)
        for size in UInt64(1)...33 {
            let root = try prover.root(size: size)
            for index in 0..<size {
                let path = try prover.inclusion(of: index, size: size)
                func holds(_ leaf: Digest, _ index: UInt64, _ size: UInt64, _ path: [Digest]) throws -> Bool {
                    try MerkleProof.root(ofLeaf: leaf, index: index, size: size, path: path) == root
                }
                let leaf = hashes[Int(index)]
                #expect(try holds(leaf, index, size, path))
                #expect(try !holds(hashes[(Int(index) + 1) % 33], index, size, path))
                #expect(try !holds(leaf, index + 1, size, path))
                #expect(try !holds(leaf, index, size * 2, path))
                #expect(try !holds(leaf, index, size, path + [root]))
                #expect(try !holds(leaf, index, size, [root] + path))
                if !path.isEmpty { #expect(try !holds(leaf, index, size, Array(path.dropLast()))) }
            }
        }
    }

    @Test func `every small tree begins with every smaller one, and with no other`() throws {
        let hashes = try Self.numbered(17)
        let prover = try Self.prover(hashes)
        for size in UInt64(0)...17 {
            let root = try prover.root(size: size)
            for oldSize in 0...size {
                let oldRoot = try prover.root(size: oldSize)
                let path = try prover.consistency(from: oldSize, to: size)
                func holds(_ oldSize: UInt64, _ oldRoot: Digest, _ root: Digest, _ path: [Digest]) throws -> Bool {
                    try MerkleProof.isConsistent(
                        oldSize: oldSize, oldRoot: oldRoot, size: size, root: root, path: path)
                }
                #expect(try holds(oldSize, oldRoot, root, path))
                #expect(try !holds(oldSize, oldRoot, root, path + [root]))
                guard oldSize > 0, oldSize < size else { continue }
                #expect(try !holds(oldSize, root, oldRoot, path))
                #expect(try !holds(oldSize, oldRoot, hashes[0], path))
                #expect(try !holds(oldSize - 1, oldRoot, root, path))
                #expect(try !holds(oldSize, oldRoot, root, Array(path.dropLast())))
                for place in path.indices {
                    var changed = path
                    changed[place] = try TreeHasher.emptyRoot()
                    #expect(try !holds(oldSize, oldRoot, root, changed))
                }
            }
        }
    }

    @Test func `whole subtrees may be appended where they fit`() throws {
        let hashes = try Self.numbered(24)
        let prover = try Self.prover(hashes)
        let hasher = try TreeHasher()
        var frontier = MerkleFrontier()
        for start in [0, 8] {
            let eight = try Self.prover(Array(hashes[start..<(start + 8)])).root(size: 8)
            try frontier.append(eight, level: 3, hasher)
        }
        try frontier.append(hashes[16], hasher)
        #expect(throws: DomeError.self) { try frontier.append(hashes[0], level: 3, hasher) }
        #expect(frontier.size == 17)
        #expect(try frontier.root(hasher) == prover.root(size: 17))
        #expect(MerkleFrontier(size: 17, subtrees: frontier.subtrees) == frontier)
        #expect(MerkleFrontier(size: 18, subtrees: []) == nil)
    }

    @Test func `proofs that cannot be are refused`() throws {
        let prover = try Self.prover(try Self.numbered(4))
        #expect(throws: DomeError.self) { try prover.inclusion(of: 4, size: 4) }
        #expect(throws: DomeError.self) { try prover.consistency(from: 5, to: 4) }
        let hash = try Self.numbered(1)[0]
        #expect(try MerkleProof.root(ofLeaf: hash, index: 0, size: 0, path: []) == nil)
        #expect(try !MerkleProof.isConsistent(oldSize: 2, oldRoot: hash, size: 1, root: hash, path: []))
    }
}
