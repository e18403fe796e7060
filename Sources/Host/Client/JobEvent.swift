package import DomeModel
internal import DomeProto

/// One event of a job as it came, its payload unparsed.
package struct JobEvent: Sendable {
    /// What the event is about, by the contract's numbers.
    package enum Kind: Sendable, Equatable {
        case stateChange
        /// Output, or progress when the payload has "value".
        case log
        case `guard`
        case error
        /// A type that this build does not know.
        case unknown(Int32)

        /// E.g. "EVENT_TYPE_LOG".
        package var name: String {
            switch self {
            case .stateChange: "EVENT_TYPE_STATE_CHANGE"
            case .log: "EVENT_TYPE_LOG"
            case .guard: "EVENT_TYPE_GUARD"
            case .error: "EVENT_TYPE_ERROR"
            case .unknown(let number): "EVENT_TYPE_\(number)"
            }
        }

        init(_ number: UInt64) {
            switch number {
            case 1: self = .stateChange
            case 2: self = .log
            case 3: self = .guard
            case 4: self = .error
            default: self = .unknown(Int32(truncatingIfNeeded: number))
            }
        }
    }

    package private(set) var seq: UInt64 = 0
    package private(set) var kind = Kind.unknown(0)
    /// The message; everything else is a part of it, so that an event costs one allocation.
    private let message: [UInt8]
    private var timestampRange = 0..<0
    private var payloadRange = 0..<0

    /// Reads StreamJobEventsResponse; nil if it is malformed.
    init?(_ bytes: UnsafeRawBufferPointer) {
        message = Array(bytes)
        var reader = ProtoReader(bytes)
        do throws(ProtoError) {
            while true {
                let tag = try reader.nextTag()
                switch tag {
                case 0: return
                case 8: seq = try reader.varint()
                case 26: timestampRange = Self.range(try reader.slice(), in: bytes)
                case 48: kind = Kind(try reader.varint())
                case 58: payloadRange = Self.range(try reader.slice(), in: bytes)
                default: try reader.skip(tag)
                }
            }
        } catch {
            return nil
        }
    }

    private static func range(_ slice: UnsafeRawBufferPointer, in whole: UnsafeRawBufferPointer) -> Range<Int> {
        guard let start = slice.baseAddress, let base = whole.baseAddress else { return 0..<0 }
        let offset = start - base
        return offset..<(offset + slice.count)
    }

    /// RFC 3339, UTC.
    package var timestamp: String { String(decoding: message[timestampRange], as: UTF8.self) }

    /// payload_json as text.
    package var payloadText: String { String(decoding: message[payloadRange], as: UTF8.self) }

    /// payload_json as a document; E_INVALID_REQUEST if it is none.
    package func payload() throws(DomeError) -> JSONValue {
        try JSONParser.parse(Array(message[payloadRange]), what: "the payload of event \(seq)")
    }

    /// Whether this is the one event that is always last.
    package var isTerminal: Bool {
        guard case .stateChange = kind, let document = try? payload() else { return false }
        return document["to"]?.stringValue.flatMap(JobState.init(name:))?.isTerminal ?? false
    }

    /// Appends the event as one line of JSON, without a newline. The payload is passed on as it came, unless it is
    /// no object on one line: then as text, so that a reader of lines is never misled.
    package func appendJSON(jobID: String, to output: inout [UInt8]) {
        output.append(contentsOf: "{\"seq\":\(seq),\"event_id\":".utf8)
        JSONText.writeString("\(jobID)-\(seq)", into: &output)
        output.append(contentsOf: ",\"ts\":".utf8)
        JSONText.writeString(timestamp, into: &output)
        output.append(contentsOf: ",\"job_id\":".utf8)
        JSONText.writeString(jobID, into: &output)
        output.append(contentsOf: ",\"event_type\":\"\(kind.name)\",\"payload\":".utf8)
        let payload = message[payloadRange]
        if payload.first == UInt8(ascii: "{"), payload.last == UInt8(ascii: "}"),
            !payload.contains(where: { $0 < 0x20 })
        {
            output.append(contentsOf: payload)
        } else {
            JSONText.writeString(payloadText, into: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    /// What a log event carries; nil for another kind.
    package var log: LogPayload? {
        guard case .log = kind else { return nil }
        return message.withUnsafeBytes { LogPayload(UnsafeRawBufferPointer(rebasing: $0[payloadRange])) }
    }
}
