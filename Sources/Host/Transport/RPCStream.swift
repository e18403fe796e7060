internal import CNghttp2

/// What a call on the server and a call on the client have in common: one HTTP/2 stream's buffers and flow
/// control. The connection holds it from its first frame to its last; nghttp2 knows it by address meanwhile.
package class RPCStream {
    /// 0 until nghttp2 has named it.
    final var id: Int32 = 0
    /// Nil once the stream is closed: from then on every operation does nothing.
    final var connection: HTTP2Connection?
    // The connection's list of its streams.
    final var nextStream: RPCStream?
    final unowned(unsafe) var previousStream: RPCStream?

    final var outbound = OutboundQueue()
    final var assembler: MessageAssembler
    /// Our side's headers were handed to nghttp2, with a data provider that reads `outbound`.
    final var hasDataProvider = false
    /// nghttp2 found `outbound` empty and waits for `resumeData`.
    final var isDataDeferred = false
    /// Nothing is added to `outbound` any more.
    final var isOutboundComplete = false
    final var isOverHighWater = false
    /// The peer sent END_STREAM.
    final var isRemoteDone = false
    final var isReceivingPaused = false
    /// Nobody wants messages of this call any more.
    final var isOver = false
    private final var isDelivering = false
    /// Flow-control window withheld from the peer while the receiver is paused.
    private final var withheldBytes = 0
    /// This stream's part of `SharedBuffers.inboundBytes`.
    private final var accountedBytes = 0

    init(connection: HTTP2Connection) {
        self.connection = connection
        assembler = MessageAssembler(maxMessageBytes: connection.limits.maxMessageBytes)
    }

    // What the two kinds of call make of it. Loop thread, from inside nghttp2's callbacks.

    /// One message arrived whole.
    func deliver(_ message: UnsafeRawBufferPointer) {}
    /// The peer will send no more.
    func deliverEnd() {}
    /// The peer broke the framing, or the budget for unread bytes is spent.
    func fail(_ status: GRPCStatus) {}
    /// All of `outbound` left: what ends the stream? Returns the flags for nghttp2's data source.
    func outboundEnded() -> UInt32 { 0 }
    /// `outbound` has room again.
    func becameWritable() {}

    /// Whether the buffer is below its high-water mark. When false, wait for `onWritable`.
    package final var canSend: Bool {
        guard let connection else { return false }
        return outbound.count < connection.limits.maxBufferedBytesPerStream
    }

    /// After bytes were added, or the end was set.
    final func outboundChanged() {
        guard let connection else { return }
        if outbound.count >= connection.limits.maxBufferedBytesPerStream { isOverHighWater = true }
        if isDataDeferred, let session = connection.session {
            isDataDeferred = false
            nghttp2_session_resume_data(session, id)
        }
        connection.setNeedsFlush()
    }

    // MARK: Receiving

    /// A DATA frame's bytes. The window is given back at once, so that a long message can arrive, unless the
    /// receiver paused.
    final func receive(_ bytes: UnsafeRawBufferPointer) {
        if isReceivingPaused {
            assembler.keep(bytes)
            withheldBytes += bytes.count
            connection?.consume(bytes.count, stream: nil)
        } else {
            connection?.consume(bytes.count, stream: id)
            runAssembler { $0.receive(bytes, deliver: $1) }
        }
        account()
    }

    /// The peer's END_STREAM.
    func receiveEnd() {
        guard !isRemoteDone else { return }
        isRemoteDone = true
        endIfDrained()
    }

    private final func endIfDrained() {
        guard isRemoteDone, !isOver, !isReceivingPaused, !isDelivering else { return }
        if assembler.isEmpty {
            deliverEnd()
        } else {
            assembler.clear()
            account()
            fail(GRPCStatus(.internal, "the stream ended in the middle of a message"))
        }
    }

    /// Stops deliveries; the peer may fill the stream's window, and then has to wait.
    package final func pauseReceiving() { isReceivingPaused = true }

    /// Goes on: what was kept is delivered before this returns, unless the receiver pauses again.
    package final func resumeReceiving() {
        guard isReceivingPaused else { return }
        isReceivingPaused = false
        guard !isDelivering, !isOver else { return }
        runAssembler { $0.deliverKept($1) }
        if !isReceivingPaused, withheldBytes > 0, let connection {
            connection.consumeStreamOnly(withheldBytes, stream: id)
            withheldBytes = 0
            connection.setNeedsFlush()
        }
        account()
        endIfDrained()
    }

    /// Runs the assembler out of its property: a receiver may pause, cancel or finish from its callback.
    private final func runAssembler(
        _ body: (inout MessageAssembler, (UnsafeRawBufferPointer) -> MessageAssembler.Appetite)
            -> MessageAssembler.Failure?
    ) {
        var running = MessageAssembler(maxMessageBytes: 0)
        swap(&running, &assembler)
        isDelivering = true
        let failure = body(&running) { message in
            self.deliver(message)
            return self.isReceivingPaused || self.isOver ? .pause : .more
        }
        isDelivering = false
        swap(&running, &assembler)
        if isOver { discardInbound() } else if let failure { fail(failure.status) }
    }

    /// Keeps bytes within the shared budget, for a call that looks at them later.
    final func keep(_ bytes: UnsafeRawBufferPointer) {
        assembler.keep(bytes)
        account()
    }

    /// Keeps the shared budget; over it, this stream has to go.
    private final func account() {
        let held = assembler.heldBytes
        guard held != accountedBytes, !isOver, let shared = connection?.shared else { return }
        shared.inboundBytes += held - accountedBytes
        accountedBytes = held
        if let limit = connection?.limits.maxInboundBytes, shared.inboundBytes > limit {
            discardInbound()
            fail(GRPCStatus(.resourceExhausted, "too many incomplete requests at once; try again"))
        }
    }

    /// Drops what was received and not delivered.
    final func discardInbound() {
        connection?.shared.inboundBytes -= accountedBytes
        accountedBytes = 0
        assembler.clear()
    }
}

extension MessageAssembler.Failure {
    var status: GRPCStatus {
        switch self {
        // compression.md: flag set, but no (or the identity) encoding in the headers.
        case .compressed: GRPCStatus(.internal, "a message is flagged compressed, but grpc-encoding is identity")
        case .badFlag(let flag): GRPCStatus(.internal, "a message begins with the invalid flag \(flag)")
        case .tooLong(let bytes, let limit):
            GRPCStatus(.resourceExhausted, "a message of \(bytes) bytes is longer than the \(limit) allowed")
        }
    }
}
