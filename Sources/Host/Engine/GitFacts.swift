/// What git says of a folder.
package struct GitFacts: Sendable, Equatable {
    /// The repository's top folder, or "unknown" outside of one.
    package var repository = "unknown"
    package var remote = "unknown"
    package var commit = "unknown"
    package var isDirty = false

    package init() {}
}
