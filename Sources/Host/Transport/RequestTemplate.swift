internal import CNghttp2

/// A method's request headers in nghttp2's form, built once per connection and path and never copied.
final class RequestTemplate {
    static let fieldCount = 7
    let fields: UnsafeMutablePointer<nghttp2_nv>
    private let text: UnsafeMutablePointer<UInt8>
    private let textCount: Int

    init(path: String, authority: String, userAgent: String) {
        let pairs = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
            ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", userAgent),
        ]
        let bytes = pairs.flatMap { Array($0.0.utf8) + Array($0.1.utf8) }
        textCount = bytes.count
        text = .allocate(capacity: bytes.count)
        text.initialize(from: bytes, count: bytes.count)
        fields = .allocate(capacity: pairs.count)
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        var offset = 0
        for (index, (name, value)) in pairs.enumerated() {
            let (nameCount, valueCount) = (name.utf8.count, value.utf8.count)
            (fields + index).initialize(
                to: nghttp2_nv(
                    name: text + offset, value: text + offset + nameCount, namelen: nameCount,
                    valuelen: valueCount, flags: flags))
            offset += nameCount + valueCount
        }
    }

    deinit {
        fields.deallocate()
        text.deallocate()
    }
}
