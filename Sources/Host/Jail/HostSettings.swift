internal import CJail
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// What this host says of the kernel features that a jail takes. Read anew each time: an administrator may be mending
/// it right now. Reads a few small files of /proc and /sys.
package struct HostSettings: Sendable {
    /// Of the running kernel, e.g. "6.12.0-amd64".
    package var kernelRelease: String
    /// user.max_user_namespaces; nil: the kernel does not say.
    package var userNamespaceLimit: UInt64?
    /// kernel.unprivileged_userns_clone is 0 (Debian's own switch).
    package var forbidsUserNamespaces: Bool
    /// kernel.apparmor_restrict_unprivileged_userns is 1 (Ubuntu).
    package var restrictsByAppArmor: Bool
    package var hasSeccomp: Bool
    /// 0: no Landlock.
    package var landlockABI: Int32

    package init() {
        var system = utsname()
        uname(&system)
        kernelRelease = withUnsafeBytes(of: &system.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        userNamespaceLimit = Self.setting("/proc/sys/user/max_user_namespaces").flatMap { UInt64($0) }
        forbidsUserNamespaces = Self.setting("/proc/sys/kernel/unprivileged_userns_clone") == "0"
        restrictsByAppArmor = Self.setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
        hasSeccomp = Files.exists("/proc/sys/kernel/seccomp/actions_avail")
        landlockABI = dome_jail_landlock_abi()
    }

    /// Whether the kernel is 6.1 or later; true for a release that cannot be understood.
    package var isKernelNewEnough: Bool {
        let numbers = kernelRelease.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        return numbers.count < 2 || !numbers.lexicographicallyPrecedes([6, 1])
    }

    /// What keeps user namespaces from being made, and with them every job; nil if nothing that can be seen here.
    package func userNamespaceRemedy(isPrivileged: Bool) -> String? {
        if userNamespaceLimit == 0 { return HostRemedy.userNamespaceLimit }
        // Root keeps its capabilities up to the job's own namespace.
        guard !isPrivileged else { return nil }
        if forbidsUserNamespaces { return HostRemedy.userNamespacesOff }
        return restrictsByAppArmor ? HostRemedy.appArmor : nil
    }

    private static func setting(_ path: String) -> String? {
        guard let bytes = try? Files.read(path, limitBytes: 4096) else { return nil }
        return String(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" })
    }
}
