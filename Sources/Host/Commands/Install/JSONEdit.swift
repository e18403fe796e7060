import DomeModel

/// A JSON file with one member changed, and every other byte as it was.
enum JSONEdit {
    /// Sets or, with nil, removes the member `name` of the object `object` at the top, which is made if need be.
    /// Nil if the text is no JSON object, or `object` is something else.
    static func set(_ text: String, object: String, name: String, to value: JSONValue?) -> String? {
        guard let document = (try? JSONParser.parse(text, what: "the file"))?.objectValue else { return nil }
        let bytes = Array(text.utf8)
        guard let top = JSONOutline.object(bytes, from: 0) else { return nil }
        guard let inner = document[object] else {
            guard let value else { return text }
            let whole: JSONValue = .object([name: value])
            return inserted(bytes, into: top, object, whole, level: 1)
        }
        guard inner.objectValue != nil, let place = top.members.last(where: { $0.name == object }),
            let outline = JSONOutline.object(bytes, from: place.value.lowerBound)
        else { return nil }
        if inner[name] == value { return text }
        guard let member = outline.members.last(where: { $0.name == name }) else {
            guard let value else { return text }
            return inserted(bytes, into: outline, name, value, level: 2)
        }
        if let value { return replaced(bytes, member.value, pretty(value, level: 2)) }
        return removed(bytes, outline, member)
    }

    private static func pretty(_ value: JSONValue, level: Int) -> String {
        let lines = value.indented.split(separator: "\n")
        return lines.joined(separator: "\n" + String(repeating: "  ", count: level))
    }

    private static func replaced(_ bytes: [UInt8], _ range: Range<Int>, _ text: String) -> String {
        String(decoding: bytes[..<range.lowerBound] + Array(text.utf8) + bytes[range.upperBound...], as: UTF8.self)
    }

    private static func inserted(
        _ bytes: [UInt8], into outline: JSONOutline, _ name: String, _ value: JSONValue, level: Int
    ) -> String {
        let margin = "\n" + String(repeating: "  ", count: level)
        let member = margin + JSONValue.string(name).compact + ": " + pretty(value, level: level)
        if let last = outline.members.last {
            return replaced(bytes, last.value.upperBound..<last.value.upperBound, "," + member)
        }
        let end = "\n" + String(repeating: "  ", count: level - 1)
        return replaced(bytes, outline.inside, member + end)
    }

    private static func removed(_ bytes: [UInt8], _ outline: JSONOutline, _ member: JSONOutline.Member) -> String {
        let index = outline.members.firstIndex { $0.key == member.key } ?? 0
        if outline.members.count == 1 { return replaced(bytes, outline.inside, "") }
        // With the comma before it, or with the one after it for the first.
        let range =
            index > 0
            ? outline.members[index - 1].value.upperBound..<member.value.upperBound
            : outline.inside.lowerBound..<(outline.commaEnd(after: member, in: bytes))
        return replaced(bytes, range, "")
    }
}

/// Where the members of an object lie in a text that is known to be JSON.
struct JSONOutline {
    struct Member {
        var name: String
        /// The name with its quotes.
        var key: Range<Int>
        var value: Range<Int>
    }

    var members: [Member] = []
    /// Between the braces.
    var inside: Range<Int>

    /// Nil if no object begins there.
    static func object(_ bytes: [UInt8], from start: Int) -> JSONOutline? {
        var position = start
        func skipSpace() { while position < bytes.count, bytes[position] <= 0x20 { position += 1 } }
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "{") else { return nil }
        position += 1
        let open = position
        var outline = JSONOutline(inside: open..<open)
        while true {
            skipSpace()
            guard position < bytes.count else { return nil }
            if bytes[position] == UInt8(ascii: "}") { break }
            if bytes[position] == UInt8(ascii: ",") { position += 1 }
            skipSpace()
            let key = position..<end(of: bytes, from: position)
            guard let name = (try? JSONParser.parse(Array(bytes[key]), what: "a name"))?.stringValue else { return nil }
            position = key.upperBound
            skipSpace()
            position += 1
            skipSpace()
            let value = position..<end(of: bytes, from: position)
            outline.members.append(Member(name: name, key: key, value: value))
            position = value.upperBound
        }
        outline.inside = open..<position
        return outline
    }

    func commaEnd(after member: Member, in bytes: [UInt8]) -> Int {
        let comma = bytes[member.value.upperBound...].firstIndex(of: UInt8(ascii: ","))
        return comma.map { $0 + 1 } ?? member.value.upperBound
    }

    /// Where the value that begins at `start` ends.
    private static func end(of bytes: [UInt8], from start: Int) -> Int {
        var position = start
        var depth = 0
        var isInString = false
        while position < bytes.count {
            let byte = bytes[position]
            if isInString {
                if byte == UInt8(ascii: "\\") { position += 1 }
                if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if depth == 0 { return position + 1 }
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return position }
                    depth -= 1
                    if depth == 0 { return position + 1 }
                case UInt8(ascii: ","): if depth == 0 { return position }
                case 0...0x20: if depth == 0 { return position }
                default: break
                }
            }
            position += 1
        }
        return min(position, bytes.count)
    }
}
