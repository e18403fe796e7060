internal import CNghttp2

/// The C functions that nghttp2 calls, as thin as they can be.
enum SessionCallbacks {
    /// One set for all sessions; nil when there was no memory for it. Immutable once made.
    nonisolated(unsafe) static let shared: OpaquePointer? = make()

    private static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { return nil }
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, userData in
            guard let header, let connection = HTTP2Connection.from(userData) else { return 0 }
            return connection.frameBegan(header)
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, userData in
            guard let frame, let connection = HTTP2Connection.from(userData) else { return 0 }
            return connection.beginHeaders(frame)
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, userData in
            guard let frame, let connection = HTTP2Connection.from(userData) else { return 0 }
            return connection.header(
                frame, UnsafeRawBufferPointer(start: name, count: nameCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
            guard let frame, let connection = HTTP2Connection.from(userData) else { return 0 }
            return connection.frameReceived(frame)
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, flags, streamID, bytes, count, userData in
            guard let connection = HTTP2Connection.from(userData) else { return 0 }
            guard let stream = connection.stream(streamID) else {
                connection.consume(count, stream: streamID)
                return 0
            }
            connection.dataChunk(
                stream, UnsafeRawBufferPointer(start: bytes, count: count),
                isFrameComplete: count == connection.frameLength,
                endsStream: UInt32(flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0)
            return 0
        }
        setSending(callbacks)
        return callbacks
    }

    private static func setSending(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, userData in
            guard let frame, let connection = HTTP2Connection.from(userData) else { return 0 }
            connection.frameSent(frame)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, userData in
            guard let frame, let connection = HTTP2Connection.from(userData) else { return 0 }
            connection.frameNotSent(frame)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, streamID, errorCode, userData in
            HTTP2Connection.from(userData)?.streamEnded(streamID, errorCode: errorCode)
            return 0
        }
        nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
            _, _, _, sessionWindow, streamWindow, maxFrameBytes, _ in
            let window = min(Int(sessionWindow), Int(streamWindow))
            return min(window, Int(maxFrameBytes), SessionSetup.maxDataFrameBytes)
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, count, source, userData in
            guard let header, let connection = HTTP2Connection.from(userData),
                let stream = source.flatMap({ RPCStream.from($0) })
            else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            return connection.writeOutbound(stream, header, count)
        }
    }

    /// What nghttp2 reads a stream's outbound bytes through.
    static func provider(of stream: RPCStream) -> nghttp2_data_provider {
        nghttp2_data_provider(source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque())) {
            _, _, _, length, flags, source, userData in
            guard let flags, let connection = HTTP2Connection.from(userData),
                let stream = source.flatMap({ RPCStream.from($0) })
            else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
            return connection.readOutbound(stream, length, flags)
        }
    }
}

extension RPCStream {
    /// The stream that a data source names.
    @inline(__always)
    static func from(_ source: UnsafeMutablePointer<nghttp2_data_source>) -> RPCStream? {
        source.pointee.ptr.map { Unmanaged<RPCStream>.fromOpaque($0).takeUnretainedValue() }
    }
}
