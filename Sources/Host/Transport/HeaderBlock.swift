internal import CNghttp2
internal import Glibc

/// Header fields for nghttp2. The fixed ones are built once and never copied; the rest goes through `HeaderBlock`.
enum FixedHeaders {
    /// `:status 200`, `content-type application/grpc`.
    static var responseStart: UnsafeMutablePointer<nghttp2_nv> { response }
    static let responseStartCount = 2
    /// `grpc-status 0`.
    static var okTrailer: UnsafeMutablePointer<nghttp2_nv> { ok }

    // Immortal and never written to after their initialisation.
    private nonisolated(unsafe) static let response = immortal([
        (":status", "200"), ("content-type", "application/grpc"),
    ])
    private nonisolated(unsafe) static let ok = immortal([("grpc-status", "0")])

    static func immortal(_ pairs: [(StaticString, StaticString)]) -> UnsafeMutablePointer<nghttp2_nv> {
        let fields = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: pairs.count)
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        for (index, (name, value)) in pairs.enumerated() {
            (fields + index).initialize(
                to: nghttp2_nv(
                    name: UnsafeMutablePointer(mutating: name.utf8Start),
                    value: UnsafeMutablePointer(mutating: value.utf8Start),
                    namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount, flags: flags))
        }
        return fields
    }
}

/// A list of header fields made for one submission.
struct HeaderBlock {
    private var bytes: [UInt8] = []
    private var fields: [(nameCount: Int, valueCount: Int)] = []

    mutating func add(_ name: StaticString, _ value: StaticString) {
        add(
            UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount),
            UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    mutating func add(_ name: StaticString, _ value: [UInt8]) {
        value.withUnsafeBytes {
            add(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), $0)
        }
    }

    private mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
        fields.append((name.count, value.count))
    }

    /// Adds what a user attached; `-bin` values are base64-encoded.
    mutating func add(_ metadata: Metadata) {
        for entry in metadata.entries {
            let value = entry.name.hasSuffix("-bin") ? TextEncoding.base64Encoded(entry.value) : entry.value
            bytes.append(contentsOf: entry.name.utf8)
            bytes.append(contentsOf: value)
            fields.append((entry.name.utf8.count, value.count))
        }
    }

    /// What a message is cut to before it is encoded: official clients refuse trailers of more than 8 KiB.
    private static let messageLimitBytes = 2048

    /// Adds `grpc-status` and, unless empty, `grpc-message`.
    mutating func add(_ status: GRPCStatus) {
        add("grpc-status", Array(String(status.code.rawValue).utf8))
        guard !status.message.isEmpty else { return }
        let isLong = status.message.utf8.count > Self.messageLimitBytes
        let text =
            isLong
            ? String(decoding: status.message.utf8.prefix(Self.messageLimitBytes), as: UTF8.self) : status.message
        add("grpc-message", TextEncoding.percentEncoded(isLong ? text + " …" : text))
    }

    /// Lends the fields in nghttp2's form; nghttp2 copies what it keeps.
    mutating func withFields<Result>(_ body: (UnsafeMutablePointer<nghttp2_nv>, Int) -> Result) -> Result {
        let fields = fields
        return bytes.withUnsafeMutableBufferPointer { buffer in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: max(1, fields.count)) { list in
                var offset = 0
                // An empty block has no base address, and no fields either.
                guard let base = buffer.baseAddress, let start = list.baseAddress else {
                    return body(FixedHeaders.okTrailer, 0)
                }
                for (index, field) in fields.enumerated() {
                    (start + index).initialize(
                        to: nghttp2_nv(
                            name: base + offset, value: base + offset + field.nameCount,
                            namelen: field.nameCount, valuelen: field.valueCount, flags: 0))
                    offset += field.nameCount + field.valueCount
                }
                return body(start, fields.count)
            }
        }
    }
}

/// Byte-wise comparison of a received header with a literal.
func matches(_ bytes: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
    guard bytes.count == literal.utf8CodeUnitCount, let base = bytes.baseAddress else { return false }
    return memcmp(base, literal.utf8Start, bytes.count) == 0
}
