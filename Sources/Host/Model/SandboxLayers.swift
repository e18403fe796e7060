/// The sandbox layers that records name, by the bit that stands for each. A bit keeps its meaning for ever:
/// records of old jobs are read by new programs.
package enum SandboxLayers {
    /// In the order in which the layers are built; the index is the bit.
    package static let names = [
        "mount_namespace", "pid_namespace", "ipc_namespace", "network_namespace", "user_namespace",
        "unprivileged_uid", "idmapped_grants", "no_capabilities", "no_new_privs", "rlimits", "closed_descriptors",
        "seccomp", "landlock", "cgroup", "apparmor", "landlock_files",
    ]

    /// The names of the bits set; a bit of a newer program is `layer_N`.
    package static func names(of bits: UInt64) -> [String] {
        (0..<64).filter { bits & (1 << UInt64($0)) != 0 }.map { $0 < names.count ? names[$0] : "layer_\($0)" }
    }
}
