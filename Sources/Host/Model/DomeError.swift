// Room Model: the values that every other room speaks in. Identifiers, job states and their transitions,
// events as the journal sees them, launch plans, permissions, errors, JSON. No I/O, no clock, no imports:
// what is here can be tested with nothing but values.

/// The contract's error codes, 1:1 with `domed.v1.ErrorCode`.
package enum ErrorCode: Int32, Sendable, CaseIterable {
    case invalidRequest = 1
    case invalidTransition = 2
    case notFound = 3
    case lockConflict = 4
    case idempotencyKeyReused = 5
    case policyDenied = 6
    case timeout = 7
    case `internal` = 8
    case resourceExhausted = 9

    /// The name as the contract spells it, e.g. `E_NOT_FOUND`.
    package var name: String {
        switch self {
        case .invalidRequest: "E_INVALID_REQUEST"
        case .invalidTransition: "E_INVALID_TRANSITION"
        case .notFound: "E_NOT_FOUND"
        case .lockConflict: "E_LOCK_CONFLICT"
        case .idempotencyKeyReused: "E_IDEMPOTENCY_KEY_REUSED"
        case .policyDenied: "E_POLICY_DENIED"
        case .timeout: "E_TIMEOUT"
        case .internal: "E_INTERNAL"
        case .resourceExhausted: "E_RESOURCE_EXHAUSTED"
        }
    }

    /// Whether the same request may succeed later without being changed.
    package var isRetryable: Bool {
        switch self {
        case .resourceExhausted, .timeout, .lockConflict: true
        default: false
        }
    }
}

/// The one error type. A message says what failed, on which id, and what to do; never a payload or a secret.
package struct DomeError: Error, Sendable, Equatable, CustomStringConvertible {
    package var code: ErrorCode
    package var message: String
    /// What lay underneath, e.g. "open /x: No such file or directory (errno 2)"; for logs and `--verbose`.
    package var cause: String?

    package init(_ code: ErrorCode, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        guard let cause else { return "\(code.name): \(message)" }
        return "\(code.name): \(message) (\(cause))"
    }
}
