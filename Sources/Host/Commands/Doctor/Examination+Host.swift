import DomeJail
import DomeModel
import DomePlatform
import Glibc

// The machine: what a jail is made of, and then the jail itself.
extension Examination {
    mutating func examineHost() {
        let host = HostSettings()
        check("kernel", host.isKernelNewEnough, host.kernelRelease, remedy: HostRemedy.kernel)
        if let remedy = host.userNamespaceRemedy(isPrivileged: JailServer.isPrivileged) {
            // AppArmor may have a profile for us, which cannot be seen from here; the sandbox's own check tells.
            note(
                remedy == HostRemedy.appArmor ? .remark : .failed, "user namespaces",
                remedy == HostRemedy.appArmor
                    ? "restricted by AppArmor; if the sandbox fails, " + remedy : "switched off: " + remedy)
        } else {
            note(.good, "user namespaces", host.userNamespaceLimit.map { "up to \($0)" } ?? "no limit")
        }
        check(
            "seccomp", host.hasSeccomp, host.hasSeccomp ? "filters can be set" : "no filters",
            remedy: HostRemedy.seccomp)
        examineLandlock(host.landlockABI)
        examineCgroup()
    }

    private mutating func examineLandlock(_ abi: Int32) {
        switch abi {
        case ..<1: note(.failed, "landlock", HostRemedy.landlock)
        case ..<6:
            note(
                .good, "landlock",
                "ABI \(abi): files; instead of its scopes (ABI 6, kernel 6.12) a network namespace for each job that "
                    + "may make sockets, and its PID namespace")
        default: note(.good, "landlock", "ABI \(abi): files, signals, abstract sockets")
        }
    }

    /// Of this process; domed's own, which counts, is told by the daemon's layers when it runs.
    private mutating func examineCgroup() {
        let controllers = Self.firstLine("/sys/fs/cgroup/cgroup.controllers") ?? ""
        let own = Self.firstLine("/proc/self/cgroup").flatMap { $0.hasPrefix("0::") ? String($0.dropFirst(3)) : nil }
        guard let own, !controllers.isEmpty else {
            return note(
                .remark, "cgroup", "no cgroup v2 at /sys/fs/cgroup: memory and processor time are limited per process")
        }
        let isDelegated = access("/sys/fs/cgroup\(own)/cgroup.procs", W_OK) == 0 && own != "/"
        guard !isDelegated else { return note(.good, "cgroup", "delegated: \(own)") }
        note(
            .remark, "cgroup",
            "not delegated to programs started here: memory is limited per process; to limit it per job, "
                + HostRemedy.cgroup)
    }

    /// Runs `true` through the very jail that jobs get, for each network.
    mutating func examineSandbox() {
        for hasHostNetwork in [false, true] {
            var configuration = JailServer.Configuration()
            configuration.hasHostNetwork = hasHostNetwork
            if let programs = try? Directories.ofExecutable(), access(Self.jailProgram(programs), X_OK) == 0 {
                configuration.binary = Self.jailProgram(programs)
            }
            let report = JailProbe.run(configuration)
            let name = hasHostNetwork ? "sandbox, net full" : "sandbox"
            if report.isComplete {
                note(.good, name, report.layers.layerNames.joined(separator: ", "))
            } else {
                let missing = SandboxLayers.complaint(missing: report.missing.rawValue) ?? "incomplete"
                note(.failed, name, report.failure?.message ?? missing)
            }
        }
    }

    static func jailProgram(_ programs: String) -> String { programs + "/../lib/dome/domed-jail" }

    private static func firstLine(_ path: String) -> String? {
        guard let bytes = try? Files.read(path, limitBytes: 64 << 10) else { return nil }
        return String(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" })
    }
}
