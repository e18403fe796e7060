/// Something that `dome registry lint` has to say of a tool.
package struct LintFinding: Sendable, Equatable {
    package enum Severity: String, Sendable, Comparable {
        /// It would be better otherwise.
        case warning
        /// The tool does not load, or says what is not so.
        case error

        package static func < (left: Severity, right: Severity) -> Bool { left == .warning && right == .error }
    }

    /// The tool's folder.
    package var folder: String
    /// The file in it.
    package var file: String
    /// A JSON pointer into the file; "" for all of it.
    package var pointer: String
    /// The rule's name.
    package var rule: String
    package var severity: Severity
    /// What is found.
    package var message: String
    /// What to do about it.
    package var remedy: String
}
