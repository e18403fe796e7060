package import DomeModel

/// What travels beside a call's messages: names and values, in order, names may repeat. A name that ends in
/// `-bin` has arbitrary bytes for a value (base64 on the wire), every other printable ASCII.
package struct Metadata: Sendable, Equatable {
    /// One pair.
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var value: [UInt8]
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Adds a pair. A name that gRPC forbids or keeps to itself, or a text value that is not printable ASCII,
    /// is E_INVALID_REQUEST.
    package mutating func add(_ name: String, _ value: [UInt8]) throws(DomeError) {
        guard Self.isAllowed(name) else {
            throw DomeError(
                .invalidRequest, "metadata name \(name) is not allowed: use a-z 0-9 _ - . and no grpc- prefix")
        }
        if !name.hasSuffix("-bin"), !value.allSatisfy({ $0 >= 0x20 && $0 <= 0x7e }) {
            throw DomeError(.invalidRequest, "metadata \(name) is not printable ASCII; name it \(name)-bin")
        }
        entries.append(Entry(name: name, value: value))
    }

    /// Adds a text pair; see above.
    package mutating func add(_ name: String, text: String) throws(DomeError) { try add(name, Array(text.utf8)) }

    /// The first value under `name`.
    package func first(_ name: String) -> [UInt8]? { entries.first { $0.name == name }?.value }

    /// The first value under `name` as text.
    package func firstText(_ name: String) -> String? { first(name).map { String(decoding: $0, as: UTF8.self) } }

    /// All values under `name`, in order.
    package func all(_ name: String) -> [[UInt8]] { entries.filter { $0.name == name }.map(\.value) }

    private static func isAllowed(_ name: String) -> Bool {
        guard !name.isEmpty, !name.hasPrefix("grpc-") else { return false }
        switch name {
        case "te", "content-type", "content-length", "user-agent", "connection", "host", "transfer-encoding",
            "upgrade", "keep-alive", "proxy-connection":
            return false
        default:
            return name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        }
    }

    /// Takes a header as it came. `-bin` values may be comma-joined lists; one that is not base64 is dropped.
    mutating func append(wireName name: [UInt8], wireValue value: ArraySlice<UInt8>) {
        let name = String(decoding: name, as: UTF8.self)
        guard name.hasSuffix("-bin") else { return entries.append(Entry(name: name, value: Array(value))) }
        for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let trimmed = part.drop { $0 == 0x20 }
            if let decoded = TextEncoding.base64Decoded(trimmed) { entries.append(Entry(name: name, value: decoded)) }
        }
    }
}

/// Received headers that are metadata, kept as they came in one block and only made into `Metadata` when a
/// handler asks: most never do.
struct RawMetadata {
    private var block: [UInt8] = []

    mutating func append(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        for count in [name.count, value.count] {
            let count = UInt32(truncatingIfNeeded: count)
            for shift: UInt32 in [0, 8, 16, 24] { block.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }
        block.append(contentsOf: name)
        block.append(contentsOf: value)
    }

    func decoded() -> Metadata {
        var metadata = Metadata()
        var index = 0
        func count(at index: Int) -> Int {
            Int(block[index]) | Int(block[index + 1]) << 8 | Int(block[index + 2]) << 16 | Int(block[index + 3]) << 24
        }
        while index + 8 <= block.count {
            let (nameCount, valueCount) = (count(at: index), count(at: index + 4))
            let name = Array(block[(index + 8)..<(index + 8 + nameCount)])
            index += 8 + nameCount
            metadata.append(wireName: name, wireValue: block[index..<(index + valueCount)])
            index += valueCount
        }
        return metadata
    }
}
