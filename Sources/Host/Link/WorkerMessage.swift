package import DomeModel

/// What domed and a domed-worker say to each other, over a SOCK_SEQPACKET socket.
///
/// A datagram is one byte of type, the request's number (8 bytes, little-endian) and the payload. A payload above
/// `inlineLimitBytes` travels as a sealed memfd instead, and the type has `memoryBit` set. The worker speaks first,
/// with `hello` or `failed` for request 0, and answers each `prepare` with one `plan`, `elsewhere` or `failed` of the same
/// number, each `drive` with one `driven` or `failed`, in order.
package enum WorkerMessage: Sendable, Equatable {
    /// The worker is ready; sent once.
    case hello(Hello)
    /// A job document for the executor's `prepare`.
    case prepare(request: UInt64, job: [UInt8])
    /// The launch plan document, as the plugin wrote it: hostile until checked.
    case plan(request: UInt64, document: [UInt8])
    /// There is no launch plan: the executor drives this job itself.
    case elsewhere(request: UInt64)
    /// A call about a job that the executor drives.
    case drive(request: UInt64, DriveCall)
    /// The document with which the plugin answered it, empty for some: hostile until checked.
    case driven(request: UInt64, document: [UInt8])
    /// Why there is no plan; for request 0: why the plugin could not be loaded, and the worker ends.
    case failed(request: UInt64, code: ErrorCode, message: String)
    /// Where the worker crashed; its end follows.
    case crashed(String)
    /// The answer to `request` is no longer wanted; it is answered nevertheless.
    case cancel(request: UInt64)

    /// Who a worker is.
    package struct Hello: Sendable, Equatable {
        /// The version of this protocol.
        package var linkVersion: UInt32 = 1
        package var abiMajor: UInt32
        package var abiMinor: UInt32
        package var pluginID: String
        package var pluginVersion: String

        package init(abiMajor: UInt32, abiMinor: UInt32, pluginID: String, pluginVersion: String) {
            (self.abiMajor, self.abiMinor) = (abiMajor, abiMinor)
            (self.pluginID, self.pluginVersion) = (pluginID, pluginVersion)
        }
    }

    package static let inlineLimitBytes = 60 << 10
    package static let payloadLimitBytes = 32 << 20
    static let headerBytes = 9
    private static let crashedType: UInt8 = 6
    /// What goes before the text of a crash report, which a signal handler writes.
    package static let crashHead = [crashedType] + [UInt8](repeating: 0, count: headerBytes - 1)
    static let memoryBit: UInt8 = 0x80

    package var request: UInt64 {
        switch self {
        case .hello, .crashed: 0
        case .prepare(let request, _), .plan(let request, _), .failed(let request, _, _), .cancel(let request),
            .elsewhere(let request), .drive(let request, _), .driven(let request, _):
            request
        }
    }

    var type: UInt8 {
        switch self {
        case .hello: 1
        case .prepare: 2
        case .plan: 3
        case .failed: 4
        case .cancel: 5
        case .crashed: Self.crashedType
        case .elsewhere: 7
        case .drive: 8
        case .driven: 9
        }
    }
}

// Payloads.
extension WorkerMessage {
    var payload: [UInt8] {
        switch self {
        case .hello(let hello):
            var bytes: [UInt8] = []
            for number in [hello.linkVersion, hello.abiMajor, hello.abiMinor] { Self.append(number, to: &bytes) }
            for text in [hello.pluginID, hello.pluginVersion] {
                Self.append(UInt32(clamping: text.utf8.count), to: &bytes)
                bytes.append(contentsOf: text.utf8)
            }
            return bytes
        case .prepare(_, let bytes), .plan(_, let bytes), .driven(_, let bytes): return bytes
        case .drive(_, let call): return call.bytes
        case .failed(_, let code, let message): return [UInt8(clamping: code.rawValue)] + message.utf8
        case .crashed(let place): return Array(place.utf8)
        case .cancel, .elsewhere: return []
        }
    }

    /// The message of these parts. Errors: E_INTERNAL for what no peer of ours sends.
    static func decode(type: UInt8, request: UInt64, payload: [UInt8]) throws(DomeError) -> WorkerMessage {
        switch type {
        case 1: return .hello(try decodeHello(payload))
        case 2: return .prepare(request: request, job: payload)
        case 3: return .plan(request: request, document: payload)
        case 4:
            guard let first = payload.first, let code = ErrorCode(rawValue: Int32(first)) else {
                throw DomeError(.internal, "worker link: a failure with an unknown code")
            }
            return .failed(request: request, code: code, message: String(decoding: payload.dropFirst(), as: UTF8.self))
        case 5: return .cancel(request: request)
        case crashedType: return .crashed(String(decoding: payload, as: UTF8.self))
        case 7: return .elsewhere(request: request)
        case 8: return .drive(request: request, try payload.withBytes { raw throws(DomeError) in try DriveCall(raw) })
        case 9: return .driven(request: request, document: payload)
        default: throw DomeError(.internal, "worker link: message of unknown type \(type)")
        }
    }

    private static func decodeHello(_ payload: [UInt8]) throws(DomeError) -> Hello {
        var rest = payload[...]
        func number() throws(DomeError) -> UInt32 {
            guard rest.count >= 4 else { throw DomeError(.internal, "worker link: a hello cut short") }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        func text() throws(DomeError) -> String {
            let count = Int(try number())
            guard count <= rest.count, let text = String(validating: rest.prefix(count), as: UTF8.self) else {
                throw DomeError(.internal, "worker link: a hello with a damaged text")
            }
            rest = rest.dropFirst(count)
            return text
        }
        let (version, major, minor) = (try number(), try number(), try number())
        var hello = Hello(abiMajor: major, abiMinor: minor, pluginID: try text(), pluginVersion: try text())
        hello.linkVersion = version
        return hello
    }

    static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
