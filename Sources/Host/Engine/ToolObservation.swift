package import DomeAsync
internal import DomeCatalog

/// Somebody who wants to know when tools come, go or change. What he has not asked for yet is kept as the registry that he
/// knows, so that the slowest one costs no more than that.
@Core
package final class ToolObservation {
    private let engine: Engine
    private var known: CatalogSnapshot

    package struct Changes: Sendable {
        package var added: [ToolReport] = []
        package var changed: [ToolReport] = []
        package var removed: [String] = []
    }

    /// `body` is called when there is something to ask for.
    package init(_ engine: Engine, _ body: @escaping @Core () -> Void) {
        self.engine = engine
        known = engine.catalog.snapshot
        engine.toolObservers[ObjectIdentifier(self)] = body
    }

    package func cancel() { engine.toolObservers[ObjectIdentifier(self)] = nil }

    /// What is different since the last question; nil if nothing is.
    package func changes() -> Changes? {
        let now = engine.catalog.snapshot
        guard now.number != known.number else { return nil }
        let found = now.changes(since: known)
        known = now
        var changes = Changes()
        for (id, before, now) in found {
            guard let now else {
                changes.removed.append(id)
                continue
            }
            if before == nil {
                changes.added.append(engine.report(now))
            } else {
                changes.changed.append(engine.report(now))
            }
        }
        return found.isEmpty ? nil : changes
    }
}
