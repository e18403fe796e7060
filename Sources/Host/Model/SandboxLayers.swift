/// A protection that the jail puts around a job, with what a person should know of it.
package struct SandboxLayer: Sendable, Equatable {
    /// As records spell it.
    package let name: String
    /// What an attacker cannot do because of it; completes "stops …".
    package let stops: String
    /// What to do on a host that cannot enforce it.
    package let remedy: String
}

/// The sandbox layers that records name, by the bit that stands for each. A bit keeps its meaning for ever:
/// records of old jobs are read by new programs. The one table behind `dome sandbox explain`, `dome doctor` and the
/// refusal of a job whose jail is not whole.
package enum SandboxLayers {
    /// In the order in which the layers are built; the index is the bit.
    package static let all: [SandboxLayer] = [
        layer(
            "mount_namespace", "seeing any file of the host but the curated root and what was granted",
            HostRemedy.userNamespaces),
        layer(
            "pid_namespace", "seeing or signalling other processes, and leaving any behind", HostRemedy.userNamespaces),
        layer("ipc_namespace", "reaching System V and POSIX message queues and memory", HostRemedy.userNamespaces),
        layer(
            "network_namespace", "reaching any network, the host's loopback and its abstract sockets",
            HostRemedy.userNamespaces),
        layer(
            "user_namespace", "having rights over its own mounts; makes the process limit count per job",
            HostRemedy.userNamespaces),
        layer("unprivileged_uid", "acting as root: the job's user is nobody", HostRemedy.identity),
        layer("idmapped_grants", "leaving files of a foreign owner in granted folders", HostRemedy.idMappedMounts),
        layer("no_capabilities", "using any capability, also in a set-uid program", HostRemedy.kernel),
        layer("no_new_privs", "gaining rights by executing a set-uid or set-gid program", HostRemedy.kernel),
        layer("rlimits", "using more processes, memory, processor time or file size than allowed", HostRemedy.kernel),
        layer(
            "closed_descriptors", "using a file, socket or device that some other program had open", HostRemedy.kernel),
        layer(
            "seccomp", "calling the rarely needed parts of the kernel: mounts, namespaces, io_uring, bpf, ptrace, keys",
            HostRemedy.seccomp),
        layer(
            "landlock", "signalling or connecting out of the job, should a namespace have a hole", HostRemedy.scopes),
        layer("cgroup", "using more memory or processes than allowed, counted over the whole job", HostRemedy.cgroup),
        layer("apparmor", "what the host's AppArmor profile forbids", HostRemedy.appArmor),
        layer(
            "landlock_files", "reading or writing any other file even if a mount had a hole; writing anything in /proc",
            HostRemedy.landlock),
    ]

    package static let names = all.map(\.name)

    /// The bit of "cgroup".
    package static let cgroup: UInt64 = 1 << 13

    /// The names of the bits set; a bit of a newer program is `layer_N`.
    package static func names(of bits: UInt64) -> [String] {
        (0..<64).filter { bits & (1 << UInt64($0)) != 0 }.map { $0 < names.count ? names[$0] : "layer_\($0)" }
    }

    /// "missing layers: …" with what to do about each; nil if no bit is set.
    package static func complaint(missing bits: UInt64) -> String? {
        let missing = names(of: bits)
        guard !missing.isEmpty else { return nil }
        return "missing layers: " + missing.joined(separator: ", ") + (advice(on: missing).map { "; " + $0 } ?? "")
    }

    /// What to do on a host that cannot enforce the layers of these names, every remedy once; nil if nothing is known.
    package static func advice(on names: [String]) -> String? {
        var remedies: [String] = []
        for layer in all where names.contains(layer.name) && !remedies.contains(layer.remedy) {
            remedies.append(layer.remedy)
        }
        return remedies.isEmpty ? nil : remedies.joined(separator: "; ")
    }

    private static func layer(_ name: String, _ stops: String, _ remedy: String) -> SandboxLayer {
        SandboxLayer(name: name, stops: stops, remedy: remedy)
    }
}
