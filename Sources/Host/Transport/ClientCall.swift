internal import CNghttp2
internal import DomePlatform

/// How a client's call ended.
package struct ClientOutcome: Sendable, Equatable {
    package var status: GRPCStatus
    package var trailers = Metadata()
    /// The server certainly did nothing with the call (it was refused, or never sent): it may be made again on
    /// another connection, whatever it does.
    package var isUnprocessed = false
}

/// One RPC on the client, made by `GRPCClientConnection.start`. Every member belongs to the loop's thread; the
/// reference may travel. Set the callbacks right after `start`: none is called before the loop's next turn.
package final class ClientCall: RPCStream, @unchecked Sendable {
    // @unchecked: see above; nothing here is touched off the loop's thread.

    /// The server's initial metadata; not called when there was none before the end.
    package var onHeaders: ((Metadata) -> Void)?
    /// One message; the bytes are valid during the call only.
    package var onMessage: ((UnsafeRawBufferPointer) -> Void)?
    /// The outbound buffer has drained after `canSend` was false.
    package var onWritable: (() -> Void)?
    /// The call has ended; exactly once, nothing follows. May be called before `cancel` returns.
    package var onFinish: ((ClientOutcome) -> Void)?

    var response = ResponseHeaders()
    /// RFC 9113's count over all of the response's header blocks.
    var headerListBytes = 0
    private var deadlineTimer: LoopTimer?

    /// Whether the call has not ended yet.
    package var isActive: Bool { !isOver }

    func startDeadline(afterNanoseconds nanoseconds: Int64) {
        deadlineTimer = connection?.loop.schedule(afterNanoseconds: nanoseconds) {
            self.abandon(ClientOutcome(status: GRPCStatus(.deadlineExceeded, "the deadline has passed")))
        }
    }

    /// Leaves the deadline to the server.
    func cancelDeadline() {
        deadlineTimer?.cancel()
        deadlineTimer = nil
    }

    // MARK: Requests

    /// Sends one message, which is copied. To a server that reads slowly: mind `canSend`.
    package func send(message: UnsafeRawBufferPointer) {
        guard isActive, !isOutboundComplete else { return }
        outbound.append(message: message)
        outboundChanged()
    }

    /// Sends messages that carry their 5-byte prefixes already.
    package func sendFramed(_ bytes: consuming [UInt8]) {
        guard isActive, !isOutboundComplete else { return }
        outbound.append(framed: bytes)
        outboundChanged()
    }

    /// No more messages will follow.
    package func halfClose() {
        guard isActive, !isOutboundComplete else { return }
        isOutboundComplete = true
        outboundChanged()
    }

    /// Gives the call up; `onFinish` hears CANCELLED.
    package func cancel() {
        abandon(ClientOutcome(status: GRPCStatus(.cancelled, "the client canceled the call")))
    }

    private func abandon(_ outcome: ClientOutcome) {
        guard isActive else { return }
        reset(NGHTTP2_CANCEL)
        end(outcome)
    }

    private func reset(_ code: nghttp2_error_code) {
        guard id > 0, let connection, let session = connection.session else { return }
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
        (connection as? GRPCClientConnection)?.noteCanceled()
        connection.setNeedsFlush()
    }

    // MARK: Responses

    override func deliver(_ message: UnsafeRawBufferPointer) {
        guard isActive else { return }
        onMessage?(message)
    }

    override func becameWritable() {
        guard isActive else { return }
        onWritable?()
    }

    func headersArrived() {
        guard isActive, !response.isTrailers else { return }
        guard let refusal = response.refusal else {
            onHeaders?(response.metadata.decoded())
            return
        }
        abandon(ClientOutcome(status: refusal))
    }

    /// The response has ended, with trailers or without, and its messages are delivered.
    override func deliverEnd() {
        guard isActive else { return }
        // The server answered before the request was complete: the rest of it is not wanted.
        if !isOutboundComplete || outbound.count > 0 { reset(NGHTTP2_CANCEL) }
        end(ClientOutcome(status: response.status, trailers: response.trailers.decoded()))
    }

    override func fail(_ status: GRPCStatus) { abandon(ClientOutcome(status: status)) }

    /// The stream is gone. After a proper end its last messages may still wait for a paused receiver.
    func streamClosed(errorCode: UInt32, connectionLost reason: String?) {
        if isActive, !isRemoteDone {
            end(Self.outcome(ofClose: errorCode, connectionLost: reason))
        }
        if isOver { connection = nil } else { id = 0 }
    }

    private static func outcome(ofClose errorCode: UInt32, connectionLost reason: String?) -> ClientOutcome {
        if let reason {
            return ClientOutcome(status: GRPCStatus(.unavailable, "the connection was lost: " + reason))
        }
        return ClientOutcome(
            status: .fromReset(errorCode: errorCode),
            isUnprocessed: errorCode == NGHTTP2_REFUSED_STREAM.rawValue)
    }

    func end(_ outcome: ClientOutcome) {
        guard isActive else { return }
        isOver = true
        cancelDeadline()
        discardInbound()
        let onFinish = onFinish
        onHeaders = nil
        onMessage = nil
        onWritable = nil
        self.onFinish = nil
        if id == 0 { connection = nil }
        onFinish?(outcome)
    }
}
