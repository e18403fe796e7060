/// A strict RFC 8259 parser for hostile bytes: UTF-8 only, duplicate member names refused (RFC 7493), nesting limited,
/// every error with its place. What is read is in `tree`, with `side` to be added to its text.
struct JSONTreeParser {
    struct SyntaxError: Error {
        var reason: String
        var position: Int
    }

    let bytes: UnsafeRawBufferPointer
    var position = 0
    private var depth = 0
    private var nodes: [JSONTree.Node] = []
    /// Strings whose escapes were resolved; they come after the document's own bytes.
    var side: [UInt8] = []
    /// The names of the objects that are open.
    private var names: [Int] = []
    private let key = JSONHash.key
    private let refusesTwins: Bool

    private init(_ bytes: UnsafeRawBufferPointer, refusesTwins: Bool) {
        self.bytes = bytes
        self.refusesTwins = refusesTwins
        nodes.reserveCapacity(bytes.count / 8 + 4)
    }

    /// The document in `bytes` as a tree.
    static func parse(_ bytes: [UInt8], refusesTwins: Bool) throws(SyntaxError) -> JSONTree {
        // Places are kept in 32 bits, and resolved escapes come on top.
        guard bytes.count < 1 << 31 else { throw SyntaxError(reason: "it is larger than 2 GiB", position: 0) }
        let result = bytes.withUnsafeBytes { (raw) -> Result<JSONTree, SyntaxError> in
            var parser = JSONTreeParser(raw, refusesTwins: refusesTwins)
            do throws(SyntaxError) {
                try parser.document()
                var tree = JSONTree()
                tree.nodes = parser.nodes
                tree.text = parser.side
                return .success(tree)
            } catch {
                return .failure(error)
            }
        }
        var tree = try result.get()
        tree.text = tree.text.isEmpty ? bytes : bytes + tree.text
        return tree
    }

    /// Line and column, in characters, from 1.
    static func place(_ position: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(position) {
            if byte == 0x0a {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    func fail(_ reason: String) -> SyntaxError { SyntaxError(reason: reason, position: position) }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func document() throws(SyntaxError) {
        guard !bytes.starts(with: [0xef, 0xbb, 0xbf]) else {
            throw fail("a byte order mark, with which JSON must not begin; write it without one")
        }
        skipSpace()
        guard current != nil else { throw fail("it is empty") }
        try value()
        skipSpace()
        guard position == bytes.count else { throw fail("unexpected text after the document") }
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
            position += 1
        }
    }

    private mutating func value() throws(SyntaxError) {
        guard let byte = current else { throw fail("unexpected end") }
        switch byte {
        case UInt8(ascii: "\""):
            let place = try string()
            nodes.append(JSONTree.Node(.string, start: place.start, count: place.count))
        case UInt8(ascii: "-"), 0x30...0x39: nodes.append(try number())
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "t"): try literal("true", .yes)
        case UInt8(ascii: "f"): try literal("false", .no)
        case UInt8(ascii: "n"): try literal("null", .null)
        default: throw fail("unexpected character")
        }
    }

    private mutating func literal(_ word: StaticString, _ kind: JSONTree.Kind) throws(SyntaxError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position + index < bytes.count, bytes[position + index] == word.utf8Start[index] else {
                throw fail("unexpected word")
            }
        }
        position += word.utf8CodeUnitCount
        nodes.append(JSONTree.Node(kind))
    }

    /// Begins a container; gives its node.
    private mutating func enter(_ kind: JSONTree.Kind) throws(SyntaxError) -> Int {
        depth += 1
        guard depth <= JSONParser.depthLimit else { throw fail("nested deeper than \(JSONParser.depthLimit)") }
        position += 1
        skipSpace()
        nodes.append(JSONTree.Node(kind))
        return nodes.count - 1
    }

    private mutating func leave(_ node: Int, count: Int) {
        position += 1
        depth -= 1
        nodes[node].link = UInt32(truncatingIfNeeded: nodes.count)
        nodes[node].count = UInt32(truncatingIfNeeded: count)
    }

    private mutating func object() throws(SyntaxError) {
        let node = try enter(.object)
        let first = names.count
        guard current != UInt8(ascii: "}") else { return leave(node, count: 0) }
        while true {
            guard current == UInt8(ascii: "\"") else { throw fail("expected a member name in quotes") }
            try name()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw fail("expected ':'") }
            position += 1
            skipSpace()
            try value()
            skipSpace()
            guard current == UInt8(ascii: ",") else { break }
            position += 1
            skipSpace()
        }
        guard current == UInt8(ascii: "}") else { throw fail("expected ',' or '}'") }
        try refuseTwins(from: first)
        leave(node, count: names.count - first)
        names.removeSubrange(first...)
    }

    private mutating func array() throws(SyntaxError) {
        let node = try enter(.array)
        guard current != UInt8(ascii: "]") else { return leave(node, count: 0) }
        var count = 0
        while true {
            try value()
            count += 1
            skipSpace()
            guard current == UInt8(ascii: ",") else { break }
            position += 1
            skipSpace()
        }
        guard current == UInt8(ascii: "]") else { throw fail("expected ',' or ']'") }
        leave(node, count: count)
    }
}

// Names of members.
extension JSONTreeParser {
    private mutating func name() throws(SyntaxError) {
        let place = try string()
        var node = JSONTree.Node(.string, start: place.start, count: place.count)
        node.link = withBytes(of: node) { bytes in
            UInt32(truncatingIfNeeded: JSONHash.of(bytes, key: key))
        }
        names.append(nodes.count)
        nodes.append(node)
    }

    private func withBytes<Result>(of node: JSONTree.Node, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = Int(node.start)
        if start < bytes.count { return body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(node.count)])) }
        return side.withUnsafeBytes { raw in
            body(UnsafeRawBufferPointer(rebasing: raw[start - bytes.count..<start - bytes.count + Int(node.count)]))
        }
    }

    /// The names from `first` on are those of one object.
    private func refuseTwins(from first: Int) throws(SyntaxError) {
        let count = names.count - first
        guard count > 1, refusesTwins else { return }
        if count <= 8 {
            for later in first + 1..<names.count {
                for earlier in first..<later { try refuse(names[later], ifSameAs: names[earlier]) }
            }
            return
        }
        let sorted = names[first...].sorted { (nodes[$0].link, $0) < (nodes[$1].link, $1) }
        for later in 1..<count {
            var earlier = later - 1
            while earlier >= 0, nodes[sorted[earlier]].link == nodes[sorted[later]].link {
                try refuse(sorted[later], ifSameAs: sorted[earlier])
                earlier -= 1
            }
        }
    }

    private func refuse(_ later: Int, ifSameAs earlier: Int) throws(SyntaxError) {
        let (left, right) = (nodes[later], nodes[earlier])
        guard left.link == right.link, left.count == right.count else { return }
        let text = withBytes(of: left) { left in
            withBytes(of: right) { right in
                left.elementsEqual(right) ? String(decoding: left.prefix(64), as: UTF8.self) : nil
            }
        }
        guard let text else { return }
        // Where an escaped name stood in the document is not kept.
        let position = Int(left.start) < bytes.count ? Int(left.start) - 1 : position
        throw SyntaxError(reason: "the member \"\(text)\" stands twice", position: position)
    }
}
