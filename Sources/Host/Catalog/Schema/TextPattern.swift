package import DomeModel

/// A regular expression to search texts with: the dialect of the schemas' `pattern` (ECMA-262 as far as it takes linear
/// time). Foreign patterns cannot make it slow.
package struct TextPattern: Sendable {
    private let pattern: Pattern

    /// E_INVALID_REQUEST, with the reason, for what is none.
    package init(_ text: String) throws(DomeError) {
        do throws(Pattern.Refusal) { pattern = try Pattern(text) } catch {
            throw DomeError(.invalidRequest, "'\(text.prefix(80))' is no regular expression: \(error.reason)")
        }
    }

    package func isFound(in text: String) -> Bool {
        var matcher = PatternMatcher(pattern)
        return matcher.run(text)
    }
}
