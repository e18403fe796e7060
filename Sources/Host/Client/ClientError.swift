package import DomeModel
internal import DomeTransport

/// Why a call brought nothing.
package enum ClientError: Error, Sendable, Equatable {
    /// The daemon answered, and this is its answer.
    case refused(DomeError)
    /// There is no daemon to talk to, or it is not ours; the text says what to do.
    case unavailable(String)
    /// The connection went away in the middle; the call may be made again.
    case connectionLost(String)
    /// The daemon took too long.
    case timedOut(String)
    /// The daemon does not know the call: it is older than this program.
    case unsupported(String)
    /// What came is not what the contract says.
    case protocolBroken(String)

    /// For people.
    package var message: String {
        switch self {
        case .refused(let error): error.message
        case .unavailable(let text), .connectionLost(let text), .timedOut(let text), .unsupported(let text),
            .protocolBroken(let text):
            text
        }
    }

    init(_ outcome: ClientOutcome) {
        let text = outcome.status.message
        switch outcome.status.code {
        case .unavailable: self = .connectionLost("the connection to domed was lost: \(text)")
        case .deadlineExceeded: self = .timedOut("domed did not answer in time")
        case .unimplemented:
            self = .unsupported("this domed is older than dome and does not know the call; restart it (\(text))")
        case .notFound: self = .refused(DomeError(.notFound, text))
        case .invalidArgument: self = .refused(DomeError(.invalidRequest, text))
        case .outOfRange: self = .refused(DomeError(.invalidRequest, text))
        case .dataLoss: self = .refused(DomeError(.internal, text))
        case .resourceExhausted: self = .refused(DomeError(.resourceExhausted, text))
        case .permissionDenied, .unauthenticated: self = .refused(DomeError(.policyDenied, text))
        // The server tells a call that it cannot finish to go elsewhere: it is about to leave.
        case .cancelled, .aborted: self = .connectionLost("domed ended the call: \(text)")
        default: self = .protocolBroken("domed failed: \(outcome.status)")
        }
    }
}
