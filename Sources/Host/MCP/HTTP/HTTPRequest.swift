/// A request of HTTP/1.1 (RFC 9112), whole.
struct HTTPRequest: Sendable, Equatable {
    var method: String
    /// Without the query.
    var path: String
    /// Names in lower case, in the order in which they came.
    var headers: [(name: String, value: String)]
    var body: [UInt8] = []

    /// The value of a header that came once; nil if it came not, or more than once.
    func header(_ name: String) -> String? {
        let values = headers.filter { $0.name == name }
        return values.count == 1 ? values.first?.value : nil
    }

    func count(of name: String) -> Int { headers.count { $0.name == name } }

    /// Whether the client closes the connection after this one.
    var isLast: Bool { header("connection")?.lowercased().contains("close") == true }

    static func == (left: HTTPRequest, right: HTTPRequest) -> Bool {
        left.method == right.method && left.path == right.path && left.body == right.body
            && left.headers.elementsEqual(right.headers) { $0 == $1 }
    }
}

/// Why a request is refused before anything looks at what it wants. The connection ends with the answer.
struct HTTPProblem: Error, Equatable {
    var status: Int
    var message: String
}

/// Reads requests from the bytes of a connection. What two readers could take differently is refused: a body is as
/// long as Content-Length says, and nothing else says it.
struct HTTPParser {
    private static let headLimitBytes = 32 << 10
    private static let headerLimit = 100
    static let bodyLimitBytes = StandardStreams.lineLimitBytes

    private var bytes: [UInt8] = []
    /// A request whose body is not here yet.
    private var head: (request: HTTPRequest, bodyBytes: Int)?
    /// Whether the client waits for a word before it sends the body.
    private(set) var wantsContinue = false

    /// The request whose body is still to come.
    var arriving: HTTPRequest? { head?.request }
    /// How much of its body is.
    var missingBytes: Int { head.map { $0.bodyBytes - bytes.count } ?? 0 }

    mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }

    /// The next request; nil until it is whole.
    mutating func next() throws(HTTPProblem) -> HTTPRequest? {
        if head == nil { try readHead() }
        wantsContinue = false
        guard let (head, count) = self.head else { return nil }
        var request = head
        guard bytes.count >= count else {
            wantsContinue = bytes.isEmpty && request.header("expect")?.lowercased() == "100-continue"
            return nil
        }
        request.body = Array(bytes[..<count])
        bytes.removeFirst(count)
        self.head = nil
        return request
    }

    private mutating func readHead() throws(HTTPProblem) {
        let end = Array("\r\n\r\n".utf8)
        guard let range = bytes.firstRange(of: end) else {
            guard bytes.count <= Self.headLimitBytes else {
                throw HTTPProblem(status: 431, message: "the head is longer than \(Self.headLimitBytes) bytes")
            }
            return
        }
        guard range.lowerBound <= Self.headLimitBytes,
            let text = String(validating: bytes[..<range.lowerBound], as: UTF8.self)
        else { throw HTTPProblem(status: 400, message: "the head is too long, or no text") }
        bytes.removeFirst(range.upperBound)
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let request = try Self.request(String(lines.popFirst() ?? ""), lines)
        head = (request, try Self.bodyBytes(request))
    }

    private static func request(
        _ line: String, _ lines: ArraySlice<Substring>
    ) throws(HTTPProblem) -> HTTPRequest {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words.allSatisfy({ !$0.isEmpty }) else {
            throw HTTPProblem(status: 400, message: "the first line is no request")
        }
        guard words[2] == "HTTP/1.1" else { throw HTTPProblem(status: 505, message: "only HTTP/1.1 is served") }
        guard lines.count <= headerLimit else { throw HTTPProblem(status: 431, message: "too many headers") }
        var headers: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                line[..<colon].utf8.allSatisfy(isTokenByte),
                line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 })
            else { throw HTTPProblem(status: 400, message: "a header is malformed") }
            let value = line[line.index(after: colon)...]
            headers.append((line[..<colon].lowercased(), trimmed(value)))
        }
        let path = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        return HTTPRequest(method: String(words[0]), path: String(path), headers: headers)
    }

    private static func bodyBytes(_ request: HTTPRequest) throws(HTTPProblem) -> Int {
        guard request.count(of: "transfer-encoding") == 0 else {
            throw HTTPProblem(status: 411, message: "send Content-Length; chunked bodies are not read")
        }
        guard request.count(of: "content-length") > 0 else { return 0 }
        guard let text = request.header("content-length"), let count = Int(text), count >= 0,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw HTTPProblem(status: 400, message: "Content-Length is malformed") }
        guard count <= bodyLimitBytes else {
            throw HTTPProblem(status: 413, message: "a message may have \(bodyLimitBytes) bytes")
        }
        return count
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
