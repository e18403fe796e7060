/// What to do about a host on which something that dome needs does not work. Each text stands here once and is said
/// by whoever finds the fault: the start-up probe, a refused job, `dome doctor`.
package enum HostRemedy {
    package static let kernel = "run Linux 6.1 or later"
    /// For a layer that is missing although the jail was entered: the details are the doctor's.
    package static let userNamespaces = "the host refuses user namespaces: see 'dome doctor' for the setting that does"
    package static let userNamespacesOff = "allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1"
    package static let userNamespaceLimit =
        "raise the limit of user namespaces: sudo sysctl user.max_user_namespaces=15000"
    /// Ubuntu 24.04: namespaces can be made, but have no rights.
    package static let appArmor =
        "load the AppArmor profile that comes with dome: sudo install -m 644 PREFIX/share/dome/apparmor/dome "
        + "/etc/apparmor.d/dome && sudo apparmor_parser -r /etc/apparmor.d/dome, with the PREFIX of the installation "
        + "(or, for all programs: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
    package static let container =
        "something forbids user namespaces, most likely a container or a chroot: allow clone, unshare and mount in the "
        + "container's seccomp profile (docker: --security-opt seccomp=unconfined), and leave the chroot"
    package static let changedRoot =
        "the root folder is no mount point, as after a chroot, where nobody can make namespaces: enter it as "
        + "systemd-nspawn, a container or unshare with pivot_root does"
    package static let maskedProc =
        "/proc of this host is masked, as in many containers: run the container with an unmasked /proc (docker: "
        + "--security-opt systempaths=unconfined)"
    package static let seccomp = "run a kernel with CONFIG_SECCOMP_FILTER"
    package static let landlock =
        "the kernel has no Landlock: boot one that is built with it (Debian 12's and Ubuntu 24.04's are), with "
        + "`landlock` in the kernel parameter `lsm=` if that is set"
    package static let scopes =
        "with net.full and unix together only Linux 6.12 or later will do: grant one of the two, or run a newer kernel"
    package static let idMappedMounts =
        "its file system has no id-mapped mounts, which root's jobs need: run domed as an ordinary user"
    package static let identity = "run domed as an ordinary user, or as root with CAP_SETUID and CAP_SETGID"
    package static let unmappedIdentity =
        "uid 65534, which root's jobs run as, does not exist in this user namespace: map it, or run domed as an "
        + "ordinary user"
    package static let cgroup =
        "let domed run in a cgroup that is delegated to it: as the systemd user service (Delegate=yes)"
    package static let tooManyProcesses = "too many processes: try again when jobs have ended"
}

extension Limits {
    /// Why a job with these limits cannot run where no cgroup is delegated; nil if it can. Nothing else enforces a share
    /// of a processor.
    package var refusalWithoutCgroup: String? {
        guard cpuPercent > 0 else { return nil }
        return "the limit cpu_percent cannot be enforced without a cgroup: " + HostRemedy.cgroup
    }
}
