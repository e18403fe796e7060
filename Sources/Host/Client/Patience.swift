internal import DomeAsync
internal import DomePlatform

/// How long to go on trying after a connection was lost: a minute without anything, at first at once and then each
/// second.
@Core
struct Patience {
    private let deadline = Clock.monotonicNanoseconds() + 60_000_000_000
    private var pauseMilliseconds: UInt64 = 10
    private static let longestPauseMilliseconds: UInt64 = 1_000

    /// Returns when it is time to try again, or throws `error`. A daemon that never answered (`hadConnection`) is an error at
    /// once.
    mutating func wait(after error: ClientError, hadConnection: Bool) async throws(ClientError) {
        guard mayRetry(error, hadConnection), Clock.monotonicNanoseconds() < deadline else { throw error }
        await Core.sleep(milliseconds: pauseMilliseconds)
        pauseMilliseconds = min(pauseMilliseconds * 2, Self.longestPauseMilliseconds)
    }

    private func mayRetry(_ error: ClientError, _ hadConnection: Bool) -> Bool {
        switch error {
        case .connectionLost: true
        case .unavailable: hadConnection
        default: false
        }
    }
}
