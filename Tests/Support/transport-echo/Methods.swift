import DomePlatform
import DomeTransport
import Glibc

/// What the server saw, for the method Stats. Loop thread.
final class Statistics {
    weak var server: GRPCServer?
    var cancelled = 0
    var deadlines = 0
    var lost = 0

    func note(_ reason: CallCancellation) {
        switch reason {
        case .byClient, .rejected: cancelled += 1
        case .deadlineExceeded: deadlines += 1
        case .connectionLost: lost += 1
        }
    }

    var text: String {
        "connections=\(server?.connectionCount ?? 0) calls=\(server?.callCount ?? 0) cancelled=\(cancelled) "
            + "deadlines=\(deadlines) lost=\(lost) rss_kib=\(Self.residentKibibytes())"
    }

    private static func residentKibibytes() -> Int {
        guard let bytes = try? Files.read("/proc/self/statm", limitBytes: 4096) else { return -1 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? -1) * 4 : -1
    }
}

/// The message as whitespace-separated numbers.
func numbers(_ message: UnsafeRawBufferPointer) -> [Int] {
    String(decoding: message, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
}

func send(_ text: String, on call: ServerCall) {
    Array(text.utf8).withUnsafeBytes { call.send(message: $0) }
}

func echoMethods(_ statistics: Statistics) -> MethodTable {
    var table = MethodTable()
    // The request.
    table.add(
        "/dome.test.Echo/Unary",
        .unary { call, message in
            call.send(message: message)
            call.finish()
        })
    // "COUNT SIZE": COUNT messages of SIZE bytes, as fast as they are taken.
    table.add("/dome.test.Echo/ServerStream", .serverStreaming { call, message in Flood(call, message, statistics) })
    // "COUNT BYTES" of what came.
    table.add(
        "/dome.test.Echo/ClientStream",
        .clientStreaming { call in
            var (count, bytes) = (0, 0)
            call.onMessage = {
                count += 1
                bytes += $0.count
            }
            call.onHalfClose = { [unowned call] in
                send("\(count) \(bytes)", on: call)
                call.finish()
            }
            call.onCancel = statistics.note
        })
    // Each message, at once; what the client does not take stops us from reading more.
    table.add(
        "/dome.test.Echo/Bidi",
        .bidirectional { call in
            call.sendHeaders()
            call.onMessage = { [unowned call] message in
                call.send(message: message)
                if !call.canSend { call.pauseReceiving() }
            }
            call.onWritable = { [unowned call] in call.resumeReceiving() }
            call.onHalfClose = { [unowned call] in call.finish() }
            call.onCancel = statistics.note
        })
    addOddities(to: &table, statistics)
    return table
}

func addOddities(to table: inout MethodTable, _ statistics: Statistics) {
    // "CODE TEXT": that status, with nothing before it.
    table.add(
        "/dome.test.Echo/Fail",
        .unary { call, message in
            let text = String(decoding: message, as: UTF8.self)
            let code = text.prefix { $0 != " " }
            let status = Int(code).flatMap(GRPCStatusCode.init(rawValue:)) ?? .unknown
            call.finish(GRPCStatus(status, String(text.dropFirst(code.count + 1))))
        })
    // The request's metadata, as initial metadata and as trailers.
    table.add(
        "/dome.test.Echo/Metadata",
        .unary { call, message in
            let metadata = call.metadata()
            call.sendHeaders(metadata)
            call.send(message: message)
            call.finish(.ok, trailers: metadata)
        })
    // Nothing, ever.
    table.add("/dome.test.Echo/Hang", .serverStreaming { call, _ in call.onCancel = statistics.note })
    // One message, then nothing.
    table.add(
        "/dome.test.Echo/Stall",
        .serverStreaming { call, message in
            call.send(message: message)
            call.onCancel = statistics.note
        })
    // OK without the response that it owes.
    table.add("/dome.test.Echo/Silent", .unary { call, _ in call.finish() })
    table.add(
        "/dome.test.Echo/Stats",
        .unary { call, _ in
            send(statistics.text, on: call)
            call.finish()
        })
}

/// A server stream that keeps to the flow control.
final class Flood {
    private var left: Int
    private let batch: [UInt8]
    private let messagesPerBatch: Int
    private let message: [UInt8]

    @discardableResult
    init(_ call: ServerCall, _ request: UnsafeRawBufferPointer, _ statistics: Statistics) {
        let wanted = numbers(request)
        left = wanted.first ?? 0
        let size = wanted.count > 1 ? wanted[1] : 0
        let length = UInt32(clamping: size)
        message =
            [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
            + [UInt8](repeating: UInt8(ascii: "x"), count: size)
        messagesPerBatch = max(1, (32 << 10) / message.count)
        var batch: [UInt8] = []
        for _ in 0..<messagesPerBatch { batch += message }
        self.batch = batch
        call.onWritable = { [unowned call] in self.fill(call) }
        call.onCancel = statistics.note
        fill(call)
    }

    private func fill(_ call: ServerCall) {
        while left > 0, call.canSend {
            if messagesPerBatch < 128 {
                // Copied, so that what is buffered is also what is used.
                message.withUnsafeBytes { call.send(message: UnsafeRawBufferPointer(rebasing: $0[5...])) }
                left -= 1
            } else if left >= messagesPerBatch {
                call.sendFramed(batch)
                left -= messagesPerBatch
            } else {
                call.sendFramed(message)
                left -= 1
            }
        }
        if left == 0 { call.finish() }
    }
}
