internal import CNghttp2
package import DomePlatform

/// Why a call ended before its handler finished it.
package enum CallCancellation: Sendable, Equatable {
    /// The client reset the stream.
    case byClient
    /// The client's deadline passed; it was told DEADLINE_EXCEEDED.
    case deadlineExceeded
    case connectionLost
    /// The transport refused the rest of the request (its framing, its size) and told the client so.
    case rejected
}

/// One RPC on the server. Every member belongs to the loop's thread; the reference itself may travel, so that a
/// handler can hand it to another thread and come back with `EventLoop.execute`. After the call has ended, all
/// operations do nothing.
package final class ServerCall: RPCStream, @unchecked Sendable {
    // @unchecked: see above; nothing here is touched off the loop's thread.

    // What the request's headers said; filled in by ServerConnection.
    var method: RPCMethod?
    var request = RequestHeaders()
    /// For the error message, when there is no such method.
    var unknownPath: String?
    private let admittedPeer: Peer?

    /// One message of a client-streaming or bidirectional call; the bytes are valid during the call only.
    package var onMessage: ((UnsafeRawBufferPointer) -> Void)?
    /// The client has sent its last message.
    package var onHalfClose: (() -> Void)?
    /// The call ended and `finish` has not been called; at most once, nothing else follows.
    package var onCancel: ((CallCancellation) -> Void)?
    /// The outbound buffer has drained after `canSend` was false.
    package var onWritable: (() -> Void)?

    /// When the client stops waiting, on `Clock.monotonicNanoseconds`; nil: never.
    package private(set) var deadlineMonotonicNanoseconds: Int64?
    private var deadlineTimer: LoopTimer?

    /// An outcome was decided: nothing more goes in either direction but that.
    private var isFinished: Bool { isOver }
    private var isStarted = false
    private var status = GRPCStatus.ok
    private var trailers: Metadata?
    var hasSentMessage = false
    var hasSentHeaders = false

    init(connection: ServerConnection) {
        admittedPeer = connection.peer
        super.init(connection: connection)
    }

    /// The method's path, `/package.Service/Method`.
    package var path: String { method?.path ?? "" }

    /// Who called, on a Unix socket.
    package var peer: Peer? { admittedPeer }

    /// What the client attached. Decoded on each call: keep it if you need it twice.
    package func metadata() -> Metadata { request.metadata.decoded() }

    /// Whether somebody still waits for the call's outcome.
    package var isActive: Bool { connection != nil && !isFinished }

    // MARK: Starting

    func startDeadline() {
        guard let timeout = request.timeoutNanoseconds, let loop = connection?.loop else { return }
        deadlineMonotonicNanoseconds = Clock.monotonicNanoseconds().addingReportingOverflow(timeout).partialValue
        deadlineTimer = loop.schedule(afterNanoseconds: timeout) {
            self.abort(GRPCStatus(.deadlineExceeded, "the deadline has passed"), .deadlineExceeded)
        }
    }

    /// The headers are complete and acceptable.
    func start() {
        isStarted = true
        switch method?.handler {
        case .clientStreaming(let handler), .bidirectional(let handler): handler(self)
        default: break
        }
    }

    // MARK: Requests

    private var takesOneRequest: Bool { method?.handler.takesOneRequest ?? true }

    func receiveChunk(_ bytes: UnsafeRawBufferPointer, isFrameComplete: Bool, endsStream: Bool) {
        guard !isFinished, isStarted else {
            connection?.consume(bytes.count, stream: id)
            return
        }
        guard takesOneRequest else { return receive(bytes) }
        if isFrameComplete, endsStream, assembler.isEmpty, bytes.count >= 5, bytes[0] == 0,
            Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))) == bytes.count - 5,
            bytes.count - 5 <= connection?.limits.maxMessageBytes ?? 0
        {
            // The whole request in one frame, as nearly always: the handler reads it where it lies.
            connection?.consume(bytes.count, stream: id)
            isRemoteDone = true
            return invoke(UnsafeRawBufferPointer(rebasing: bytes[5...]))
        }
        // One message is delivered only when it is certain that it is the only one: at the stream's end.
        connection?.consume(bytes.count, stream: id)
        keepRequest(bytes)
    }

    override func receiveEnd() {
        guard takesOneRequest else { return super.receiveEnd() }
        guard !isRemoteDone else { return }
        isRemoteDone = true
        guard !isFinished, isStarted else { return }
        takeRequest { invoke($0) }
    }

    /// Runs a one-request handler.
    private func invoke(_ message: UnsafeRawBufferPointer) {
        switch method?.handler {
        case .unary(let handler), .serverStreaming(let handler): handler(self, message)
        default: break
        }
    }

    override func deliver(_ message: UnsafeRawBufferPointer) {
        guard !isFinished else { return }
        onMessage?(message)
    }

    override func deliverEnd() {
        guard !isFinished else { return }
        onHalfClose?()
    }

    override func fail(_ status: GRPCStatus) { abort(status, .rejected) }

    override func becameWritable() {
        guard !isFinished else { return }
        onWritable?()
    }

    // MARK: Ending it

    /// Ends the call: after what was sent so far, `status` and `trailers` go out. Only the first call counts.
    package func finish(_ status: GRPCStatus = .ok, trailers: Metadata? = nil) {
        guard isActive else { return }
        var status = status
        if status.isOK, !hasSentMessage, method?.handler.givesOneResponse ?? false {
            status = GRPCStatus(.internal, "the server made no response to a unary call")
        }
        end(status, trailers, extra: nil)
    }

    /// Ends the call without asking the handler; it hears of it by `onCancel`.
    func abort(_ status: GRPCStatus, _ reason: CallCancellation) {
        guard isActive else { return }
        if reason == .deadlineExceeded, outbound.count > 0, let connection, let session = connection.session {
            // Nobody waits for what is still buffered, and the status must not queue behind it.
            isOver = true
            discardInbound()
            nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, NGHTTP2_CANCEL.rawValue)
            connection.setNeedsFlush()
        } else {
            end(status, nil, extra: nil)
        }
        cancelled(reason)
    }

    /// Refuses a call whose headers are not acceptable; no handler has seen it.
    func reject(_ status: GRPCStatus, extra: (StaticString, StaticString)? = nil) {
        guard isActive else { return }
        end(status, nil, extra: extra)
    }

    private func end(_ status: GRPCStatus, _ trailers: Metadata?, extra: (StaticString, StaticString)?) {
        isOver = true
        isOutboundComplete = true
        deadlineTimer?.cancel()
        deadlineTimer = nil
        discardInbound()
        if hasSentHeaders {
            (self.status, self.trailers) = (status, trailers)
            outboundChanged()
        } else {
            sendTrailersOnly(status, trailers, extra)
        }
    }

    override func outboundEnded() -> UInt32 {
        guard let session = connection?.session else { return 0 }
        if status.isOK, trailers == nil {
            nghttp2_submit_trailer(session, id, FixedHeaders.okTrailer, 1)
        } else {
            var block = HeaderBlock()
            block.add(status)
            if let trailers { block.add(trailers) }
            _ = block.withFields { nghttp2_submit_trailer(session, id, $0, $1) }
        }
        return NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
    }

    // MARK: The end

    /// The stream is closed.
    func streamClosed(_ reason: CallCancellation) {
        deadlineTimer?.cancel()
        deadlineTimer = nil
        let wasFinished = isFinished
        isOver = true
        discardInbound()
        connection = nil
        if wasFinished { dropCallbacks() } else { cancelled(reason) }
    }

    private func cancelled(_ reason: CallCancellation) {
        let onCancel = onCancel
        dropCallbacks()
        onCancel?(reason)
    }

    private func dropCallbacks() {
        onMessage = nil
        onHalfClose = nil
        onCancel = nil
        onWritable = nil
    }
}
