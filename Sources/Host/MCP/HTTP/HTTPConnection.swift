internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// A connection of an HTTP client: requests one after the other, each with one answer, whole or as a stream.
@Core
final class HTTPConnection {
    /// A reader that leaves more than this is given up.
    private static let waitingLimitBytes = 48 << 20
    /// A stream on which nothing happens says so this often, for whatever lies between and closes what is silent.
    private static let silenceMilliseconds: UInt64 = 15_000
    /// Who has not shown the token by then keeps nobody else out any longer.
    private static let strangerMilliseconds: UInt64 = 5_000
    /// A larger body is read from nobody who may not come in.
    private static let strangerBodyBytes = 64 << 10

    private let socket: FileDescriptor
    private var registration: EventLoop.Registration?
    private var parser = HTTPParser()
    private var waiting: [UInt8] = []
    private var isAnswering = false
    private var isStreaming = false
    private var isLast = false
    private var silence: LoopTimer?
    private(set) var isClosed = false
    /// Says why who sends such a request may not come in; nil: he may. Asked about each, and before a large body is read.
    var judge: ((HTTPRequest) -> HTTPProblem?)?
    private var isTrusted = false
    private var stranger: LoopTimer?
    /// Called with each request; it is answered by `respond`, or by `beginStream` and `endStream`.
    var onRequest: ((HTTPRequest, HTTPConnection) -> Void)?
    /// Called when the client is gone, with an answer under way or not.
    var onClose: (() -> Void)?
    /// Called when the client is gone before the present answer was whole.
    var onAbandoned: (() -> Void)?

    init(_ socket: FileDescriptor) { self.socket = socket }

    func start() throws(DomeError) {
        stranger = Core.loop.schedule(afterMilliseconds: Self.strangerMilliseconds) { [weak self] in
            Core.assumeIsolated {
                guard let self, !self.isTrusted else { return }
                self.close()
            }
        }
        registration = try Core.loop.register(socket, interest: .readable) { [weak self] ready in
            Core.assumeIsolated {
                guard let self else { return }
                if ready.contains(.writable) { self.drain() }
                if ready.contains(.readable) { self.readSome() }
            }
        }
    }

    // Answers

    /// The whole answer to the present request.
    func respond(_ status: Int, _ headers: [(String, String)] = [], body: [UInt8] = [], closing: Bool = false) {
        if closing { isLast = true }
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\ncontent-length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if isLast { head += "connection: close\r\n" }
        write(Array((head + "\r\n").utf8) + body)
        finish()
    }

    /// Begins a stream of events (text/event-stream).
    func beginStream(_ headers: [(String, String)]) {
        isStreaming = true
        var head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        write(Array((head + "transfer-encoding: chunked\r\n\r\n").utf8))
        keepAwake()
    }

    /// One event of the stream, or a part of one.
    func writeEvent(_ bytes: [UInt8]) {
        guard isStreaming else { return }
        write(Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + [0x0d, 0x0a])
    }

    func endStream() {
        guard isStreaming else { return }
        isStreaming = false
        silence?.cancel()
        write(Array("0\r\n\r\n".utf8))
        finish()
    }

    private func keepAwake() {
        silence = Core.loop.schedule(afterMilliseconds: Self.silenceMilliseconds) { [weak self] in
            Core.assumeIsolated {
                guard let self, self.isStreaming else { return }
                self.writeEvent(Array(": \n\n".utf8))
                self.keepAwake()
            }
        }
    }

    private func finish() {
        isAnswering = false
        onAbandoned = nil
        if isLast, waiting.isEmpty { return close() }
        // In a turn of its own: many requests in one packet shall not pile up calls.
        Core.loop.execute { [weak self] in Core.assumeIsolated { self?.takeNext() } }
    }

    // Bytes

    private func readSome() {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket.number, &chunk, chunk.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return close() }
        parser.append(chunk[..<count])
        takeNext()
    }

    private func takeNext() {
        guard !isAnswering, !isClosed, !isLast else { return }
        do throws(HTTPProblem) {
            guard let request = try parser.next() else {
                try refuseStranger()
                if parser.wantsContinue { write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
                return
            }
            isAnswering = true
            isLast = request.isLast
            if let problem = judge?(request) { throw problem }
            isTrusted = true
            onRequest?(request, self)
        } catch {
            isAnswering = true
            let headers = error.status == 401 ? [("www-authenticate", "Bearer")] : []
            respond(error.status, headers, body: Array((error.message + "\n").utf8), closing: true)
        }
    }

    /// Ends a request with a large body before that has been read, if its sender may not come in.
    private func refuseStranger() throws(HTTPProblem) {
        guard !isTrusted, let arriving = parser.arriving, parser.missingBytes > Self.strangerBodyBytes else { return }
        if let problem = judge?(arriving) { throw problem }
        isTrusted = true
    }

    private func write(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        waiting.append(contentsOf: bytes)
        if waiting.count > Self.waitingLimitBytes { return close() }
        drain()
    }

    private func drain() {
        while !waiting.isEmpty {
            let count = waiting.withUnsafeBytes {
                send(socket.number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else { return close() }
            waiting.removeFirst(count)
        }
        registration?.setInterest(waiting.isEmpty ? .readable : [.readable, .writable])
        if isLast, !isAnswering, waiting.isEmpty { close() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        silence?.cancel()
        stranger?.cancel()
        registration?.cancel()
        // The client's end is told now, also while somebody still has this object.
        shutdown(socket.number, Int32(SHUT_RDWR))
        onAbandoned?()
        onClose?()
        (onClose, onRequest, onAbandoned, judge) = (nil, nil, nil, nil)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}
