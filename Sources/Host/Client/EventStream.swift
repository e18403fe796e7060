package import DomeAsync
internal import DomePlatform
internal import DomeProto
internal import DomeTransport

/// The events of one StreamJobEvents call.
package typealias EventStream = ResponseStream<JobEvent>

/// The messages of one streaming call, in batches. A reader that takes its time holds the server back: at most about
/// `highWater` of them wait here.
@Core
package final class ResponseStream<Element: Sendable> {
    private let highWater: Int
    private let call: ClientCall
    private var waiting: [Element] = []
    private var outcome: ClientOutcome?
    private var isMalformed = false
    private var isPaused = false
    private var waiter: CheckedContinuation<Void, Never>?

    private let read: (UnsafeRawBufferPointer) -> Element?

    /// `read` makes an element of a message, or nil of one that is malformed.
    init<Request: ProtoMessage, Response>(
        _ connection: GRPCClientConnection, _ metadata: Metadata, _ method: ProtoMethod<Request, Response>,
        _ request: Request, highWater: Int = 8_192, read: @escaping (UnsafeRawBufferPointer) -> Element?
    ) {
        self.read = read
        self.highWater = highWater
        call = connection.start(method.path, metadata: metadata)
        call.onMessage = { [weak self] message in Core.assumeIsolated { self?.take(message) } }
        call.onFinish = { [weak self] outcome in Core.assumeIsolated { self?.finish(outcome) } }
        request.serialized().withUnsafeBytes { call.send(message: $0) }
        call.halfClose()
    }

    deinit {
        let call = call
        Core.loop.execute { call.cancel() }
    }

    /// The events that came since the last call, waiting for at least one; nil at the proper end.
    package func next() async throws(ClientError) -> [Element]? {
        while waiting.isEmpty {
            if isMalformed { throw .protocolBroken("an event of the stream is malformed") }
            if let outcome {
                if outcome.status.isOK { return nil }
                throw ClientError(outcome)
            }
            if isPaused {
                isPaused = false
                call.resumeReceiving()
                continue
            }
            await withCheckedContinuation { continuation in
                // A task that does not prefer the core's executor gets here only in a later turn of the loop:
                // what it waits for may have come meanwhile.
                if waiting.isEmpty, outcome == nil { waiter = continuation } else { continuation.resume() }
            }
        }
        var batch: [Element] = []
        swap(&batch, &waiting)
        return batch
    }

    /// Gives the stream up; `next` then fails.
    package func cancel() { call.cancel() }

    private func take(_ message: UnsafeRawBufferPointer) {
        guard let event = read(message) else {
            isMalformed = true
            call.cancel()
            return
        }
        waiting.append(event)
        if waiting.count >= highWater, !isPaused {
            isPaused = true
            call.pauseReceiving()
        }
        wake()
    }

    private func finish(_ outcome: ClientOutcome) {
        self.outcome = outcome
        wake()
    }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }
}
