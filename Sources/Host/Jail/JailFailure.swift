internal import CJail
package import DomeModel
internal import Glibc

/// Why a jail could not be built or its tool not be started: the exact stage, its errno, and what it was about.
package struct JailFailure: Sendable, Equatable {
    /// `dome_jail_stage`
    package var stage: UInt32
    package var errno: Int32
    /// A path, most often; may be empty.
    package var detail: String

    package init(stage: UInt32, errno: Int32, detail: String = "") {
        self.stage = stage
        self.errno = errno
        self.detail = detail
    }

    package var stageName: String { String(cString: dome_jail_stage_name(stage)) }

    /// Whether the host as such cannot build the jail, so that every job will fail like this one.
    package var isHostDefect: Bool {
        switch dome_jail_stage(rawValue: stage) {
        case DOME_JAIL_STAGE_SERVER_NAMESPACES, DOME_JAIL_STAGE_SERVER_IDMAP, DOME_JAIL_STAGE_SERVER_EXEC,
            DOME_JAIL_STAGE_SERVER_SETUP, DOME_JAIL_STAGE_ROOT, DOME_JAIL_STAGE_PROC, DOME_JAIL_STAGE_NESTED,
            DOME_JAIL_STAGE_NESTED_IDMAP, DOME_JAIL_STAGE_IDENTITY, DOME_JAIL_STAGE_CAPABILITIES:
            true
        default: false
        }
    }

    /// For people: what failed, on what, and what to do about it.
    package var error: DomeError {
        let text = String(cString: strerror(errno))
        let object = detail.isEmpty ? "" : " (\(detail))"
        let remedy = remedy.map { "; \($0)" } ?? ""
        return DomeError(
            code, "the jail cannot be entered: \(stageName)\(object): \(text)\(remedy)", cause: "errno \(errno)")
    }

    private var code: ErrorCode {
        switch errno {
        case ENOSPC, ENOMEM, EAGAIN, EMFILE, ENFILE, EDQUOT, EUSERS: return .resourceExhausted
        default: break
        }
        switch dome_jail_stage(rawValue: stage) {
        case DOME_JAIL_STAGE_EXEC, DOME_JAIL_STAGE_WORKING_DIRECTORY:
            return errno == ENOENT ? .notFound : .invalidRequest
        case DOME_JAIL_STAGE_GRANT_OPEN, DOME_JAIL_STAGE_GRANT_TARGET, DOME_JAIL_STAGE_FILES: return .invalidRequest
        case DOME_JAIL_STAGE_GRANT_CHANGED, DOME_JAIL_STAGE_GRANT_IDMAP, DOME_JAIL_STAGE_LAYERS: return .policyDenied
        default: return .internal
        }
    }

    private var remedy: String? {
        let isProc = stage == DOME_JAIL_STAGE_PROC.rawValue || detail == "/proc"
        if isProc, errno == EPERM {
            return HostRemedy.maskedProc
        }
        return switch (dome_jail_stage(rawValue: stage), errno) {
        case (DOME_JAIL_STAGE_ROOT, EINVAL) where detail == "host tree": HostRemedy.changedRoot
        case (DOME_JAIL_STAGE_SERVER_NAMESPACES, _), (DOME_JAIL_STAGE_SERVER_IDMAP, _), (DOME_JAIL_STAGE_ROOT, _),
            (DOME_JAIL_STAGE_NESTED, _), (DOME_JAIL_STAGE_NESTED_IDMAP, _), (DOME_JAIL_STAGE_CLONE, _):
            namespaceRemedy
        case (DOME_JAIL_STAGE_CGROUP, _):
            "the delegated control group has changed under the keeper: restart domed-keeper"
        case (DOME_JAIL_STAGE_GRANT_OPEN, ELOOP):
            "a symbolic link stands where the granted path was: grant what it leads to"
        case (DOME_JAIL_STAGE_GRANT_OPEN, EINVAL): "only files and folders can be granted"
        case (DOME_JAIL_STAGE_GRANT_CHANGED, _): "it was replaced after it had been checked: submit again"
        case (DOME_JAIL_STAGE_GRANT_IDMAP, _): HostRemedy.idMappedMounts
        case (DOME_JAIL_STAGE_EXEC, ENOENT):
            "no such program inside the jail (or its interpreter): is it below /usr, or granted?"
        case (DOME_JAIL_STAGE_WORK, EINVAL) where JailServer.isPrivileged: HostRemedy.unmappedIdentity
        case (DOME_JAIL_STAGE_LANDLOCK, _): HostRemedy.landlock
        case (DOME_JAIL_STAGE_LAYERS, _): SandboxLayers.advice(on: detail.split(separator: ", ").map(String.init))
        case (DOME_JAIL_STAGE_FORK, EAGAIN): HostRemedy.tooManyProcesses
        default: nil
        }
    }

    private var namespaceRemedy: String? {
        switch errno {
        case EPERM, EACCES:
            HostSettings().userNamespaceRemedy(isPrivileged: JailServer.isPrivileged) ?? HostRemedy.container
        case ENOSPC, EUSERS: HostRemedy.userNamespaceLimit
        case EAGAIN: HostRemedy.tooManyProcesses
        default: nil
        }
    }
}
