internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// One connection of a scraper: reads a request's head, writes the answer, closes. Whoever sends too much, or takes longer
/// than a few seconds for either, is cut off.
@Core
final class MetricsConnection {
    private static let headLimitBytes = 8 << 10
    private static let timeoutMilliseconds: UInt64 = 5_000

    private let socket: FileDescriptor
    private var registration: EventLoop.Registration?
    private var timer: LoopTimer?
    private var head: [UInt8] = []
    private var answer: [UInt8] = []
    private var sent = 0
    var onRequest: (@Core (String) -> String)?
    var onEnd: (@Core () -> Void)?

    init(_ socket: FileDescriptor) { self.socket = socket }

    func start() throws(DomeError) {
        registration = try Core.loop.register(socket, interest: .readable) { [weak self] ready in
            Core.assumeIsolated {
                guard let self else { return }
                if self.answer.isEmpty { self.read() } else { self.write() }
            }
        }
        timer = Core.loop.schedule(afterMilliseconds: Self.timeoutMilliseconds) { [weak self] in
            Core.assumeIsolated { self?.end() }
        }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 4 << 10)
        let count = recv(socket.number, &chunk, chunk.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return end() }
        head.append(contentsOf: chunk[..<count])
        guard head.count <= Self.headLimitBytes else { return end() }
        let isWhole = head.indices.dropLast(3).contains { head[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) }
        guard isWhole else { return }
        let line = String(decoding: head.prefix { $0 != 13 }, as: UTF8.self)
        answer = Array((onRequest?(line) ?? "").utf8)
        write()
    }

    private func write() {
        while sent < answer.count {
            let count = answer[sent...].withUnsafeBytes {
                send(socket.number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                registration?.setInterest(.writable)
                return
            }
            guard count > 0 else { return end() }
            sent += count
        }
        end()
    }

    func end() {
        timer?.cancel()
        registration?.cancel()
        registration = nil
        // Closing with the last reference; the scraper sees the end of the answer at once.
        shutdown(socket.number, Int32(SHUT_RDWR))
        let ended = onEnd
        (onEnd, onRequest) = (nil, nil)
        ended?()
    }
}
