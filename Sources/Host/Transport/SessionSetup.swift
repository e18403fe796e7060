internal import CNghttp2
internal import DomeModel
internal import Glibc

/// Makes nghttp2 sessions: options, our SETTINGS, and the callbacks that lead to `HTTP2Connection`.
enum SessionSetup {
    /// The largest DATA frame sent; the peer's SETTINGS_MAX_FRAME_SIZE may lower it.
    static let maxDataFrameBytes = 64 << 10

    /// A session whose callbacks reach `owner`, which must outlive it.
    static func make(
        isServer: Bool, limits: TransportLimits, owner: HTTP2Connection
    ) throws(DomeError) -> OpaquePointer {
        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0, let option, let callbacks = SessionCallbacks.shared else {
            throw DomeError(.resourceExhausted, "cannot create an HTTP/2 session: out of memory")
        }
        defer { nghttp2_option_del(option) }
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_send_header_block_length(option, limits.maxHeaderListBytes * 2)
        // nghttp2's own limit on resets knows nothing of calls that ended well; `FloodGuard` does. Older
        // libraries have neither the limit nor the function, hence the look-up.
        typealias SetRate = @convention(c) (OpaquePointer, UInt64, UInt64) -> Void
        if let symbol = dlsym(nil, "nghttp2_option_set_stream_reset_rate_limit") {
            unsafeBitCast(symbol, to: SetRate.self)(option, 1 << 40, 1 << 40)
        }
        var session: OpaquePointer?
        let data = Unmanaged.passUnretained(owner).toOpaque()
        let status =
            isServer
            ? nghttp2_session_server_new2(&session, callbacks, data, option)
            : nghttp2_session_client_new2(&session, callbacks, data, option)
        guard status == 0, let session else {
            throw DomeError(.resourceExhausted, "cannot create an HTTP/2 session: " + text(status))
        }
        submitSettings(session, isServer: isServer, limits)
        return session
    }

    private static func submitSettings(_ session: OpaquePointer, isServer: Bool, _ limits: TransportLimits) {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Int(limits.streamWindowBytes)),
            entry(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, maxDataFrameBytes),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes),
        ]
        if isServer {
            entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Int(limits.maxConcurrentStreams)))
        } else {
            entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        nghttp2_session_set_local_window_size(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, limits.connectionWindowBytes)
    }

    static func text(_ status: Int32) -> String { String(cString: nghttp2_strerror(status)) }
}
