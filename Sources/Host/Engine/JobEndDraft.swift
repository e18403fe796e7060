internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import DomeStore
internal import Synchronization

/// What is known of a job's end before it ends, as texts: made while the job runs, when nobody waits for it.
struct JobDocuments: Sendable {
    /// The provenance document without the sandbox's part, and without the brace that ends it.
    var openProvenance: String
    /// The plan without environment, input and files: those may hold secrets.
    var plan: String

    init(provenance: JSONObject, plan: LaunchPlan?) {
        openProvenance = JSONValue.object(provenance).compact
        openProvenance.removeLast()
        self.plan = plan.map { Self.summary(of: $0).compact } ?? "{}"
    }

    private static func summary(of plan: LaunchPlan) -> JSONValue {
        [
            "program": .string(plan.arguments.first ?? ""), "argument_count": .integer(Int64(plan.arguments.count)),
            "mounts": .array(plan.mounts.map { .string(($0.isWritable ? "write:" : "read:") + $0.source) }),
            "network": .string(plan.network.name), "wall_ms": .integer(Int64(clamping: plan.limits.wallMilliseconds)),
        ]
    }
}

/// Everything that a job's last transaction writes, but for what only its finished journal tells.
struct JobEndDraft: Sendable {
    var jobID: JobID
    var toolID: String
    var caller: Caller
    var startedNanoseconds: Int64?
    var documents: JobDocuments
    var exit: ExitReport?
    var artifacts = ArtifactOutcome.none
    var result = ResultOutcome.none
    /// nil when there is nothing to be read, as far as is known.
    var output: OutputDigests?

    /// Events of a job that wrote nothing: queued, running, ended.
    private static let silentCount: UInt64 = 3

    /// The whole, once the journal has its terminal event.
    func completed(by journal: FinishedJournal) -> FinishedJob {
        let ending = journal.ending
        let exitTime = exit.map(\.endedNanoseconds) ?? 0
        let endedNanoseconds = exitTime > 0 ? exitTime : Clock.wallNanoseconds()
        var (provenance, enforcement, resources) = (documents.openProvenance, "{}", "{}")
        if let exit {
            enforcement = EnforcementText.of(exit.enforcedLayers)
            resources = Self.resources(exit).compact
            let digests = output ?? (journal.lastSeq <= Self.silentCount ? .empty : .unknown)
            let products = products(digests).compact
            provenance += ",\"products\":\(products),\"sandbox\":\(enforcement),\"resources\":\(resources)"
        }
        provenance += "}"
        var finished = FinishedJob(
            jobID: jobID, state: ending.state, reason: ending.reason, endedNanoseconds: endedNanoseconds,
            lastSeq: journal.lastSeq, outcome: outcome(journal, provenance, endedNanoseconds))
        finished.message = ending.message
        finished.startedNanoseconds = startedNanoseconds
        finished.exitCode = ending.exitCode
        finished.signal = ending.signal
        finished.outputBytes = journal.bytes &+ artifacts.byteCount
        finished.artifacts = artifacts.artifacts
        finished.planJSON = documents.plan
        finished.provenanceJSON = provenance
        finished.enforcementJSON = enforcement
        finished.resourcesJSON = resources
        return finished
    }

    private func products(_ digests: OutputDigests) -> JSONValue {
        let products = artifacts.products(digests)
        guard let product = result.product, var object = products.objectValue else { return products }
        object["result"] = product
        return .object(object)
    }

    private func outcome(_ journal: FinishedJournal, _ provenance: String, _ endedNanoseconds: Int64) -> AuditEntry {
        AuditEntry(
            .outcome, timeNanoseconds: endedNanoseconds, actor: caller, jobID: jobID, toolID: toolID,
            outcome: journal.ending.state.name,
            details: Self.details(journal.ending, lastSeq: journal.lastSeq, provenance: provenance))
    }

    private static func details(_ ending: JobEnding, lastSeq: UInt64, provenance: String) -> JSONObject {
        var details: JSONObject = ["reason": .string(ending.reason)]
        // What vouches for the document that lies with the job.
        if let digest = try? SHA256.digest(provenance) { details["provenance_sha256"] = .string(digest.hex) }
        if let exitCode = ending.exitCode { details["exit_code"] = .integer(Int64(exitCode)) }
        if let signal = ending.signal { details["signal"] = .integer(Int64(signal)) }
        details["last_seq"] = .integer(Int64(clamping: lastSeq))
        return details
    }

    /// Microseconds, kilobytes and bytes as the names say. What is not known is left out.
    private static func resources(_ exit: ExitReport) -> JSONValue {
        let isWhole = exit.peakMemoryBytes != nil
        var resources: JSONObject = [
            "user_us": .integer(Int64(clamping: exit.userMicroseconds)),
            "system_us": .integer(Int64(clamping: exit.systemMicroseconds)),
            "max_rss_kb": .integer(Int64(clamping: exit.maxResidentKilobytes)),
            "peak_memory_bytes": .integer(
                Int64(clamping: exit.peakMemoryBytes ?? exit.maxResidentKilobytes.clampedKilobytes * 1024)),
            "peak_memory_of": isWhole ? "job" : "largest_process",
            "wall_us": .integer(max(0, exit.endedNanoseconds - exit.startedNanoseconds) / 1_000),
        ]
        if let bytes = exit.diskWrittenBytes { resources["disk_written_bytes"] = .integer(Int64(clamping: bytes)) }
        if let bytes = exit.workUsedBytes { resources["work_used_bytes"] = .integer(Int64(clamping: bytes)) }
        return .object(resources)
    }
}

extension UInt64 {
    /// Small enough to become bytes.
    fileprivate var clampedKilobytes: UInt64 { Swift.min(self, 1 << 50) }
}

/// What was enforced, as text. Job after job it is the same, and it is made on the way to a job's end: the last one is kept.
private enum EnforcementText {
    private static let last = Mutex<(layers: UInt64, text: String)?>(nil)

    static func of(_ layers: UInt64) -> String {
        last.withLock { last in
            if let last, last.layers == layers { return last.text }
            let text = make(layers).compact
            last = (layers, text)
            return text
        }
    }

    private static func make(_ layers: UInt64) -> JSONValue {
        let hasCgroup = layers & SandboxLayers.cgroup != 0
        let perProcess = Limits().resourceLimits(hasCgroup: hasCgroup)
            .filter { $0.scope == .process && $0.resource != .coreBytes }
        return [
            "layers": .array(SandboxLayers.names(of: layers).map { .string($0) }),
            "per_process_limits": .array(perProcess.map { .string($0.resource.rawValue) }),
        ]
    }
}
