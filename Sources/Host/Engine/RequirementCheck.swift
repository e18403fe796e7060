internal import DomeAsync
internal import DomeCatalog
internal import DomeModel
internal import DomePlatform

/// What tools require of this machine and whether it is there, remembered for a moment: a list of ten thousand tools
/// looks for each program once. What is missing is looked for again before anybody is refused.
@Core
final class RequirementCheck {
    private let rules: RulesReader
    private var seen: [ToolRequirement: (missing: String?, at: Int64)] = [:]
    private static let lifeNanoseconds: Int64 = 2_000_000_000
    private static let countLimit = 20_000

    nonisolated init(_ rules: RulesReader) { self.rules = rules }

    /// Looks for those that were not looked for lately.
    func look(at requirements: [ToolRequirement]) async {
        guard !requirements.isEmpty else { return }
        let now = Clock.monotonicNanoseconds()
        await renew(requirements.filter { seen[$0].map { now - $0.at > Self.lifeNanoseconds } ?? true }, now)
    }

    private func renew(_ requirements: [ToolRequirement], _ now: Int64) async {
        guard !requirements.isEmpty else { return }
        let found = await rules.missing(requirements)
        // What no tool asks for any more goes.
        if seen.count > Self.countLimit { seen = seen.filter { now - $0.value.at < Self.lifeNanoseconds } }
        for (requirement, missing) in found { seen[requirement] = (missing, now) }
    }

    /// Why a tool cannot be run, as last seen; nil if it can.
    func unavailable(_ manifest: ToolManifest) -> String? {
        let missing = manifest.requirements.compactMap { seen[$0]?.missing }
        return missing.isEmpty ? nil : missing.joined(separator: "; ")
    }

    /// Refuses a tool that lacks something: E_NOT_FOUND, with what is missing and the package that brings it.
    func check(_ manifest: ToolManifest) async throws(DomeError) {
        guard !manifest.requirements.isEmpty else { return }
        await look(at: manifest.requirements)
        guard unavailable(manifest) != nil else { return }
        await renew(manifest.requirements, Clock.monotonicNanoseconds())
        guard let reason = unavailable(manifest) else { return }
        throw DomeError(.notFound, "\(manifest.id) is unavailable: it \(reason)")
    }
}
