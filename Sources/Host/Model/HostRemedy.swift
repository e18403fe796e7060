/// What to do about a host on which something that dome needs does not work. Each text stands here once and is said
/// by whoever finds the fault: the start-up probe, a refused job, `dome doctor`.
package enum HostRemedy {
    package static let kernel = "run Linux 6.1 or later"
    package static let userNamespaces =
        "the host refuses user namespaces: see 'dome doctor' for the setting that does"
    package static let userNamespacesOff = "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1"
    package static let userNamespaceLimit = "raise the limit of namespaces: sysctl user.max_user_namespaces=15000"
    /// Ubuntu 24.04: namespaces can be made, but have no rights.
    package static let appArmor = """
        load the AppArmor profile that comes with dome: \
        sudo install -m 644 PREFIX/share/dome/apparmor/dome /etc/apparmor.d/dome && \
        sudo apparmor_parser -r /etc/apparmor.d/dome \
        (or, for all programs: sysctl kernel.apparmor_restrict_unprivileged_userns=0)
        """
    package static let container =
        "in a container, allow clone, unshare and mount in its seccomp profile (docker: --security-opt seccomp=unconfined)"
    package static let maskedProc =
        "/proc of this host is masked, as in many containers: run the container with an unmasked /proc "
        + "(docker: --security-opt systempaths=unconfined)"
    package static let seccomp = "run a kernel with CONFIG_SECCOMP_FILTER"
    package static let landlock =
        "run a kernel with Landlock, and landlock among the modules of its lsm= option"
    package static let scopes =
        "with net.full and unix together only Linux 6.12 or later will do: grant one of the two, or run a newer kernel"
    package static let idMappedMounts =
        "its file system has no id-mapped mounts, which root's jobs need: run domed as an ordinary user"
    package static let identity = "run domed as an ordinary user, or as root with CAP_SETUID and CAP_SETGID"
    package static let cgroup =
        "run domed as a systemd user service with Delegate=yes; until then memory is limited per process"
    package static let tooManyProcesses = "too many processes: try again when jobs have ended"
}
