/// Swift source in the making: lines at the current indentation.
struct SourceText {
    private(set) var content = ""
    private var indentation = ""
    static let maximumColumns = 120

    mutating func line(_ text: String = "") {
        if !text.isEmpty { content += indentation + text }
        content += "\n"
    }

    /// `opening {`, what `body` adds, `}`.
    mutating func block(_ opening: String, _ body: (inout SourceText) throws -> Void) rethrows {
        line(opening + " {")
        let outer = indentation
        indentation += "    "
        try body(&self)
        indentation = outer
        line("}")
    }

    mutating func indented(_ body: (inout SourceText) -> Void) {
        let outer = indentation
        indentation += "    "
        body(&self)
        indentation = outer
    }

    /// A docstring, or with another `prefix` a plain comment. Lines that are too long are broken at spaces.
    mutating func comment(_ text: String, prefix: String = "///") {
        let width = Self.maximumColumns - indentation.count - prefix.count - 1
        for paragraphLine in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if paragraphLine.isEmpty {
                line(prefix)
                continue
            }
            var rest = paragraphLine
            while rest.count > width, let space = rest.prefix(width + 1).lastIndex(of: " "), space > rest.startIndex {
                line(prefix + " " + rest[..<space])
                rest = rest[rest.index(after: space)...]
            }
            line(prefix + " " + rest)
        }
    }
}
