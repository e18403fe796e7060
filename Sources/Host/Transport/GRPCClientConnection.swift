internal import CNghttp2
package import DomeModel
package import DomePlatform
internal import Glibc

/// A client's connection: any number of calls at once over one connected stream socket. Loop thread only; the
/// reference may travel.
package final class GRPCClientConnection: HTTP2Connection, @unchecked Sendable {
    // @unchecked: confined to the loop's thread, like all of the room.

    /// The connection is gone, after its calls were told; at most once.
    package var onClose: ((_ reason: String) -> Void)?
    /// The server takes no more calls here; those in flight go on. Make a new connection for the next one.
    package private(set) var isGoingAway = false

    private let authority: String
    private let userAgent: String
    private var templates: [String: RequestTemplate] = [:]
    /// There may be calls that nghttp2 dropped before it sent them.
    private var mayHaveUnsent = false

    /// Takes `socket`, connected, and starts the HTTP/2 connection.
    package init(
        loop: EventLoop, socket: FileDescriptor, authority: String = "localhost", userAgent: String = "dome",
        limits: TransportLimits = TransportLimits()
    ) throws(DomeError) {
        (self.authority, self.userAgent) = (authority, userAgent)
        try super.init(loop: loop, socket: socket, limits: limits, shared: SharedBuffers(), isServer: false)
        try start()
    }

    /// Whether `start` can succeed.
    package var isUsable: Bool { !isClosed && !isClosing && !isTerminating && !isGoingAway }

    /// Starts a call of `path` (`/package.Service/Method`). It may have a timeout, which the server is told and
    /// which is kept here too. On a connection that is not usable it ends with UNAVAILABLE, `isUnprocessed`,
    /// in the loop's next turn.
    package func start(
        _ path: String, metadata: Metadata = Metadata(), timeoutNanoseconds: Int64? = nil
    ) -> ClientCall {
        let call = ClientCall(connection: self)
        guard isUsable, let session else {
            refuse(call, "the connection takes no more calls")
            return call
        }
        call.hasDataProvider = true
        let status = submit(call, template(path), metadata, timeoutNanoseconds, session)
        guard status > 0 else {
            refuse(call, SessionSetup.text(status))
            return call
        }
        call.id = status
        link(call)
        if let timeoutNanoseconds { call.startDeadline(afterNanoseconds: timeoutNanoseconds) }
        setNeedsFlush()
        return call
    }

    private func refuse(_ call: ClientCall, _ reason: String) {
        loop.schedule(afterNanoseconds: 0) {
            call.end(ClientOutcome(status: GRPCStatus(.unavailable, reason), isUnprocessed: true))
        }
    }

    private func template(_ path: String) -> RequestTemplate {
        if let known = templates[path] { return known }
        let template = RequestTemplate(path: path, authority: authority, userAgent: userAgent)
        templates[path] = template
        return template
    }

    private func submit(
        _ call: ClientCall, _ template: RequestTemplate, _ metadata: Metadata, _ timeout: Int64?,
        _ session: OpaquePointer
    ) -> Int32 {
        var provider = SessionCallbacks.provider(of: call)
        let data = Unmanaged.passUnretained(call).toOpaque()
        if timeout == nil, metadata.isEmpty {
            return nghttp2_submit_request(
                session, nil, template.fields, RequestTemplate.fieldCount, &provider, data)
        }
        var block = HeaderBlock()
        if let timeout { block.add("grpc-timeout", GRPCTimeout.format(nanoseconds: timeout)) }
        block.add(metadata)
        return block.withFields { extra, extraCount in
            let count = RequestTemplate.fieldCount + extraCount
            return withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count) { all in
                guard let start = all.baseAddress else { return NGHTTP2_ERR_NOMEM.rawValue }
                start.initialize(from: template.fields, count: RequestTemplate.fieldCount)
                (start + RequestTemplate.fieldCount).initialize(from: extra, count: extraCount)
                return nghttp2_submit_request(session, nil, start, count, &provider, data)
            }
        }
    }

    /// Closes the connection now; its calls end with UNAVAILABLE.
    package func close() { close("closed by this side") }

    // MARK: Responses

    override func header(
        _ frame: UnsafePointer<nghttp2_frame>, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) -> Int32 {
        guard let call = stream(frame.pointee.hd.stream_id) as? ClientCall else { return 0 }
        call.headerListBytes += name.count + value.count + 32
        // A response that is all headers is refused; nothing beyond the limit is kept.
        if call.headerListBytes <= limits.maxHeaderListBytes { call.response.take(name, value) }
        return 0
    }

    override func headersComplete(_ frame: UnsafePointer<nghttp2_frame>) {
        guard let call = stream(frame.pointee.hd.stream_id) as? ClientCall else { return }
        let endsStream = UInt32(frame.pointee.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        if call.headerListBytes > limits.maxHeaderListBytes {
            call.fail(
                GRPCStatus(.resourceExhausted, "the response's headers exceed \(limits.maxHeaderListBytes) bytes"))
        }
        if endsStream {
            call.response.becomeTrailersOnly()
            call.receiveEnd()
        } else if frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST, call.response.isComplete {
            call.headersArrived()
            call.response.isTrailers = true
        }
    }

    override func dataChunk(
        _ stream: RPCStream, _ bytes: UnsafeRawBufferPointer, isFrameComplete: Bool, endsStream: Bool
    ) {
        guard !stream.isOver else { return consume(bytes.count, stream: stream.id) }
        stream.receive(bytes)
    }

    override func streamClosed(_ stream: RPCStream, errorCode: UInt32) {
        (stream as? ClientCall)?.streamClosed(errorCode: errorCode, connectionLost: closingReason)
    }

    override func goAwayReceived(errorCode: UInt32, lastStreamID: Int32) {
        isGoingAway = true
        mayHaveUnsent = true
        Log.debug("transport.goaway", ["error": "\(errorCode)", "last_stream": "\(lastStreamID)"])
    }

    // MARK: The end

    override func headersNotSent() { mayHaveUnsent = true }

    func noteCanceled() { mayHaveUnsent = true }

    override func flushed() {
        if mayHaveUnsent, output == nil { sweep() }
        if isGoingAway, streamCount == 0 { close("the server went away") }
    }

    /// Ends calls that nghttp2 holds no stream for, because their headers never left.
    private func sweep() {
        guard let session, nghttp2_session_get_outbound_queue_size(session) == 0 else { return }
        mayHaveUnsent = false
        var next = firstStream
        while let stream = next {
            next = stream.nextStream
            guard nghttp2_session_find_stream(session, stream.id) == nil else { continue }
            unlink(stream)
            streamClosed(stream, errorCode: NGHTTP2_REFUSED_STREAM.rawValue)
        }
    }

    override func closed(reason: String) {
        let onClose = onClose
        self.onClose = nil
        onClose?(reason)
    }
}
