internal import CJail
package import DomePlatform

/// What an inner server says. Of each job, in this order: prepared, executed, exited; `failed` comes instead of
/// what is left and is final like `exited`: with either, nothing of the job is alive.
package enum JailReply {
    /// The server's root is built; every job will have these layers. Comes once, first.
    case ready(EnforcedLayers)
    /// The server could not be set up and is gone.
    case unusable(JailFailure)
    /// Everything but exec is done. `work` is /job's root: readable now and after the job's end.
    case prepared(token: UInt64, layers: EnforcedLayers, work: FileDescriptor?)
    /// The tool runs.
    case executed(token: UInt64, wallNanoseconds: Int64)
    case failed(token: UInt64, JailFailure)
    /// The job's PID namespace is empty.
    case exited(token: UInt64, JailExit)
}

/// How a job ended.
package struct JailExit: Sendable, Equatable {
    package enum Cause: Sendable, Equatable {
        /// The tool ended, by exit or signal.
        case exited
        /// `JailServer.kill` came first; the status is 9.
        case killed
        /// The job's PID 1 died unasked: the OOM killer, or a SIGKILL from outside.
        case lost
    }

    package var cause: Cause
    /// As waitpid gave it.
    package var rawWaitStatus: Int32
    /// Whether exec had succeeded.
    package var hasExecuted: Bool
    package var layers: EnforcedLayers
    /// Of everything that ran in the namespace, our PID 1 included.
    package var userMicroseconds: UInt64
    package var systemMicroseconds: UInt64
    /// Of the largest process.
    package var maxResidentKilobytes: UInt64
    /// File data made for disks; /job, /tmp and pipes are none.
    package var diskWrittenBytes: UInt64
}

extension JailReply {
    /// Takes ownership of `work`, -1 for none. nil: a kind that this version does not know.
    init?(_ reply: dome_jail_reply, work: Int32) {
        let descriptor = work >= 0 ? FileDescriptor(owning: work) : nil
        let layers = EnforcedLayers(rawValue: reply.layers)
        switch dome_jail_reply_kind(rawValue: reply.kind) {
        case DOME_JAIL_READY: self = .ready(layers)
        case DOME_JAIL_PREPARED: self = .prepared(token: reply.token, layers: layers, work: descriptor)
        case DOME_JAIL_EXECED: self = .executed(token: reply.token, wallNanoseconds: reply.wall_nanoseconds)
        case DOME_JAIL_FAILED:
            var failure = JailFailure(stage: reply.stage, errno: reply.error, detail: Self.detail(reply))
            if reply.stage == DOME_JAIL_STAGE_LAYERS.rawValue, let missing = UInt64(failure.detail) {
                failure.detail = EnforcedLayers(rawValue: missing).layerNames.joined(separator: ", ")
            }
            self = reply.token == 0 ? .unusable(failure) : .failed(token: reply.token, failure)
        case DOME_JAIL_EXIT: self = .exited(token: reply.token, JailExit(reply, layers))
        default: return nil
        }
    }

    private static func detail(_ reply: dome_jail_reply) -> String {
        withUnsafeBytes(of: reply.detail) { String(decoding: $0.prefix(Int(reply.detail_size)), as: UTF8.self) }
    }
}

extension JailExit {
    fileprivate init(_ reply: dome_jail_reply, _ layers: EnforcedLayers) {
        switch dome_jail_cause(rawValue: reply.cause) {
        case DOME_JAIL_CAUSE_EXITED: cause = .exited
        case DOME_JAIL_CAUSE_KILLED: cause = .killed
        default: cause = .lost
        }
        rawWaitStatus = reply.status
        hasExecuted = reply.executed != 0
        self.layers = layers
        userMicroseconds = reply.user_microseconds
        systemMicroseconds = reply.system_microseconds
        maxResidentKilobytes = reply.max_resident_kilobytes
        diskWrittenBytes = reply.disk_written_bytes
    }
}
