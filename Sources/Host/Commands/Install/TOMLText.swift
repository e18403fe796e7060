/// A TOML file as lines and tables, to add and remove tables of ours while every other byte stays as it is. It knows
/// where strings, arrays and inline tables end, so that nothing inside of one is taken for a header; what values mean
/// is not its business.
struct TOMLText {
    /// A line that is not inside of a value, by its meaning.
    enum Item: Equatable {
        /// `[a."b.c"]`, or `[[a]]`.
        case header([String])
        /// `a.b = …`, with the value's text as it is.
        case entry([String], value: String)
        /// Empty, or a comment.
        case space
    }

    struct Statement: Equatable {
        var item: Item
        /// With its line ending; of several lines if the value has them.
        var text: String
    }

    private(set) var statements: [Statement] = []

    /// Nil if it is no TOML, as far as this looks.
    init?(_ text: String) {
        var scanner = TOMLScanner(text)
        while !scanner.isAtEnd {
            guard let statement = scanner.statement() else { return nil }
            statements.append(statement)
        }
    }

    var text: String { statements.map(\.text).joined() }

    /// Whether something other than a header of its own gives `path` a value, so that a header would be an error.
    func isTaken(_ path: [String]) -> Bool {
        var table: [String] = []
        for statement in statements {
            switch statement.item {
            case .header(let name): table = name
            case .entry(let key, _):
                let whole = table + key
                // An entry above it (an inline table), or inside of it under another header.
                if path.starts(with: whole) { return true }
                if table.count < path.count, whole.starts(with: path) { return true }
            case .space: break
            }
        }
        return false
    }

    /// Which statements are the table's: its header and the entries up to the next header.
    private func range(of table: [String]) -> Range<Int>? {
        guard let start = statements.firstIndex(where: { $0.item == .header(table) }) else { return nil }
        var end = start + 1
        for index in (start + 1)..<max(statements.count, start + 1) {
            switch statements[index].item {
            case .header: return start..<end
            case .entry: end = index + 1
            case .space: break
            }
        }
        return start..<end
    }

    /// Sees to it that the table has these entries, and leaves others in it alone. A table that was not there comes
    /// to the end, after an empty line.
    mutating func set(_ table: [String], _ entries: [(key: String, value: String)]) {
        guard let range = range(of: table) else {
            append(table, entries)
            return
        }
        var position = range.upperBound
        for (key, value) in entries {
            let index = range.first { index in
                if case .entry([key], _) = statements[index].item { true } else { false }
            }
            guard let index else {
                endLine(position - 1)
                statements.insert(Self.entry(key, value), at: position)
                position += 1
                continue
            }
            if case .entry(_, value: value) = statements[index].item { continue }
            statements[index] = Self.entry(key, value)
        }
    }

    /// Removes these entries and, if nothing else is left in the table, its header and the empty line before it.
    mutating func remove(_ table: [String], _ keys: [String]) {
        guard let range = range(of: table) else { return }
        let own = range.filter { index in
            if case .entry(let key, _) = statements[index].item {
                key.count == 1 && keys.contains(key[0])
            } else {
                false
            }
        }
        for index in own.reversed() { statements.remove(at: index) }
        let rest = range.lowerBound + 1..<range.upperBound - own.count
        guard rest.allSatisfy({ statements[$0].text.allSatisfy(\.isWhitespace) }) else { return }
        var start = range.lowerBound
        if start > 0, statements[start - 1].text.allSatisfy(\.isWhitespace) { start -= 1 }
        statements.removeSubrange(start..<rest.upperBound)
    }

    private mutating func append(_ table: [String], _ entries: [(key: String, value: String)]) {
        if !statements.isEmpty {
            endLine(statements.count - 1)
            statements.append(Statement(item: .space, text: "\n"))
        }
        let name = table.map { Self.isBare($0) ? $0 : Self.quoted($0) }.joined(separator: ".")
        statements.append(Statement(item: .header(table), text: "[\(name)]\n"))
        for (key, value) in entries { statements.append(Self.entry(key, value)) }
    }

    private mutating func endLine(_ index: Int) {
        if statements[index].text.last?.isNewline != true { statements[index].text += "\n" }
    }

    private static func entry(_ key: String, _ value: String) -> Statement {
        Statement(item: .entry([key], value: value), text: "\(key) = \(value)\n")
    }

    static func isBare(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                TOMLScanner.isBareKey(byte)
            }
    }

    /// A basic string.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": output += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    static func list(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }
}
