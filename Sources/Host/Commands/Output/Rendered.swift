/// Text of others, made harmless and measurable for a terminal.
enum Rendered {
    /// On one line: line breaks, tabs and everything that could drive a terminal or reorder its text are escaped.
    static func line(_ text: String) -> String { escape(text, keepsLines: false) }

    /// The same with line breaks kept.
    static func lines(_ text: String) -> String { escape(text, keepsLines: true) }

    /// "1 event", "2 events".
    static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(number) \(noun)" + (number == 1 ? "" : "s")
    }

    private static func escape(_ text: String, keepsLines: Bool) -> String {
        guard text.unicodeScalars.contains(where: { isDangerous($0) }) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where keepsLines: output += "\n"
            case "\n": output += "\\n"
            case "\t": output += keepsLines ? "    " : "\\t"
            case "\r": output += "\\r"
            default:
                if isDangerous(scalar) {
                    output += "\\u{" + String(scalar.value, radix: 16) + "}"
                } else {
                    output.unicodeScalars.append(scalar)
                }
            }
        }
        return output
    }

    /// Controls (C0, DEL, C1), and the marks that change the direction of text or hide in it.
    private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0: true
        case 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb, 0xe0000...0xe007f: true
        default: false
        }
    }

    /// Columns that `text` takes on a terminal, near enough: combining marks none, wide characters two.
    static func width(_ text: String) -> Int {
        var width = 0
        for scalar in text.unicodeScalars { width += columns(scalar) }
        return width
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        guard scalar.value >= 0x300 else { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1faff,
            0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }

    /// Cut to `limit` columns, with an ellipsis.
    static func cut(_ text: String, to limit: Int) -> String {
        guard width(text) > limit, limit > 0 else { return text }
        var output = ""
        var used = 0
        for character in text {
            let columns = width(String(character))
            guard used + columns < limit else { break }
            output.append(character)
            used += columns
        }
        return output + "…"
    }
}

/// Colours, or nothing.
struct Style {
    let isOn: Bool

    func bold(_ text: String) -> String { wrap("1", text) }
    func green(_ text: String) -> String { wrap("32", text) }
    func red(_ text: String) -> String { wrap("31", text) }
    func yellow(_ text: String) -> String { wrap("33", text) }

    private func wrap(_ code: String, _ text: String) -> String { isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}

/// Columns that line up. Cells are made harmless here.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: [String]) { self.header = header }

    mutating func add(_ cells: [String]) { rows.append(cells.map(Rendered.line)) }

    /// The last column is cut to what a terminal of `width` columns has left.
    func text(width: Int?, style: Style) -> String {
        var widths = header.map(Rendered.width)
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], Rendered.width(cell))
            }
        }
        var output = style.bold(layOut(header, widths, width)) + "\n"
        for row in rows { output += layOut(row, widths, width) + "\n" }
        return output
    }

    private func layOut(_ cells: [String], _ widths: [Int], _ limit: Int?) -> String {
        var line = ""
        var used = 0
        for (index, cell) in cells.enumerated() {
            if index == cells.count - 1 {
                line += limit.map { Rendered.cut(cell, to: max(10, $0 - used)) } ?? cell
            } else {
                line += cell + String(repeating: " ", count: widths[index] - Rendered.width(cell) + 2)
                used += widths[index] + 2
            }
        }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}

/// `name: value` lines that line up.
struct Fields {
    private var lines: [(name: String, value: String)] = []

    /// An empty value is left out.
    mutating func add(_ name: String, _ value: String) {
        if !value.isEmpty { lines.append((name, value)) }
    }

    func text(style: Style) -> String {
        let width = lines.map { Rendered.width($0.name) }.max() ?? 0
        var output = ""
        for (name, value) in lines {
            let indentation = String(repeating: " ", count: width + 2)
            let parts = Rendered.lines(value).split(separator: "\n", omittingEmptySubsequences: false)
            let padding = String(repeating: " ", count: width - Rendered.width(name) + 1)
            output += style.bold(name + ":") + padding + parts.joined(separator: "\n" + indentation) + "\n"
        }
        return output
    }
}
