/// What a peer may cost. The defaults suit a per-user daemon on a Unix socket.
package struct TransportLimits: Sendable {
    /// The longest message either way in, without its 5-byte prefix.
    package var maxMessageBytes = 16 << 20
    /// All header fields of a request, counted as RFC 9113 counts them (name + value + 32 each).
    package var maxHeaderListBytes = 64 << 10
    package var maxConcurrentStreams: UInt32 = 1024
    package var maxConnections = 1024
    /// Request bytes held for calls that are not complete or whose handler paused, over all connections.
    package var maxInboundBytes = 128 << 20
    /// Where `ServerCall.canSend` turns false.
    package var maxBufferedBytesPerStream = 256 << 10
    package var connectionWindowBytes: Int32 = 16 << 20
    package var streamWindowBytes: Int32 = 4 << 20
    /// After how much silence a peer is pinged; 0 never.
    package var keepaliveIntervalMilliseconds: UInt64 = 60_000
    /// How long a pinged peer may stay silent before the connection is closed.
    package var keepaliveTimeoutMilliseconds: UInt64 = 20_000
    package var flood = FloodLimits()

    package init() {}
}

/// How many frames that cost more than they bring are taken in a burst, and how many a second after that.
/// Beyond it the connection ends with ENHANCE_YOUR_CALM.
package struct FloodLimits: Sendable {
    /// PINGs; sending the peer data refills the allowance, for clients that probe bandwidth ping with data.
    package var pings = (burst: 100, perSecond: 10)
    package var settings = (burst: 50, perSecond: 5)
    /// RST_STREAM either way (CVE-2023-44487); each call that ends properly gives one back.
    package var resets = (burst: 1000, perSecond: 100)
    /// DATA frames without content that do not end the stream.
    package var emptyData = (burst: 100, perSecond: 10)
    /// PRIORITY and WINDOW_UPDATE; data sent refills. (Frames of unknown types nghttp2 skips unseen.)
    package var others = (burst: 20_000, perSecond: 2000)
    /// CONTINUATION frames of one header block (nghttp2 itself takes eight).
    package var continuations = 7

    package init() {}
}

/// A token bucket per kind of frame. One a connection.
struct FloodGuard {
    enum Kind: Int {
        case ping, settings, reset, emptyData, other
    }

    private let limits: [(burst: Int, perSecond: Int)]
    private var spent: [Int] = [0, 0, 0, 0, 0]
    private var refilledAt: [Int64]
    private(set) var continuations = 0
    private let maxContinuations: Int

    init(_ limits: FloodLimits, now: Int64) {
        self.limits = [limits.pings, limits.settings, limits.resets, limits.emptyData, limits.others]
        maxContinuations = limits.continuations
        refilledAt = [now, now, now, now, now]
    }

    /// Counts one frame; false: too many. `now` (monotonic nanoseconds) is only read when the burst is spent.
    mutating func admit(_ kind: Kind, now: () -> Int64) -> Bool {
        let index = kind.rawValue
        if spent[index] >= limits[index].burst {
            let time = now()
            let elapsed = min(max(0, time - refilledAt[index]), 3_600_000_000_000)
            let refill = Int(elapsed) / 1000 * limits[index].perSecond / 1_000_000
            guard refill > 0 else { return false }
            spent[index] = max(0, spent[index] - refill)
            refilledAt[index] = time
        }
        spent[index] += 1
        return true
    }

    /// Data left for the peer: its pings and window updates are no idle noise.
    mutating func noteDataSent() {
        spent[Kind.ping.rawValue] = 0
        spent[Kind.other.rawValue] = 0
    }

    /// A call ran to its end.
    mutating func noteCallFinished() {
        if spent[Kind.reset.rawValue] > 0 { spent[Kind.reset.rawValue] -= 1 }
    }

    /// A frame begins: counts CONTINUATIONs since the last frame of another kind.
    mutating func admitFrame(isContinuation: Bool) -> Bool {
        guard isContinuation else {
            continuations = 0
            return true
        }
        continuations += 1
        return continuations <= maxContinuations
    }
}
