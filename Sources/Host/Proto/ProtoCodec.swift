/// One protobuf type: how a single value of it is read and written, without a tag. Packed fields and maps are
/// composed of these.
package protocol ProtoCodec {
    associatedtype Value: Sendable & Equatable
    static var wireType: UInt32 { get }
    static var defaultValue: Value { get }
    /// Whether `value` is the default and may be left out (bit by bit: a negative zero is not).
    static func isDefault(_ value: Value) -> Bool
    /// Reads a value; a message is merged into `value`.
    static func read(_ value: inout Value, from reader: inout ProtoReader) throws(ProtoError)
    static func write(_ value: Value, to writer: inout ProtoWriter)
}

/// A protobuf type that may be the key of a map.
package protocol ProtoKeyCodec: ProtoCodec where Value: Hashable {
    /// The order in which a map's entries are written.
    static func precedes(_ left: Value, _ right: Value) -> Bool
}

extension ProtoCodec {
    package static func isDefault(_ value: Value) -> Bool { value == defaultValue }
}

extension ProtoKeyCodec where Value: Comparable {
    package static func precedes(_ left: Value, _ right: Value) -> Bool { left < right }
}

extension ProtoReader {
    /// A repeated field in packed form.
    package mutating func packed<Codec: ProtoCodec>(
        _ codec: Codec.Type, _ list: inout [Codec.Value]
    ) throws(ProtoError) {
        let elementSize = codec.wireType == ProtoWireType.fixed32 ? 4 : 8
        if codec.wireType != ProtoWireType.varint {
            let count = peekLength()
            guard count % elementSize == 0 else { throw .invalidPackedLength }
            list.reserveCapacity(list.count + count / elementSize)
        }
        try packedElements { reader throws(ProtoError) in
            var value = codec.defaultValue
            try codec.read(&value, from: &reader)
            list.append(value)
        }
    }

    /// One entry of a map. String keys that are canonically equivalent Unicode are one key, as everywhere in Swift;
    /// fields that an entry does not have are dropped. A missing key or value is its default; a later entry replaces an earlier one.
    package mutating func mapEntry<Key: ProtoKeyCodec, Value: ProtoCodec>(
        _ key: Key.Type, _ value: Value.Type, _ map: inout [Key.Value: Value.Value]
    ) throws(ProtoError) {
        var entryKey = key.defaultValue
        var entryValue = value.defaultValue
        try nested { reader throws(ProtoError) in
            while true {
                let tag = try reader.nextTag()
                if tag == 0 { return }
                if tag == 1 << 3 | key.wireType {
                    try key.read(&entryKey, from: &reader)
                } else if tag == 2 << 3 | value.wireType {
                    try value.read(&entryValue, from: &reader)
                } else {
                    try reader.skip(tag)
                }
            }
        }
        map[entryKey] = entryValue
    }
}

extension ProtoWriter {
    /// A repeated field in packed form; nothing at all for an empty list.
    package mutating func packed<Codec: ProtoCodec>(_ codec: Codec.Type, _ field: UInt32, _ list: [Codec.Value]) {
        guard !list.isEmpty else { return }
        tag(field, ProtoWireType.lengthDelimited)
        lengthDelimited { writer in
            for value in list { codec.write(value, to: &writer) }
        }
    }

    /// A map, in key order so that equal maps give equal bytes. Key and value are always both written.
    package mutating func map<Key: ProtoKeyCodec, Value: ProtoCodec>(
        _ key: Key.Type, _ value: Value.Type, _ field: UInt32, _ map: [Key.Value: Value.Value]
    ) {
        guard !map.isEmpty else { return }
        for entry in map.sorted(by: { key.precedes($0.key, $1.key) }) {
            tag(field, ProtoWireType.lengthDelimited)
            lengthDelimited { writer in
                writer.tag(1, key.wireType)
                key.write(entry.key, to: &writer)
                writer.tag(2, value.wireType)
                value.write(entry.value, to: &writer)
            }
        }
    }
}
