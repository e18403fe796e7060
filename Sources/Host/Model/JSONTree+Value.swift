extension JSONTree {
    /// One complete document. `what` names it in the error, E_INVALID_REQUEST with line and column. Only for documents
    /// that say nothing of importance may a member stand twice; then the first one counts.
    package static func parse(_ bytes: [UInt8], what: String, refusesTwins: Bool = true) throws(DomeError) -> JSONTree {
        do throws(JSONTreeParser.SyntaxError) {
            return try JSONTreeParser.parse(bytes, refusesTwins: refusesTwins)
        } catch {
            throw refusal(error, bytes, what)
        }
    }

    private static func refusal(_ error: JSONTreeParser.SyntaxError, _ bytes: [UInt8], _ what: String) -> DomeError {
        let place = JSONTreeParser.place(error.position, in: bytes)
        return DomeError(
            .invalidRequest,
            "\(what) is not valid JSON: \(error.reason) at line \(place.line), column \(place.column)")
    }

    /// A value as a tree. Doubles are the shortest decimals that stand for them.
    package init(_ value: JSONValue) {
        let key = JSONHash.key
        nodes.reserveCapacity(64)
        text.reserveCapacity(512)
        append(value, key)
    }

    private mutating func append(_ value: JSONValue, _ key: UInt64) {
        switch value {
        case .null: nodes.append(Node(.null))
        case .bool(let flag): nodes.append(Node(flag ? .yes : .no))
        case .integer(let number): nodes.append(Node(integer: number))
        case .double(let number):
            // What JSON has no number for becomes null, as everywhere.
            guard number.isFinite else { return nodes.append(Node(.null)) }
            append(number.description, as: .decimal, key)
        case .string(let string): append(string, as: .string, key)
        case .array(let elements):
            let node = nodes.count
            nodes.append(Node(.array, count: UInt32(truncatingIfNeeded: elements.count)))
            for element in elements { append(element, key) }
            nodes[node].link = UInt32(truncatingIfNeeded: nodes.count)
        case .object(let object):
            let node = nodes.count
            nodes.append(Node(.object, count: UInt32(truncatingIfNeeded: object.count)))
            for (name, value) in object.members {
                let start = text.count
                append(name, as: .string, key)
                let hash = text.withUnsafeBytes { raw in
                    JSONHash.of(UnsafeRawBufferPointer(rebasing: raw[start...]), key: key)
                }
                nodes[nodes.count - 1].link = UInt32(truncatingIfNeeded: hash)
                append(value, key)
            }
            nodes[node].link = UInt32(truncatingIfNeeded: nodes.count)
        }
    }

    private mutating func append(_ string: String, as kind: Kind, _ key: UInt64) {
        let start = text.count
        text.append(contentsOf: string.utf8)
        nodes.append(
            Node(
                kind, start: UInt32(truncatingIfNeeded: start), count: UInt32(truncatingIfNeeded: text.count - start)))
    }

    /// The tree as a value. A number beyond an Int64 becomes the nearest double; nil, with the number's node, for one
    /// beyond those too.
    func value(at node: Int, tooLarge: inout Int?) -> JSONValue {
        switch nodes[node].kind {
        case .null: return .null
        case .no: return .bool(false)
        case .yes: return .bool(true)
        case .integer: return .integer(nodes[node].integer)
        case .decimal:
            guard let number = Double(String(decoding: bytes(of: node), as: UTF8.self)), number.isFinite else {
                tooLarge = tooLarge ?? node
                return .null
            }
            return .double(number)
        case .string: return .string(String(decoding: bytes(of: node), as: UTF8.self))
        case .array:
            var elements: [JSONValue] = []
            elements.reserveCapacity(Int(nodes[node].count))
            var position = node + 1
            for _ in 0..<nodes[node].count {
                elements.append(value(at: position, tooLarge: &tooLarge))
                position = next(after: position)
            }
            return .array(elements)
        case .object:
            var members: [(key: String, value: JSONValue)] = []
            members.reserveCapacity(Int(nodes[node].count))
            var position = node + 1
            for _ in 0..<nodes[node].count {
                let name = String(decoding: bytes(of: position), as: UTF8.self)
                members.append((name, value(at: position + 1, tooLarge: &tooLarge)))
                position = next(after: position + 1)
            }
            return .object(JSONObject(unique: members))
        }
    }

    /// The value at `node` on one line, numbers as they were written.
    package func compact(_ node: Int = 0) -> String {
        var output: [UInt8] = []
        write(node, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func write(_ node: Int, into output: inout [UInt8]) {
        let (value, isObject) = (nodes[node], nodes[node].kind == .object)
        switch value.kind {
        case .null: output.append(contentsOf: "null".utf8)
        case .no: output.append(contentsOf: "false".utf8)
        case .yes: output.append(contentsOf: "true".utf8)
        case .integer: output.append(contentsOf: String(value.integer).utf8)
        case .decimal: output.append(contentsOf: bytes(of: node))
        case .string: JSONText.writeString(String(decoding: bytes(of: node), as: UTF8.self), into: &output)
        case .array, .object:
            output.append(isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
            var position = node + 1
            for index in 0..<value.count {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                if isObject {
                    write(position, into: &output)
                    output.append(UInt8(ascii: ":"))
                    position += 1
                }
                write(position, into: &output)
                position = next(after: position)
            }
            output.append(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        }
    }
}
