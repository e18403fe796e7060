internal import CNghttp2
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// A socket with an nghttp2 session on it: reading, writing, keepalive, flood control, closing. Server and
/// client connections are its two subclasses.
package class HTTP2Connection {
    final let loop: EventLoop
    /// Nil once closed.
    private final var socket: FileDescriptor?
    /// Its number, for reading, writing and logs.
    final let descriptor: Int32
    final let limits: TransportLimits
    final let shared: SharedBuffers
    /// Nil once closed.
    final private(set) var session: OpaquePointer?
    final var flood: FloodGuard
    /// The head of the list of open streams, and how many they are.
    final var firstStream: RPCStream?
    final var streamCount = 0
    /// Streams whose buffer has room again; told after the flush.
    final var writableStreams: [RPCStream] = []

    final var registration: EventLoop.Registration?
    /// What the socket did not take yet; else only set during a flush.
    final var output: OutputBuffer?
    final var isGatheringFull = false
    /// Inside nghttp2 or a flush: flushing and closing wait for its end.
    final var isBusy = false
    final var flushTimer: LoopTimer?
    final var closeReason: String?
    /// A GOAWAY that ends the connection was submitted: write it, read no more.
    final var isTerminating = false
    // Timers hold the connection, and `closeIfAsked` cancels them. No weak references: an object that has one
    // counts its references through a side table, which made a third of a unary call's cost [measured].
    final var keepaliveTimer: LoopTimer?
    /// Ends a drain's or a termination's patience.
    final var endTimer: LoopTimer?
    final var hasReceived = false
    /// The DATA frame being received.
    final var frameLength = 0

    init(
        loop: EventLoop, socket: FileDescriptor, limits: TransportLimits, shared: SharedBuffers, isServer: Bool
    ) throws(DomeError) {
        (self.loop, self.socket, self.limits, self.shared) = (loop, socket, limits, shared)
        descriptor = socket.number
        flood = FloodGuard(limits.flood, now: Clock.monotonicNanoseconds())
        try socket.setNonblocking(true)
        session = try SessionSetup.make(isServer: isServer, limits: limits, owner: self)
    }

    deinit {
        if let session { nghttp2_session_del(session) }
    }

    /// Starts serving: until `close`, the loop holds the connection.
    final func start() throws(DomeError) {
        guard let socket else { return }
        registration = try loop.register(socket, interest: .readable) { ready in self.ready(ready) }
        armKeepalive()
        setNeedsFlush()
    }

    // What the subclasses add. Called inside nghttp2.

    func beginHeaders(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 { 0 }
    func header(
        _ frame: UnsafePointer<nghttp2_frame>, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) -> Int32 { 0 }
    func headersComplete(_ frame: UnsafePointer<nghttp2_frame>) {}
    func dataChunk(_ stream: RPCStream, _ bytes: UnsafeRawBufferPointer, isFrameComplete: Bool, endsStream: Bool) {}
    func goAwayReceived(errorCode: UInt32, lastStreamID: Int32) {}
    func goAwaySent() {}
    func headersNotSent() {}
    func pingAcknowledged() {}
    func streamClosed(_ stream: RPCStream, errorCode: UInt32) {}
    func endStreamSent(_ stream: RPCStream) {}
    /// The socket is gone; the streams still open were told.
    func closed(reason: String) {}
    /// After each flush, when it may be time to close.
    func flushed() {}

    // MARK: Streams

    final func link(_ stream: RPCStream) {
        stream.nextStream = firstStream
        firstStream?.previousStream = stream
        firstStream = stream
        streamCount += 1
    }

    final func unlink(_ stream: RPCStream) {
        let next = stream.nextStream
        next?.previousStream = stream.previousStream
        if let previous = stream.previousStream { previous.nextStream = next } else { firstStream = next }
        stream.nextStream = nil
        stream.previousStream = nil
        streamCount -= 1
    }

    /// Gives `count` bytes of window back: the connection's, and the stream's unless nil.
    final func consume(_ count: Int, stream: Int32?) {
        guard let session else { return }
        if let stream {
            nghttp2_session_consume(session, stream, count)
        } else {
            nghttp2_session_consume_connection(session, count)
        }
    }

    final func consumeStreamOnly(_ count: Int, stream: Int32) {
        guard let session else { return }
        nghttp2_session_consume_stream(session, stream, count)
    }

    // MARK: Reading

    private final func ready(_ ready: EventLoop.Readiness) {
        guard session != nil else { return }
        if ready.contains(.readable), !isTerminating { read() }
        // Acknowledgements can wait for what the calls just read have to say, or for what they have others do.
        if ready.contains(.writable) || closeReason != nil { flush() } else { setNeedsFlush() }
    }

    private final func read() {
        isBusy = true
        defer { isBusy = false }
        for _ in 0..<4 {
            guard let session, let base = shared.input.baseAddress else { return }
            let count = recv(descriptor, base, shared.input.count, 0)
            if count > 0 {
                hasReceived = true
                let bytes = base.assumingMemoryBound(to: UInt8.self)
                let taken = nghttp2_session_mem_recv(session, bytes, count)
                if taken < 0 { return receiveFailed(Int32(truncatingIfNeeded: taken)) }
                if count < shared.input.count { return }
            } else if count == 0 {
                return close("the peer closed the connection")
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                return close("cannot receive: " + String(cString: strerror(errno)))
            }
        }
    }

    private final func receiveFailed(_ error: Int32) {
        switch error {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue:
            close("the peer does not speak HTTP/2 with prior knowledge")
        case NGHTTP2_ERR_CALLBACK_FAILURE.rawValue where closeReason != nil || isTerminating:
            break
        case NGHTTP2_ERR_FLOODED.rawValue:
            terminate(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames that want an answer")
        default:
            terminate(NGHTTP2_PROTOCOL_ERROR, String(cString: nghttp2_strerror(error)))
        }
    }

    /// The peer sends too much of `what`: ends the connection. Returns what a callback hands to nghttp2.
    final func calm(_ what: String) -> Int32 {
        terminate(NGHTTP2_ENHANCE_YOUR_CALM, "flood of " + what)
        return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }

    /// Says why, with GOAWAY, and closes when that is written, or after five seconds.
    final func terminate(_ code: nghttp2_error_code, _ reason: String) {
        guard let session, !isTerminating else { return }
        isTerminating = true
        Log.warning("transport.terminate", ["descriptor": "\(descriptor)", "reason": reason])
        nghttp2_session_terminate_session(session, code.rawValue)
        endTimer?.cancel()
        endTimer = loop.schedule(afterMilliseconds: 5000) { self.close(reason) }
        setNeedsFlush()
    }

    /// nghttp2 has said GOAWAY on its own account.
    final func noteTerminated() { isTerminating = true }

    // MARK: Closing

    /// Closes at once, or as soon as nghttp2 has returned.
    final func close(_ reason: String) {
        if closeReason == nil { closeReason = reason }
        if !isBusy { closeIfAsked() }
    }

    final func closeIfAsked() {
        guard let reason = closeReason, let session, !isBusy else { return }
        self.session = nil
        registration?.cancel()
        registration = nil
        socket = nil
        keepaliveTimer?.cancel()
        endTimer?.cancel()
        flushTimer?.cancel()
        while let stream = firstStream {
            unlink(stream)
            streamClosed(stream, errorCode: NGHTTP2_CANCEL.rawValue)
        }
        nghttp2_session_del(session)
        if let output { shared.giveBack(output) }
        output = nil
        writableStreams = []
        closed(reason: reason)
    }

    /// Whether the connection is gone.
    package final var isClosed: Bool { session == nil }
    /// Set when closing was asked for, to be done or already done.
    final var isClosing: Bool { closeReason != nil }
    /// Why, then.
    final var closingReason: String? { closeReason }
}
