internal import CNghttp2

/// What the handler sends, and what is sent in its place.
extension ServerCall {
    /// Sends response headers with `metadata` now, ahead of the first message. Without it they leave with that.
    package func sendHeaders(_ metadata: Metadata = Metadata()) {
        guard isActive, !hasSentHeaders else { return }
        submitHeaders(metadata)
        connection?.setNeedsFlush()
    }

    /// Sends one message, which is copied. To a client that reads slowly: mind `canSend`.
    package func send(message: UnsafeRawBufferPointer) {
        guard isActive, admitsMessage() else { return }
        outbound.append(message: message)
        if !hasSentHeaders { submitHeaders(nil) }
        outboundChanged()
    }

    /// Sends messages that carry their 5-byte prefixes already (flag 0, big-endian length), many at once. The
    /// array is kept as it is until it is sent.
    package func sendFramed(_ bytes: consuming [UInt8]) {
        guard isActive, admitsMessage() else { return }
        outbound.append(framed: bytes)
        if !hasSentHeaders { submitHeaders(nil) }
        outboundChanged()
    }

    /// A method with one response sends one; a second makes the call fail.
    private func admitsMessage() -> Bool {
        defer { hasSentMessage = true }
        guard hasSentMessage, method?.handler.givesOneResponse ?? true else { return true }
        abort(GRPCStatus(.internal, "the server made more than one response to a unary call"), .rejected)
        return false
    }

    private func submitHeaders(_ metadata: Metadata?) {
        guard let session = connection?.session else { return }
        hasSentHeaders = true
        hasDataProvider = true
        var provider = SessionCallbacks.provider(of: self)
        guard let metadata, !metadata.isEmpty else {
            nghttp2_submit_response(
                session, id, FixedHeaders.responseStart, FixedHeaders.responseStartCount, &provider)
            return
        }
        var block = HeaderBlock()
        block.add(":status", "200")
        block.add("content-type", "application/grpc")
        block.add(metadata)
        _ = block.withFields { nghttp2_submit_response(session, id, $0, $1, &provider) }
    }

    func sendTrailersOnly(
        _ status: GRPCStatus, _ trailers: Metadata?, _ extra: (StaticString, StaticString)?
    ) {
        guard let connection, let session = connection.session else { return }
        hasSentHeaders = true
        var block = HeaderBlock()
        block.add(":status", "200")
        block.add("content-type", "application/grpc")
        block.add(status)
        if let extra { block.add(extra.0, extra.1) }
        if let trailers { block.add(trailers) }
        _ = block.withFields { nghttp2_submit_response(session, id, $0, $1, nil) }
        connection.setNeedsFlush()
    }

    /// Refuses a request that is no gRPC request, in HTTP's own terms.
    func rejectHTTP(status: StaticString) {
        guard let connection, let session = connection.session, isActive else { return }
        isOver = true
        hasSentHeaders = true
        var block = HeaderBlock()
        block.add(":status", status)
        _ = block.withFields { nghttp2_submit_response(session, id, $0, $1, nil) }
        connection.setNeedsFlush()
    }
}
