package import DomeModel

/// A regular expression to search texts with: the dialect of the schemas' `pattern` (ECMA-262 as far as it takes linear
/// time). Foreign patterns cannot make it slow.
package struct TextPattern: Sendable {
    private let pattern: Pattern
    /// For one text: far more than any line that people search takes.
    private static let budget = 50_000_000

    /// E_INVALID_REQUEST, with the reason, for what is none.
    package init(_ text: String) throws(DomeError) {
        do throws(Pattern.Refusal) { pattern = try Pattern(text) } catch {
            throw DomeError(.invalidRequest, "'\(text.prefix(80))' is no regular expression: \(error.reason)")
        }
    }

    /// A text so long that searching it would take seconds counts as one without a match.
    package func isFound(in text: String) -> Bool {
        var budget = Self.budget
        return pattern.matches(Array(text.utf8)[...], budget: &budget) ?? false
    }
}
