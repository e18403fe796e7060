internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import DomeStore

/// Events of things that have happened already and cannot be refused any more (a denial, a cancel, a plugin's crash): kept
/// until they are written, in order. What is still to be done is refused instead when it cannot be recorded.
@Core
final class PendingAudit {
    private let store: Store
    /// `isDecided` is set when the event is written, and when it turns out that it cannot be now.
    private var entries: [(entry: AuditEntry, isDecided: OneShot<Void>)] = []
    private var isWriting = false

    /// With this many waiting, requests are refused before they are looked at: what cannot be recorded does not happen.
    static let limit = 1_000
    private static let pauseMilliseconds: UInt64 = 1_000

    nonisolated init(_ store: Store) { self.store = store }

    var count: Int { entries.count }

    /// Records it and returns when it is durable; if that cannot be now, it is done as soon as it can be.
    func record(_ entry: AuditEntry) async {
        guard entries.isEmpty else {
            // Behind the others, which come first.
            return await enqueue(entry).wait()
        }
        do throws(DomeError) { try await store.appendAudit(entry) } catch {
            Log.error("audit.delayed", ["kind": entry.kind.rawValue, "error": error.description])
            add(entry)
        }
    }

    /// Records it, now or as soon as that is possible again. Nobody waits.
    func add(_ entry: AuditEntry) { _ = enqueue(entry) }

    private func enqueue(_ entry: AuditEntry) -> OneShot<Void> {
        let isDecided = OneShot<Void>()
        entries.append((entry, isDecided))
        if !isWriting {
            isWriting = true
            Core.task { [self] in await write() }
        }
        return isDecided
    }

    /// Throws when nothing more can be remembered.
    func check() throws(DomeError) {
        guard entries.count < Self.limit else {
            throw DomeError(
                .resourceExhausted,
                "the audit log cannot be written, and \(entries.count) events wait for it; 'dome status' "
                    + "says why")
        }
    }

    private func write() async {
        while let next = entries.first {
            do throws(DomeError) {
                try await store.appendAudit(next.entry)
                entries.removeFirst()
                next.isDecided.set(())
            } catch {
                Log.error("audit.delayed", ["kind": next.entry.kind.rawValue, "error": error.description])
                for waiting in entries where waiting.isDecided.value == nil { waiting.isDecided.set(()) }
                await Core.sleep(milliseconds: Self.pauseMilliseconds)
            }
        }
        isWriting = false
    }
}
