internal import DomeLink
internal import DomeModel

extension KeeperInnerServer {
    /// The layers that such a job must have around it.
    func requiredLayers(allowsUnixSockets: Bool) -> UInt64 {
        allowsUnixSockets ? requiredLayersWithSockets : requiredLayers
    }

    /// What this server, being ready, could not enforce around such a job, for people.
    func obstacles(allowsUnixSockets: Bool, _ limits: Limits) -> [String] {
        var obstacles: [String] = []
        if layers & SandboxLayers.cgroup == 0, let refusal = limits.refusalWithoutCgroup { obstacles.append(refusal) }
        let missing = requiredLayers(allowsUnixSockets: allowsUnixSockets) & ~layers
        if let complaint = SandboxLayers.complaint(missing: missing) {
            obstacles.append("the sandbox cannot be enforced: " + complaint)
        }
        return obstacles
    }
}
