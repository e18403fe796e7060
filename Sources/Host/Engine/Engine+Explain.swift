internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
package import DomeModel

extension Engine {
    /// What a job of this tool would get, found out by the very steps that a submission takes: policy, bounds, plan
    /// review, inner server. Admits nothing. E_NOT_FOUND for an unknown tool, E_INVALID_REQUEST for constraints or a
    /// policy file that cannot be understood; what is refused is part of the answer.
    package func explainSandbox(
        _ toolID: String, constraintsJSON: String
    ) async throws(DomeError) -> SandboxExplanation {
        let tool = try await currentTool(toolID)
        let constraints = try Constraints(parsing: constraintsJSON)
        let policy = try await currentPolicy()
        let (decision, offers) = await rules.decide(policy, tool, grants: constraints.grants)
        var explanation = SandboxExplanation(tool.manifest, decision, offers)
        guard case .executor = tool.manifest.execution else { return explanation }
        do throws(DomeError) { try await checkPlugin(of: tool) } catch { explanation.obstacles.append(error.message) }
        do throws(DomeError) { try await requirements.check(tool.manifest) } catch {
            explanation.obstacles.append(error.message)
        }
        do throws(DomeError) { try pins.check(tool) } catch { explanation.obstacles.append(error.message) }
        explanation.plan = try plan(of: tool.manifest, decision.grants, constraints)
        do throws(DomeError) {
            let keeper = try await keepers.usable(for: decision.grants.network)
            explanation.server = keeper.innerServers[decision.grants.network == .full]
        } catch {
            explanation.obstacles.append(error.message)
            let servers = keepers.connections.last?.innerServers
            explanation.server = servers?[decision.grants.network == .full]
        }
        return explanation
    }

    /// The plan that a keeper would get if the executor asked for all that it may. Its argv and task stand for others.
    private func plan(
        of manifest: ToolManifest, _ grants: EffectiveGrants, _ constraints: Constraints
    ) throws(DomeError) -> LaunchPlan {
        let id = JobID(createdMilliseconds: 0, random: (0, 0))
        let environment = JobEnvironment.make(
            jobID: id, toolID: manifest.id, profile: "", taskJSON: "{}", constraintsJSON: "{}",
            usesTerminal: manifest.usesTerminal, fixed: manifest.environment, passed: grants.passedEnvironment)
        let bounds = PlanBounds(id, manifest, grants, constraints, environment: environment, taskJSON: "{}")
        return try PlanReview(bounds).plan(from: Array(#"{"argv":["tool"]}"#.utf8), executor: manifest.executorBackend)
    }
}
