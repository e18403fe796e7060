internal import CNghttp2
internal import DomeModel
internal import DomePlatform

/// One client's connection to a server: turns request headers into calls.
final class ServerConnection: HTTP2Connection {
    private unowned let server: GRPCServer
    /// The server's, here because it is asked once a call.
    private let methods: MethodTable
    let peer: Peer?
    /// Whether calls must pass `GRPCServer.authorize`.
    private let needsAuthorization: Bool
    private var isDraining = false
    private var isFinalGoAwaySent = false

    init(server: GRPCServer, socket: FileDescriptor, peer: Peer?, needsAuthorization: Bool) throws(DomeError) {
        (self.server, self.peer, self.needsAuthorization) = (server, peer, needsAuthorization)
        methods = server.methods
        try super.init(
            loop: server.loop, socket: socket, limits: server.limits, shared: server.shared, isServer: true)
    }

    // MARK: Requests

    override func beginHeaders(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        guard let session, frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return 0 }
        let call = ServerCall(connection: self)
        call.id = frame.pointee.hd.stream_id
        link(call)
        let data = Unmanaged.passUnretained(call).toOpaque()
        nghttp2_session_set_stream_user_data(session, call.id, data)
        return 0
    }

    override func header(
        _ frame: UnsafePointer<nghttp2_frame>, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) -> Int32 {
        guard let call = stream(frame.pointee.hd.stream_id) as? ServerCall else { return 0 }
        call.request.listBytes += name.count + value.count + 32
        guard call.request.listBytes <= limits.maxHeaderListBytes else {
            // Decoding goes on, keeping nothing, to tell the client properly; a bomb is cut off.
            return call.request.listBytes > limits.maxHeaderListBytes * 4 ? calm("header bytes") : 0
        }
        guard frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return 0 }
        if call.request.take(name, value) {
            call.method = methods.find(value)
            if call.method == nil { call.unknownPath = String(decoding: value.prefix(256), as: UTF8.self) }
        }
        return 0
    }

    override func headersComplete(_ frame: UnsafePointer<nghttp2_frame>) {
        guard let call = stream(frame.pointee.hd.stream_id) as? ServerCall else { return }
        if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST { dispatch(call) }
        if UInt32(frame.pointee.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 { call.receiveEnd() }
    }

    private func dispatch(_ call: ServerCall) {
        if call.request.listBytes > limits.maxHeaderListBytes {
            let text = "the request's headers are longer than \(limits.maxHeaderListBytes) bytes"
            return call.reject(GRPCStatus(.resourceExhausted, text))
        }
        guard call.request.isPost else { return call.rejectHTTP(status: "405") }
        guard call.request.isGRPC else { return call.rejectHTTP(status: "415") }
        let refusal = call.request.refusal(isMethodKnown: call.method != nil) { call.unknownPath ?? "" }
        if let (status, extra) = refusal { return call.reject(status, extra: extra) }
        if needsAuthorization, let status = authorizationRefusal(of: call) { return call.reject(status) }
        call.startDeadline()
        call.start()
    }

    private func authorizationRefusal(of call: ServerCall) -> GRPCStatus? {
        guard let authorize = server.authorize else { return GRPCStatus(.unauthenticated, "nobody may call here") }
        return authorize(call.metadata())
    }

    override func dataChunk(
        _ stream: RPCStream, _ bytes: UnsafeRawBufferPointer, isFrameComplete: Bool, endsStream: Bool
    ) {
        guard let call = stream as? ServerCall else { return }
        call.receiveChunk(bytes, isFrameComplete: isFrameComplete, endsStream: endsStream)
    }

    // MARK: Ends

    override func endStreamSent(_ stream: RPCStream) {
        flood.noteCallFinished()
        // Answered before the request ended: tell the client not to send the rest (RFC 9113, 8.1).
        guard !stream.isRemoteDone, let session else { return }
        nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, NGHTTP2_NO_ERROR.rawValue)
    }

    override func streamClosed(_ stream: RPCStream, errorCode: UInt32) {
        (stream as? ServerCall)?.streamClosed(isClosing ? .connectionLost : .byClient)
    }

    override func closed(reason: String) {
        Log.debug("transport.closed", ["descriptor": "\(descriptor)", "reason": reason])
        server.remove(self)
    }

    // MARK: Drain

    /// Tells the client to open no more calls: first a GOAWAY that refuses none, for those on their way, then,
    /// when a ping has come back, the one that counts.
    func drain() {
        guard !isDraining, let session else { return }
        isDraining = true
        nghttp2_submit_shutdown_notice(session)
        // A client that does not answer pings is not waited for longer than this.
        endTimer = loop.schedule(afterMilliseconds: 1000) { self.sendFinalGoAway() }
        setNeedsFlush()
    }

    /// nghttp2 sends pings ahead of all else, so this one is submitted when the notice is out.
    override func goAwaySent() {
        guard isDraining, !isFinalGoAwaySent, let session else { return }
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    private func sendFinalGoAway() {
        guard isDraining, !isFinalGoAwaySent, let session else { return }
        isFinalGoAwaySent = true
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
            NGHTTP2_NO_ERROR.rawValue, nil, 0)
        setNeedsFlush()
    }

    override func pingAcknowledged() { sendFinalGoAway() }

    override func flushed() {
        guard isFinalGoAwaySent, streamCount == 0, output == nil, let session else { return }
        if nghttp2_session_get_outbound_queue_size(session) == 0 { close("drained") }
    }

    /// Ends what is left with UNAVAILABLE.
    func abandonCalls() {
        var next = firstStream
        while let stream = next {
            next = stream.nextStream
            stream.fail(GRPCStatus(.unavailable, "the server is shutting down"))
        }
    }
}
