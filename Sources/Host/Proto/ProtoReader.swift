/// Reads protobuf's wire format from bytes that somebody else wrote.
///
/// A reader never looks past `end`, whatever the bytes claim. It borrows the buffer it is made from and must not
/// outlive it. Everything it returns is copied out.
package struct ProtoReader {
    /// How deep messages may nest, as in the official runtimes.
    package static let nestingLimit = 100

    private let input: UnsafeRawBufferPointer
    private var position = 0
    /// End of the message being read; nested messages narrow it while they are read.
    private var end: Int
    private var levelsLeft = ProtoReader.nestingLimit
    /// Where the last tag began: an unknown field is copied from here.
    private var tagStart = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        input = bytes
        end = bytes.count
    }

    // MARK: Tags

    /// The next field's tag, `number << 3 | wire type`, or 0 at the end of the message.
    package mutating func nextTag() throws(ProtoError) -> UInt32 {
        guard position < end else { return 0 }
        tagStart = position
        let first = input[position]
        let tag: UInt32
        if first < 0x80 {
            position += 1
            tag = UInt32(first)
        } else {
            tag = try shortVarint(limit: UInt64(UInt32.max))
        }
        guard tag >> 3 != 0 else { throw .invalidTag(tag) }
        return tag
    }

    /// Copies the field whose tag was read last, tag and all, to `unknown`.
    package mutating func keepUnknown(_ tag: UInt32, in unknown: inout [UInt8]) throws(ProtoError) {
        let start = tagStart
        try skip(tag)
        unknown.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[start..<position]))
    }

    /// Passes over the value of the field whose tag was read last.
    package mutating func skip(_ tag: UInt32) throws(ProtoError) {
        switch tag & 7 {
        case ProtoWireType.varint: _ = try varint()
        case ProtoWireType.fixed64: try advance(8)
        case ProtoWireType.lengthDelimited: try advance(try length())
        case ProtoWireType.startGroup: try skipGroup(field: tag >> 3)
        case ProtoWireType.endGroup: throw .unmatchedEndGroup(field: tag >> 3)
        case ProtoWireType.fixed32: try advance(4)
        default: throw .invalidTag(tag)
        }
    }

    private mutating func skipGroup(field: UInt32) throws(ProtoError) {
        guard levelsLeft > 0 else { throw .nestedTooDeeply }
        levelsLeft -= 1
        let start = tagStart
        while true {
            let tag = try nextTag()
            if tag == 0 { throw .truncated }
            if tag == field << 3 | ProtoWireType.endGroup { break }
            try skip(tag)
        }
        levelsLeft += 1
        tagStart = start
    }

    // MARK: Values

    /// A varint of up to ten bytes. Bits past the 64th are dropped, as the official runtimes do.
    package mutating func varint() throws(ProtoError) -> UInt64 {
        guard position < end else { throw .truncated }
        let first = input[position]
        if first < 0x80 {
            position += 1
            return UInt64(first)
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(ProtoError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            guard position < end else { throw .truncated }
            let byte = input[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .malformedVarint
    }

    /// A varint of at most five bytes and at most `limit`: tags and lengths.
    private mutating func shortVarint(limit: UInt64) throws(ProtoError) -> UInt32 {
        let start = position
        let value = try longVarint()
        guard position - start <= 5, value <= limit else { throw .malformedVarint }
        return UInt32(truncatingIfNeeded: value)
    }

    /// The length of a length-delimited value; guaranteed to lie within the message.
    package mutating func length() throws(ProtoError) -> Int {
        guard position < end else { throw .truncated }
        let count = Int(try shortVarint(limit: UInt64(Int32.max)))
        guard count <= end - position else { throw .truncated }
        return count
    }

    private mutating func advance(_ count: Int) throws(ProtoError) {
        guard count <= end - position else { throw .truncated }
        position += count
    }

    package mutating func fixed32Bits() throws(ProtoError) -> UInt32 {
        guard end - position >= 4 else { throw .truncated }
        defer { position += 4 }
        return UInt32(littleEndian: input.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    }

    package mutating func fixed64Bits() throws(ProtoError) -> UInt64 {
        guard end - position >= 8 else { throw .truncated }
        defer { position += 8 }
        return UInt64(littleEndian: input.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// The bytes of a length-delimited value; valid as long as the reader's buffer is.
    package mutating func slice() throws(ProtoError) -> UnsafeRawBufferPointer {
        let count = try length()
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: input[position..<position + count])
    }

    // MARK: Nesting

    /// Runs `body` on a length-delimited value as on a message of its own: `nextTag` gives 0 at its end.
    package mutating func nested(
        _ body: (inout ProtoReader) throws(ProtoError) -> Void
    ) throws(ProtoError) {
        let count = try length()
        guard levelsLeft > 0 else { throw .nestedTooDeeply }
        let outerEnd = end
        end = position + count
        levelsLeft -= 1
        try body(&self)
        levelsLeft += 1
        end = outerEnd
    }

    /// Runs `element` until a packed field's bytes are used up.
    package mutating func packedElements(
        _ element: (inout ProtoReader) throws(ProtoError) -> Void
    ) throws(ProtoError) {
        let count = try length()
        let outerEnd = end
        end = position + count
        while position < end { try element(&self) }
        end = outerEnd
    }

    /// The number of bytes of the packed field that comes next, without reading it: to reserve room.
    package func peekLength() -> Int {
        var ahead = self
        guard let count = try? ahead.length() else { return 0 }
        return count
    }
}
