internal import CNghttp2
internal import DomePlatform
internal import Glibc

/// Output: gathered from nghttp2 into one buffer and sent with one call, at the end of a turn. And keepalive.
extension HTTP2Connection {
    /// What was submitted will leave at the end of this turn.
    func setNeedsFlush() {
        guard !isBusy, flushTimer == nil, session != nil else { return }
        flushTimer = loop.schedule(afterNanoseconds: 0) {
            self.flushTimer = nil
            self.flush()
        }
    }

    /// Sends what there is. Four rounds at most, so that one fast reader does not starve the rest.
    func flush() {
        guard !isBusy, session != nil else { return closeIfAsked() }
        isBusy = true
        var rounds = 0
        while rounds < 4, closeReason == nil, flushRound() { rounds += 1 }
        isBusy = false
        if closeReason == nil, let session {
            if isTerminating, output == nil, nghttp2_session_want_write(session) == 0 { close("terminated") }
            if output == nil, rounds == 4 { setNeedsFlush() }
            flushed()
        }
        closeIfAsked()
        updateInterest()
    }

    /// One buffer full. True: there may be more.
    private func flushRound() -> Bool {
        if output == nil { gather() }
        guard let output else { return false }
        switch output.send(to: descriptor) {
        case .failed:
            close("cannot send: " + String(cString: strerror(errno)))
            return false
        case .blocked:
            return false
        case .done:
            self.output = nil
            shared.giveBack(output)
            tellWritableStreams()
            return true
        }
    }

    /// Has nghttp2 produce up to a buffer full.
    private func gather() {
        guard let session else { return }
        let buffer = shared.takeOutput()
        output = buffer
        isGatheringFull = false
        while buffer.count < SharedBuffers.outputBytes, !isGatheringFull {
            var chunk: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &chunk)
            if count < 0 { close(String(cString: nghttp2_strerror(Int32(truncatingIfNeeded: count)))) }
            guard count > 0, let chunk else { break }
            buffer.append(UnsafeRawBufferPointer(start: chunk, count: count))
        }
        guard buffer.count == 0 else { return }
        output = nil
        shared.giveBack(buffer)
    }

    private func tellWritableStreams() {
        guard !writableStreams.isEmpty else { return }
        let streams = writableStreams
        writableStreams.removeAll()
        // Not a word about isOverHighWater here: a stream may have been filled again since it was noted, and then
        // it must be told once more when it has drained.
        for stream in streams where stream.connection != nil { stream.becameWritable() }
    }

    private func updateInterest() {
        guard let session, let registration else { return }
        var interest: EventLoop.Readiness = []
        if output != nil { interest.insert(.writable) }
        // A peer that takes no answers gets no more of them: past a thousand queued frames it is not read.
        let isClogged = output != nil && nghttp2_session_get_outbound_queue_size(session) > 1000
        if !isTerminating, !isClogged { interest.insert(.readable) }
        registration.setInterest(interest)
    }

    // MARK: Keepalive

    func armKeepalive() {
        guard limits.keepaliveIntervalMilliseconds > 0 else { return }
        hasReceived = false
        keepaliveTimer = loop.schedule(afterMilliseconds: limits.keepaliveIntervalMilliseconds) {
            if self.hasReceived { self.armKeepalive() } else { self.probe() }
        }
    }

    private func probe() {
        guard let session else { return }
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        setNeedsFlush()
        keepaliveTimer = loop.schedule(afterMilliseconds: limits.keepaliveTimeoutMilliseconds) {
            if self.hasReceived { self.armKeepalive() } else { self.close("keepalive: the peer does not answer") }
        }
    }
}
