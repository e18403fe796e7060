/// A JSON document in two arrays, as it was written: numbers keep every digit, and looking at it costs no reference
/// counting. For work that reads a document once, fast, such as validation; `JSONValue` is what everything else uses.
///
/// `nodes` are in the order of the text: a container is followed by what it holds, an object by each member's name and
/// then its value.
package struct JSONTree: Sendable {
    package enum Kind: UInt8, Sendable {
        case null, no, yes
        /// Fits an Int64.
        case integer
        /// Any other number, as text.
        case decimal
        case string, array, object
    }

    package struct Node: Sendable {
        package var kind: Kind
        /// Of a container: where its next sibling stands. Of a member's name: its hash.
        package var link: UInt32
        /// Of text: where it begins in `text`. Of an integer: its lower half.
        package var start: UInt32
        /// Of text: its length in bytes. Of an integer: its upper half. Of a container: how many it holds.
        package var count: UInt32

        package init(_ kind: Kind, link: UInt32 = 0, start: UInt32 = 0, count: UInt32 = 0) {
            (self.kind, self.link, self.start, self.count) = (kind, link, start, count)
        }

        package init(integer: Int64) {
            let bits = UInt64(bitPattern: integer)
            self.init(
                .integer, start: UInt32(truncatingIfNeeded: bits), count: UInt32(truncatingIfNeeded: bits >> 32))
        }

        /// Of an `integer`.
        package var integer: Int64 { Int64(bitPattern: UInt64(count) << 32 | UInt64(start)) }
    }

    package internal(set) var nodes: [Node] = []
    package internal(set) var text: [UInt8] = []

    init() {}

    /// Where the value after the one at `node` stands.
    package func next(after node: Int) -> Int {
        let value = nodes[node]
        return value.kind.rawValue >= Kind.array.rawValue ? Int(value.link) : node + 1
    }

    /// The value at `node` as a document of its own; the text is shared.
    package func subtree(_ node: Int) -> JSONTree {
        var tree = JSONTree()
        tree.nodes = nodes[node..<next(after: node)].map { value in
            guard value.kind.rawValue >= Kind.array.rawValue else { return value }
            var moved = value
            moved.link -= UInt32(truncatingIfNeeded: node)
            return moved
        }
        tree.text = text
        return tree
    }

    /// The bytes of a string or decimal.
    package func bytes(of node: Int) -> ArraySlice<UInt8> {
        let value = nodes[node]
        return text[Int(value.start)..<Int(value.start) + Int(value.count)]
    }

    /// A string; nil if the value is none.
    package func string(at node: Int) -> String? {
        guard nodes[node].kind == .string else { return nil }
        return String(decoding: bytes(of: node), as: UTF8.self)
    }

    /// The elements of an array, as nodes; empty for anything else.
    package func elements(of node: Int) -> [Int] {
        guard nodes[node].kind == .array else { return [] }
        var found: [Int] = []
        var position = node + 1
        for _ in 0..<nodes[node].count {
            found.append(position)
            position = next(after: position)
        }
        return found
    }

    /// The members of an object; empty for anything else.
    package func members(of node: Int) -> [(name: String, value: Int)] {
        guard nodes[node].kind == .object else { return [] }
        var found: [(name: String, value: Int)] = []
        var position = node + 1
        for _ in 0..<nodes[node].count {
            found.append((String(decoding: bytes(of: position), as: UTF8.self), position + 1))
            position = next(after: position + 1)
        }
        return found
    }

    /// The member `name` of an object.
    package func member(_ name: String, of node: Int) -> Int? {
        guard nodes[node].kind == .object else { return nil }
        let hash = UInt32(truncatingIfNeeded: JSONHash.of(name))
        var position = node + 1
        for _ in 0..<nodes[node].count {
            if nodes[position].link == hash, bytes(of: position).elementsEqual(name.utf8) { return position + 1 }
            position = next(after: position + 1)
        }
        return nil
    }
}

/// Hashes of names: keyed anew in each process, so that nobody can choose names that meet in one place.
package enum JSONHash {
    package static let key = UInt64.random(in: .min ... .max)
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    package static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    package static func of(_ bytes: UnsafeRawBufferPointer, key: UInt64) -> UInt64 {
        var hash = key ^ (UInt64(bytes.count) &* factor)
        var position = 0
        while position + 8 <= bytes.count {
            hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self), factor ^ key)
            position += 8
        }
        var rest: UInt64 = 0
        while position < bytes.count {
            rest = rest << 8 | UInt64(bytes[position])
            position += 1
        }
        return mix(mix(hash ^ rest, factor ^ key) ^ key, factor)
    }

    package static func of(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { of(UnsafeRawBufferPointer($0), key: key) }
    }
}
