/// JSON pointers (RFC 6901).
extension JSONValue {
    /// The value at `pointer`: "" is this one, "/a/0" the first element of member "a". nil: there is none.
    package func value(at pointer: String) -> JSONValue? {
        guard !pointer.isEmpty else { return self }
        guard pointer.utf8.first == UInt8(ascii: "/") else { return nil }
        var value = self
        for part in pointer.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let name = Self.unescaped(String(Substring(part)))
            switch value {
            case .object(let object):
                guard let member = object[name] else { return nil }
                value = member
            case .array(let elements):
                // No sign, no leading zero.
                guard let index = Int(name), "\(index)" == name, elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    private static func unescaped(_ part: String) -> String {
        guard part.utf8.contains(UInt8(ascii: "~")) else { return part }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in part.utf8 {
            switch (isEscaped, byte) {
            case (false, UInt8(ascii: "~")): isEscaped = true
            case (true, UInt8(ascii: "0")): (isEscaped, bytes) = (false, bytes + [UInt8(ascii: "~")])
            case (true, UInt8(ascii: "1")): (isEscaped, bytes) = (false, bytes + [UInt8(ascii: "/")])
            default: (isEscaped, bytes) = (false, bytes + [byte])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `name` as a part of a pointer.
    package static func pointerPart(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Where two documents differ.
package struct JSONDifference: Sendable, Equatable {
    /// A JSON pointer.
    package var pointer: String
    /// nil: it is not there.
    package var before: JSONValue?
    package var after: JSONValue?

    /// The differences, at most `limit` of them, in the order of `before`. Arrays of different lengths differ as wholes.
    package static func list(
        _ before: JSONValue?, _ after: JSONValue?, at pointer: String = "", limit: Int = 100
    ) -> [JSONDifference] {
        guard before != after, limit > 0 else { return [] }
        var found: [JSONDifference] = []
        func add(_ name: String, _ before: JSONValue?, _ after: JSONValue?) {
            found += list(
                before, after, at: pointer + "/" + JSONValue.pointerPart(name), limit: limit - found.count)
        }
        switch (before, after) {
        case (.object(let left)?, .object(let right)?):
            for (key, value) in left.members { add(key, value, right[key]) }
            for (key, value) in right.members where left[key] == nil { add(key, nil, value) }
        case (.array(let left)?, .array(let right)?) where left.count == right.count:
            for (index, pair) in zip(left, right).enumerated() { add("\(index)", pair.0, pair.1) }
        default: found = [JSONDifference(pointer: pointer, before: before, after: after)]
        }
        return found
    }

    /// One line for people; long values are cut.
    package var description: String {
        func short(_ value: JSONValue?) -> String {
            guard let value else { return "nothing" }
            let text = value.compact
            return text.utf8.count <= 200 ? text : String(text.prefix(180)) + "… (\(text.utf8.count) bytes)"
        }
        return "\(pointer.isEmpty ? "/" : pointer): \(short(before)) → \(short(after))"
    }
}
