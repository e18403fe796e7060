internal import DomeAsync
internal import DomeModel
internal import DomeStore

/// What this daemon has counted since it started. On the core's thread alone: to count is to add.
@Core
final class Metrics {
    private struct End: Hashable {
        var tool: String
        var outcome: String
    }

    private(set) var submitted: [String: UInt64] = [:]
    private(set) var refused: [String: UInt64] = [:]
    private var ended: [End: UInt64] = [:]
    private(set) var keepersLost: UInt64 = 0
    private(set) var journalBytes: UInt64 = 0
    private(set) var admission = Histogram()
    private(set) var waiting = Histogram()
    private(set) var running = Histogram()
    private(set) var whole = Histogram()

    nonisolated init() {}

    func admitted(_ tool: String, nanoseconds: Int64) {
        submitted[tool, default: 0] += 1
        admission.observe(nanoseconds: nanoseconds)
    }

    func refused(_ code: ErrorCode) { refused[code.name, default: 0] += 1 }

    func keeperLost() { keepersLost += 1 }

    func ended(_ record: JobRecord) {
        ended[
            End(tool: record.toolID, outcome: record.reason.isEmpty ? record.state.name : record.reason), default: 0] +=
            1
        journalBytes += record.outputBytes
        guard let end = record.endedNanoseconds else { return }
        whole.observe(nanoseconds: end - record.createdNanoseconds)
        guard let start = record.startedNanoseconds else { return }
        waiting.observe(nanoseconds: start - record.createdNanoseconds)
        running.observe(nanoseconds: end - start)
    }

    /// Ordered, so that two scrapes of the same state are the same.
    var ends: [(tool: String, outcome: String, count: UInt64)] {
        ended.map { ($0.key.tool, $0.key.outcome, $0.value) }
            .sorted { ($0.tool, $0.outcome) < ($1.tool, $1.outcome) }
    }
}
