package import DomeModel

/// One thing that a job does not get, why, and what a person may do about it.
package struct PolicyRefusal: Error, Sendable, Equatable {
    package let toolID: String
    /// What was asked for; nil: the tool as such is refused.
    package let permission: Permission?
    package let reason: String
    /// The change of the policy that would allow it; empty if none would.
    package let remedy: String

    /// As a request is answered.
    package var error: DomeError {
        let what = permission.map { "\(toolID): \($0) is refused: " } ?? "\(toolID) is refused: "
        return DomeError(.policyDenied, what + reason + (remedy.isEmpty ? "" : "; " + remedy))
    }
}

/// What manifest, policy and grants come to: what a job gets, and what stands in its way.
package struct PolicyDecision: Sendable {
    /// What the job gets, without what is refused.
    package internal(set) var grants = EffectiveGrants()
    /// Each by itself is enough to refuse the job.
    package internal(set) var refusals: [PolicyRefusal] = []
}

/// What a caller may add by grant, as the manifest offers it.
package struct PolicyOffer: Sendable {
    package let permission: Permission
    /// Nil: it is given when it is asked for (a path, when the path itself is no reason against it).
    package let refusal: PolicyRefusal?
}
