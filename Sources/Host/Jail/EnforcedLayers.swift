// Room Jail: from a launch plan to the inner server's bytes, and from its replies back to words. What happens
// between fork and exec is C (the room CJail); what a job is given is decided here and nowhere else. No
// concurrency: the keeper calls this room from its only thread.

internal import CJail
internal import DomeModel

/// The sandbox layers in force around a job, a bit each, as they go into its record. A bit keeps its meaning
/// for ever: records of old jobs are read by new programs.
package struct EnforcedLayers: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    init(_ layer: dome_jail_layer) { rawValue = UInt64(layer.rawValue) }

    /// Own mount namespace over the curated root.
    package static let mounts = EnforcedLayers(DOME_JAIL_LAYER_MOUNTS)
    package static let processes = EnforcedLayers(DOME_JAIL_LAYER_PIDS)
    package static let ipc = EnforcedLayers(DOME_JAIL_LAYER_IPC)
    /// No network but the job's own: empty, or only `lo`.
    package static let network = EnforcedLayers(DOME_JAIL_LAYER_NETWORK)
    /// A nested user namespace, entered after the mounts were made.
    package static let userNamespace = EnforcedLayers(DOME_JAIL_LAYER_USER)
    /// Root's jobs run as an unprivileged user.
    package static let identity = EnforcedLayers(DOME_JAIL_LAYER_IDENTITY)
    /// Granted paths are id-mapped mounts (root's jobs only, and only where an owner differs).
    package static let idMappedGrants = EnforcedLayers(DOME_JAIL_LAYER_IDMAP)
    /// No capabilities, the bounding set included.
    package static let capabilities = EnforcedLayers(DOME_JAIL_LAYER_CAPABILITIES)
    package static let noNewPrivileges = EnforcedLayers(DOME_JAIL_LAYER_NO_NEW_PRIVS)
    package static let limits = EnforcedLayers(DOME_JAIL_LAYER_LIMITS)
    package static let descriptors = EnforcedLayers(DOME_JAIL_LAYER_DESCRIPTORS)
    package static let seccomp = EnforcedLayers(DOME_JAIL_LAYER_SECCOMP)
    /// Scopes: no signal and no connection to an abstract Unix socket leaves the job (kernel 6.12; before it the PID
    /// namespace and a network namespace of the job's own do the same).
    package static let landlock = EnforcedLayers(DOME_JAIL_LAYER_LANDLOCK)
    /// Files: only the curated root and what was granted, whatever the mounts show.
    package static let landlockFiles = EnforcedLayers(DOME_JAIL_LAYER_LANDLOCK_FILES)
    /// A cgroup v2 group of its own: memory and processes are limited for the job as a whole.
    package static let cgroup = EnforcedLayers(DOME_JAIL_LAYER_CGROUP)
    package static let appArmor = EnforcedLayers(DOME_JAIL_LAYER_APPARMOR)

    /// The layers' names as records and `dome doctor` spell them.
    package var layerNames: [String] { SandboxLayers.names(of: rawValue) }

    /// What every job must have, or it is refused.
    /// - Parameters:
    ///   - hasHostNetwork: the job was granted the host's network.
    ///   - isRoot: its inner server is root.
    ///   - allowsUnixSockets: it was granted Unix sockets. In a network namespace of its own that reaches nobody; in
    ///     the host's, the scopes alone stand between it and the host's abstract sockets.
    ///   - hasCgroups: the keeper was given control groups.
    package static func required(
        hasHostNetwork: Bool, isRoot: Bool, allowsUnixSockets: Bool = false, hasCgroups: Bool = false
    ) -> EnforcedLayers {
        var layers: EnforcedLayers = [
            .mounts, .processes, .ipc, .userNamespace, .capabilities, .noNewPrivileges, .limits, .descriptors,
            .seccomp, .landlockFiles,
        ]
        if !hasHostNetwork { layers.insert(.network) }
        if isRoot { layers.insert(.identity) }
        if hasHostNetwork, allowsUnixSockets { layers.insert(.landlock) }
        if hasCgroups { layers.insert(.cgroup) }
        return layers
    }
}
