internal import DomePlatform

extension Core {
    /// Suspends the calling task; the core goes on meanwhile. For retries with a pause, never for polling.
    @Core
    package static func sleep(milliseconds: UInt64) async {
        await withCheckedContinuation { continuation in
            loop.schedule(afterMilliseconds: milliseconds) { continuation.resume() }
        }
    }
}
