internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// What the workers of one executor write to stderr, its plugin's words among it: into the daemon's log, line by line,
/// with the plugin's name, and no more than a log bears.
@Core
final class WorkerWords {
    private let pluginID: String
    private var allowance = WordAllowance(nowNanoseconds: Clock.monotonicNanoseconds())

    init(pluginID: String) { self.pluginID = pluginID }

    /// Reads `pipe` to its end, which is that of the last process that holds it. Nothing else needs to hold this.
    func hear(_ pipe: FileDescriptor) throws(DomeError) {
        try pipe.setNonblocking(true)
        let source = Source(pipe)
        source.registration = try Core.loop.register(pipe, interest: .readable) { [self] _ in
            Core.assumeIsolated { read(source) }
        }
    }

    /// One process's, as far as it has been read.
    private final class Source {
        let pipe: FileDescriptor
        var registration: EventLoop.Registration?
        var lines = WordLines()

        init(_ pipe: FileDescriptor) { self.pipe = pipe }
    }

    private func read(_ source: Source) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        // Once a turn: a plugin that writes without end keeps nobody else waiting.
        let count = Glibc.read(source.pipe.number, &buffer, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        var isFlood = false
        for line in source.lines.take(buffer.prefix(max(0, count)), isEnd: count <= 0) where !tell(line) {
            isFlood = true
        }
        if count <= 0 {
            source.registration?.cancel()
            source.registration = nil
        } else if isFlood {
            // It is read all the same, or the worker would stand still, but not as fast as it can write.
            source.registration?.setInterest([])
            Core.loop.schedule(afterMilliseconds: Self.pauseMilliseconds) {
                source.registration?.setInterest(.readable)
            }
        }
    }

    private static let pauseMilliseconds: UInt64 = 20

    /// False if it was refused.
    private func tell(_ line: [UInt8]) -> Bool {
        switch allowance.take(line.count, nowNanoseconds: Clock.monotonicNanoseconds()) {
        case .granted(let dropped):
            if dropped > 0 {
                Log.warning("plugin.stderr_dropped", ["plugin": pluginID, "bytes": String(dropped)])
            }
            Log.info("plugin.stderr", ["plugin": pluginID, "line": String(decoding: line, as: UTF8.self)])
            return true
        case .refused: return false
        }
    }
}

/// Makes lines of what arrives in pieces; what a line has beyond its limit is left out.
struct WordLines {
    private var line: [UInt8] = []

    static let limitBytes = 1_000

    /// The lines that are whole now; at the end, also the one that is not.
    mutating func take(_ bytes: ArraySlice<UInt8>, isEnd: Bool = false) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(line)
                line = []
            } else if line.count < Self.limitBytes {
                line.append(byte)
            }
        }
        if isEnd, !line.isEmpty {
            lines.append(line)
            line = []
        }
        return lines
    }
}

/// How much may be said: a good deal at once, and then little by little.
struct WordAllowance {
    private var left = Self.burstBytes
    private var filledNanoseconds: Int64
    private var droppedBytes = 0

    static let burstBytes = 32 << 10
    static let bytesPerSecond = 1 << 10
    /// What a line costs besides its bytes.
    static let lineBytes = 64

    enum Answer: Equatable {
        /// With the bytes that were refused since the last time.
        case granted(dropped: Int)
        case refused
    }

    init(nowNanoseconds: Int64) { filledNanoseconds = nowNanoseconds }

    mutating func take(_ bytes: Int, nowNanoseconds: Int64) -> Answer {
        let seconds = Double(max(0, nowNanoseconds - filledNanoseconds)) / 1e9
        let more = Int(min(Double(Self.burstBytes), seconds * Double(Self.bytesPerSecond)))
        if more > 0 {
            left = min(Self.burstBytes, left + more)
            filledNanoseconds = nowNanoseconds
        }
        guard left >= bytes + Self.lineBytes else {
            droppedBytes += bytes
            return .refused
        }
        left -= bytes + Self.lineBytes
        defer { droppedBytes = 0 }
        return .granted(dropped: droppedBytes)
    }
}
