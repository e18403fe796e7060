internal import CNghttp2
internal import DomePlatform

/// What is done with each frame that nghttp2 received, sent, or asks the content of.
extension HTTP2Connection {
    /// The connection behind a callback's user data. nghttp2 calls only while its owner is alive.
    @inline(__always)
    static func from(_ userData: UnsafeMutableRawPointer?) -> HTTP2Connection? {
        userData.map { Unmanaged<HTTP2Connection>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The stream that was given to nghttp2 as a stream's user data; nil for one that was refused.
    @inline(__always)
    final func stream(_ id: Int32) -> RPCStream? {
        guard let session, let data = nghttp2_session_get_stream_user_data(session, id) else { return nil }
        return Unmanaged<RPCStream>.fromOpaque(data).takeUnretainedValue()
    }

    final func frameBegan(_ header: UnsafePointer<nghttp2_frame_hd>) -> Int32 {
        let type = UInt32(header.pointee.type)
        guard flood.admitFrame(isContinuation: type == NGHTTP2_CONTINUATION.rawValue) else {
            return calm("CONTINUATION frames")
        }
        guard type == NGHTTP2_DATA.rawValue else { return 0 }
        frameLength = header.pointee.length
        let flags = UInt32(header.pointee.flags)
        let isPadded = flags & NGHTTP2_FLAG_PADDED.rawValue != 0
        let isBlank = frameLength == 0 || isPadded && frameLength <= 256
        if isBlank, flags & NGHTTP2_FLAG_END_STREAM.rawValue == 0, !admit(.emptyData) {
            return calm("empty DATA frames")
        }
        return 0
    }

    final func frameReceived(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let header = frame.pointee.hd
        let flags = UInt32(header.flags)
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue:
            if flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0 { stream(header.stream_id)?.receiveEnd() }
        case NGHTTP2_HEADERS.rawValue:
            headersComplete(frame)
        case NGHTTP2_RST_STREAM.rawValue:
            if !admit(.reset) { return calm("RST_STREAM frames") }
        case NGHTTP2_SETTINGS.rawValue:
            if flags & NGHTTP2_FLAG_ACK.rawValue == 0, !admit(.settings) { return calm("SETTINGS frames") }
        case NGHTTP2_PING.rawValue:
            if flags & NGHTTP2_FLAG_ACK.rawValue != 0 {
                pingAcknowledged()
            } else if !admit(.ping) {
                return calm("PING frames")
            }
        case NGHTTP2_GOAWAY.rawValue:
            let goAway = frame.pointee.goaway
            goAwayReceived(errorCode: goAway.error_code, lastStreamID: goAway.last_stream_id)
        default:
            if !admit(.other) { return calm("control frames") }
        }
        return 0
    }

    final func frameSent(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = frame.pointee.hd
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
            flood.noteDataSent()
            guard UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 else { return }
            if let stream = stream(header.stream_id) { endStreamSent(stream) }
        case NGHTTP2_RST_STREAM.rawValue:
            // A reset that the peer provoked costs as much as one it sends (CVE-2025-8671).
            // (REFUSED_STREAM is for those beyond the concurrency limit, which the client may not know yet.)
            let code = frame.pointee.rst_stream.error_code
            let isProvoked = code != NGHTTP2_NO_ERROR.rawValue && code != NGHTTP2_REFUSED_STREAM.rawValue
            if isProvoked, !admit(.reset) {
                terminate(NGHTTP2_ENHANCE_YOUR_CALM, "flood of stream errors")
            }
        case NGHTTP2_GOAWAY.rawValue:
            // Not ours, then nghttp2's own, over a broken rule: it wants the connection closed.
            if frame.pointee.goaway.error_code != NGHTTP2_NO_ERROR.rawValue { noteTerminated() }
            goAwaySent()
        default: break
        }
    }

    /// nghttp2 could not send a frame: headers that are too long, say. Without them the stream would hang.
    final func frameNotSent(_ frame: UnsafePointer<nghttp2_frame>) {
        guard let session, UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue else { return }
        headersNotSent()
        // A request's stream was never open to the peer, and nghttp2 forgets it itself.
        guard frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST, stream(frame.pointee.hd.stream_id) != nil else {
            return
        }
        nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), frame.pointee.hd.stream_id, NGHTTP2_INTERNAL_ERROR.rawValue)
    }

    final func streamEnded(_ id: Int32, errorCode: UInt32) {
        guard let stream = stream(id) else { return }
        unlink(stream)
        streamClosed(stream, errorCode: errorCode)
    }

    /// nghttp2 asks how much of a stream's buffer to send next.
    final func readOutbound(_ stream: RPCStream, _ length: Int, _ flags: UnsafeMutablePointer<UInt32>) -> Int {
        let count = min(stream.outbound.count, length)
        if count == stream.outbound.count, stream.isOutboundComplete {
            flags.pointee = NGHTTP2_DATA_FLAG_EOF.rawValue | stream.outboundEnded()
        } else if count == 0 {
            stream.isDataDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        return count
    }

    /// nghttp2 wants a DATA frame written: its header and `count` bytes of the stream's buffer.
    final func writeOutbound(_ stream: RPCStream, _ header: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        guard let output, output.count < SharedBuffers.outputBytes else {
            isGatheringFull = true
            return NGHTTP2_ERR_WOULDBLOCK.rawValue
        }
        output.append(UnsafeRawBufferPointer(start: header, count: 9))
        stream.outbound.move(count, to: output)
        if stream.isOverHighWater, stream.outbound.count <= limits.maxBufferedBytesPerStream / 2 {
            stream.isOverHighWater = false
            writableStreams.append(stream)
        }
        return 0
    }

    @inline(__always)
    final func admit(_ kind: FloodGuard.Kind) -> Bool { flood.admit(kind, now: Clock.monotonicNanoseconds) }
}
