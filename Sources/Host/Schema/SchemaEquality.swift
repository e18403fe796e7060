internal import DomeModel

/// Equality as JSON Schema defines it: numbers by value, objects whatever the order of their members.
enum SchemaEquality {
    static func areEqual(_ left: JSONTree, _ leftNode: Int, _ right: JSONTree, _ rightNode: Int) -> Bool {
        let (one, other) = (left.nodes[leftNode], right.nodes[rightNode])
        switch (one.kind, other.kind) {
        case (.integer, .integer): return one.start == other.start && one.count == other.count
        case (.integer, .decimal), (.decimal, .integer), (.decimal, .decimal):
            guard let one = SchemaNumber(left, leftNode), let other = SchemaNumber(right, rightNode) else {
                return false
            }
            return one.compared(to: other) == 0
        case (.string, .string):
            return one.count == other.count && left.bytes(of: leftNode) == right.bytes(of: rightNode)
        case (.array, .array):
            guard one.count == other.count else { return false }
            var (place, otherPlace) = (leftNode + 1, rightNode + 1)
            for _ in 0..<one.count {
                guard areEqual(left, place, right, otherPlace) else { return false }
                (place, otherPlace) = (left.next(after: place), right.next(after: otherPlace))
            }
            return true
        case (.object, .object): return areEqualObjects(left, leftNode, right, rightNode)
        default: return one.kind == other.kind
        }
    }

    private static func areEqualObjects(
        _ left: JSONTree, _ leftNode: Int, _ right: JSONTree, _ rightNode: Int
    ) -> Bool {
        let count = left.nodes[leftNode].count
        guard count == right.nodes[rightNode].count else { return false }
        // Names are unique: both in the order of their hashes.
        let (ours, theirs) = (sortedMembers(left, leftNode), sortedMembers(right, rightNode))
        var start = 0
        while start < ours.count {
            var end = start + 1
            while end < ours.count, left.nodes[ours[end]].link == left.nodes[ours[start]].link { end += 1 }
            for member in ours[start..<end] {
                let twin = theirs[start..<end].first { left.bytes(of: member) == right.bytes(of: $0) }
                guard let twin, areEqual(left, member + 1, right, twin + 1) else { return false }
            }
            start = end
        }
        return true
    }

    private static func sortedMembers(_ tree: JSONTree, _ node: Int) -> [Int] {
        var members: [Int] = []
        var position = node + 1
        for _ in 0..<tree.nodes[node].count {
            members.append(position)
            position = tree.next(after: position + 1)
        }
        return members.sorted { tree.nodes[$0].link < tree.nodes[$1].link }
    }

    /// Equal values have equal hashes.
    static func hash(_ tree: JSONTree, _ node: Int) -> UInt64 {
        let value = tree.nodes[node]
        let mark = UInt64(value.kind.rawValue) &+ 0x51_7c_c1_b7_27_22_0a_95
        switch value.kind {
        case .null, .no, .yes: return JSONHash.mix(mark, JSONHash.key | 1)
        case .integer: return hash(of: SchemaDecimal(value.integer))
        case .decimal: return hash(of: SchemaDecimal(literal: tree.bytes(of: node)))
        case .string: return textHash(tree, node)
        case .array:
            var (hash, position) = (mark ^ JSONHash.key, node + 1)
            for _ in 0..<value.count {
                hash = JSONHash.mix(hash ^ self.hash(tree, position), 0x9e37_79b9_7f4a_7c15) &+ 1
                position = tree.next(after: position)
            }
            return hash
        case .object:
            var (sum, position) = (mark &+ UInt64(value.count), node + 1)
            for _ in 0..<value.count {
                sum = sum &+ JSONHash.mix(textHash(tree, position), hash(tree, position + 1) | 1)
                position = tree.next(after: position + 1)
            }
            return sum
        }
    }

    private static func textHash(_ tree: JSONTree, _ node: Int) -> UInt64 {
        let value = tree.nodes[node]
        return tree.text.withUnsafeBytes { raw in
            let start = Int(value.start)
            return JSONHash.of(
                UnsafeRawBufferPointer(rebasing: raw[start..<start + Int(value.count)]), key: JSONHash.key)
        }
    }

    private static func hash(of number: SchemaDecimal) -> UInt64 {
        let bytes = number.digits + [number.isNegative ? 1 : 0]
        return bytes.withUnsafeBytes { JSONHash.of($0, key: JSONHash.key ^ UInt64(bitPattern: Int64(number.point))) }
    }
}
