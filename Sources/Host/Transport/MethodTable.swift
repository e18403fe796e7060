internal import Glibc

/// How a method is served. Handlers run on the loop's thread; message bytes are only valid during the call.
package enum RPCHandler {
    /// One request, one response: `send` once, then `finish`.
    case unary((ServerCall, UnsafeRawBufferPointer) -> Void)
    /// One request, any number of responses.
    case serverStreaming((ServerCall, UnsafeRawBufferPointer) -> Void)
    /// Any number of requests, one response. Set `onMessage`, `onHalfClose`, `onCancel` before returning.
    case clientStreaming((ServerCall) -> Void)
    /// Any number both ways. Set the callbacks before returning.
    case bidirectional((ServerCall) -> Void)

    var takesOneRequest: Bool {
        switch self {
        case .unary, .serverStreaming: true
        case .clientStreaming, .bidirectional: false
        }
    }

    var givesOneResponse: Bool {
        switch self {
        case .unary, .clientStreaming: true
        case .serverStreaming, .bidirectional: false
        }
    }
}

/// A method that a server offers.
final class RPCMethod {
    let path: String
    let pathBytes: [UInt8]
    let handler: RPCHandler

    init(path: String, handler: RPCHandler) {
        (self.path, self.handler) = (path, handler)
        pathBytes = Array(path.utf8)
    }
}

/// The methods of a server by path. Filled before it serves; looked up once a call, from the bytes received.
package struct MethodTable {
    /// Buckets by length and last byte: of one service's methods rarely two share both.
    private var buckets: [[RPCMethod]] = Array(repeating: [], count: 256)

    package init() {}

    /// Adds a method; `path` is `/package.Service/Method`. A second one with the same path is ignored.
    package mutating func add(_ path: String, _ handler: RPCHandler) {
        let method = RPCMethod(path: path, handler: handler)
        let isNew = method.pathBytes.withUnsafeBytes { find($0) == nil }
        if isNew { buckets[method.pathBytes.withUnsafeBytes { Self.bucket($0) }].append(method) }
    }

    /// All paths, sorted.
    package var paths: [String] { buckets.joined().map(\.path).sorted() }

    func find(_ path: UnsafeRawBufferPointer) -> RPCMethod? {
        for method in buckets[Self.bucket(path)] where method.pathBytes.count == path.count {
            let isSame = method.pathBytes.withUnsafeBytes { bytes in
                guard let left = bytes.baseAddress, let right = path.baseAddress else { return false }
                return memcmp(left, right, bytes.count) == 0
            }
            if isSame { return method }
        }
        return nil
    }

    private static func bucket(_ path: UnsafeRawBufferPointer) -> Int {
        guard let last = path.last else { return 0 }
        return (path.count &* 31 ^ Int(last)) & 255
    }
}
