/// A semantic version (semver.org 2.0.0), ordered by its precedence; build metadata does not count.
package struct SemanticVersion: Sendable, Comparable {
    private let numbers: [String]
    private let preRelease: [String]

    /// Whether it is before a release.
    package var isPreRelease: Bool { !preRelease.isEmpty }

    /// Of a text that a manifest was accepted with; what is no version sorts first.
    package init(_ text: String) {
        let withoutBuild = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let parts = withoutBuild.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        numbers = (parts.first ?? "").split(separator: ".").map(String.init)
        preRelease = parts.count > 1 ? parts[1].split(separator: ".").map(String.init) : []
    }

    package static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        if left.numbers != right.numbers { return isBefore(left.numbers, right.numbers) }
        guard left.isPreRelease, right.isPreRelease else { return left.isPreRelease && !right.isPreRelease }
        return isBefore(left.preRelease, right.preRelease)
    }

    private static func isBefore(_ left: [String], _ right: [String]) -> Bool {
        for (one, other) in zip(left, right) where one != other { return isBefore(one, other) }
        return left.count < right.count
    }

    /// Numbers, of any length, come before words and count as numbers.
    private static func isBefore(_ left: String, _ right: String) -> Bool {
        let (isNumber, isOtherNumber) = (left.allSatisfy(\.isNumber), right.allSatisfy(\.isNumber))
        guard isNumber == isOtherNumber else { return isNumber }
        if isNumber, left.utf8.count != right.utf8.count { return left.utf8.count < right.utf8.count }
        return left < right
    }
}
