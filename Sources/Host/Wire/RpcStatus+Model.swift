// Room Wire: where the contract's messages and the Model's values meet. Conversions between the two, in both
// directions and without decisions, and the encoder that turns a journal's events into the bytes of a stream. What
// a number on the wire means is said here once; handlers and clients above never compare raw numbers.
package import DomeModel
package import DomeProto

extension Domed_V1_RpcStatus {
    /// Success; `message` is for people, e.g. "submitted".
    package static func ok(_ message: String = "") -> Self {
        var status = Self()
        status.ok = true
        status.message = message
        return status
    }

    /// A failure. The error's `cause` stays behind: it may name paths that are not the client's business.
    package init(_ error: DomeError) {
        self.init()
        code = Domed_V1_ErrorCode(error.code)
        message = error.message
        retryable = error.code.isRetryable
    }

    /// The failure this says, or nil if it says success. A code that this build does not know is `internal`, with
    /// the number as the cause.
    package var error: DomeError? {
        guard !ok else { return nil }
        if let known = ErrorCode(code) { return DomeError(known, message) }
        return DomeError(.internal, message, cause: "unknown error code \(code)")
    }
}

extension Domed_V1_RpcStatus? {
    /// Returns if the status says success, else throws what it says. A response without any status is no answer.
    package func get() throws(DomeError) {
        guard let self else { throw DomeError(.internal, "the daemon's response has no status") }
        if let error = self.error { throw error }
    }
}

extension Domed_V1_ErrorCode {
    package init(_ code: ErrorCode) { self.init(rawValue: code.rawValue) }
}

extension ErrorCode {
    /// The code of that number, or nil for 0 and for numbers that this build does not know.
    package init?(_ code: Domed_V1_ErrorCode) { self.init(rawValue: code.rawValue) }
}
