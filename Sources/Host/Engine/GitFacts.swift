/// What git says of a folder.
package struct GitFacts: Sendable, Equatable {
    /// The repository's top folder, or "unknown" outside of one.
    package var repository = "unknown"
    package var remote = "unknown"
    package var commit = "unknown"
    package var isDirty = false
    /// Of what git says the working tree differs in from the commit; "none" for a clean one, "unknown" if nobody can say.
    package var diffSHA256 = "unknown"

    package init() {}
}
