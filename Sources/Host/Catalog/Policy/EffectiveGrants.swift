package import DomeModel

/// What one job may have, after manifest, policy and grants were put together.
package struct EffectiveGrants: Sendable, Equatable {
    /// Sorted by path, a folder before what is below it; sources are resolved, targets are the same path.
    package var mounts: [Mount] = []
    package var network: NetworkMode = .none
    /// Variables of the daemon's environment that are passed on. Sorted.
    package var environmentNames: [String] = []
    /// Whether Unix sockets may be made.
    package var allowsUnixSockets = false

    package init() {}

    /// In text form, with paths resolved: what an executor gets as "grants", and what provenance records.
    package var permissionTexts: [String] {
        var texts = mounts.map { ($0.isWritable ? "fs.write:" : "fs.read:") + $0.source }
        if network == .loopback { texts.append("net.loopback") }
        if network == .full { texts.append("net.full") }
        if allowsUnixSockets { texts.append("unix") }
        return texts + environmentNames.map { "env:" + $0 }
    }
}
