import DomeModel
import DomePlatform
import DomeTransport

/// `transport-echo load SOCKET unary INFLIGHT TOTAL SIZE` and `… load SOCKET stream COUNT SIZE`: our own client as
/// a load generator, to measure with where an official one would be the limit. Prints calls or messages a second.
final class Load {
    private let loop: EventLoop
    private let connection: GRPCClientConnection
    private var started = 0
    private var finished = 0
    private var failed = 0
    private var total = 0
    private var message: [UInt8] = []

    init(socket: String) throws(DomeError) {
        loop = try EventLoop()
        connection = try GRPCClientConnection(loop: loop, socket: UnixSocket.connect(path: socket, kind: .stream))
    }

    func run(_ arguments: [String]) throws(DomeError) {
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        let begin = Clock.monotonicNanoseconds()
        switch (arguments.first, numbers.count) {
        case ("unary", 3):
            total = numbers[1]
            message = [UInt8](repeating: 120, count: numbers[2])
            for _ in 0..<numbers[0] { startUnary() }
        case ("stream", 2): startStream(count: numbers[0], size: numbers[1])
        default: throw DomeError(.invalidRequest, "usage: load SOCKET unary INFLIGHT TOTAL SIZE | stream COUNT SIZE")
        }
        loop.run()
        let seconds = Double(Clock.monotonicNanoseconds() - begin) / 1e9
        print("\(arguments.joined(separator: " ")): \(Int(Double(finished) / seconds))/s, \(failed) failed")
    }

    private func startUnary() {
        guard started < total else { return }
        started += 1
        let call = connection.start("/dome.test.Echo/Unary")
        call.onFinish = { [self] outcome in
            finished += 1
            if !outcome.status.isOK { failed += 1 }
            if finished == total { loop.stop() } else { startUnary() }
        }
        message.withUnsafeBytes { call.send(message: $0) }
        call.halfClose()
    }

    private func startStream(count: Int, size: Int) {
        let call = connection.start("/dome.test.Echo/ServerStream")
        call.onMessage = { [self] _ in finished += 1 }
        call.onFinish = { [self] outcome in
            failed += outcome.status.isOK && finished == count ? 0 : 1
            loop.stop()
        }
        Array("\(count) \(size)".utf8).withUnsafeBytes { call.send(message: $0) }
        call.halfClose()
    }
}
