package import DomeModel

/// Turns one job's events into gRPC messages of `domed.v1.StreamJobEventsResponse`, ready for an HTTP/2 DATA frame.
///
/// This is the hottest path of the daemon, so it knows the message by heart: field by field, from the journal's bytes
/// to the wire's, without a String, without an allocation of its own (but once a second for the date), and without
/// the generated type. A test compares the two. Not to be shared between threads; make one for each follower.
package struct StreamEventEncoder {
    /// Fields 4 and 5, run_id and job_id, as they stand in every message.
    private let idFields: [UInt8]
    /// `<job_id>-`, the beginning of every event_id.
    private let eventIDPrefix: [UInt8]
    private var time = TimestampText()

    package init(jobID: JobID) {
        let job = Array(jobID.text.utf8)
        let run = Array(jobID.runID.utf8)
        var fields: [UInt8] = []
        // Ids are some 30 bytes long (JobID checks it), so that one byte holds the length.
        for (tag, id) in [(UInt8(4 << 3 | 2), run), (UInt8(5 << 3 | 2), job)] {
            fields += [tag, UInt8(truncatingIfNeeded: id.count)]
            fields += id
        }
        idFields = fields
        eventIDPrefix = job + [UInt8(ascii: "-")]
    }

    /// Appends one message with its gRPC header: a zero byte (not compressed) and the length, 4 bytes big-endian.
    ///
    /// `event.payload` is only read during the call. Payloads that should be UTF-8 and are not never reach the client
    /// as they are: a line becomes `line_b64`, anything else `{"payload_b64":…}`.
    package mutating func append(_ event: EventView, to output: inout [UInt8]) {
        time.set(nanoseconds: event.wallNanoseconds)
        let payload = EventPayload(event)
        let seqCount = RawCursor.varintCount(event.seq)
        let digits = RawCursor.decimalCount(event.seq)
        let eventIDCount = eventIDPrefix.count + digits
        let messageCount =
            1 + seqCount + 2 + eventIDCount + 2 + TimestampText.count + idFields.count + 2
            + 1 + RawCursor.varintCount(UInt64(payload.count)) + payload.count
        let total = 5 + messageCount
        output.append(addingCapacity: total) { span in
            span.withUnsafeMutableBufferPointer { buffer, initialized in
                guard let base = buffer.baseAddress else { return }
                let room = UnsafeMutableRawBufferPointer(start: base, count: total)
                var cursor = RawCursor(room, base: UnsafeMutableRawPointer(base))
                cursor.byte(0)
                cursor.bigEndian(UInt32(truncatingIfNeeded: messageCount))
                cursor.byte(1 << 3)
                cursor.varint(event.seq)
                cursor.byte(2 << 3 | 2)
                cursor.byte(UInt8(truncatingIfNeeded: eventIDCount))
                cursor.bytes(eventIDPrefix)
                cursor.decimal(event.seq, count: digits)
                cursor.byte(3 << 3 | 2)
                cursor.byte(UInt8(truncatingIfNeeded: TimestampText.count))
                time.write(to: &cursor)
                cursor.bytes(idFields)
                cursor.byte(6 << 3)
                cursor.byte(Self.eventType(event.kind))
                cursor.byte(7 << 3 | 2)
                cursor.varint(UInt64(payload.count))
                payload.write(to: &cursor)
                assert(cursor.remaining == 0)
                initialized += total - cursor.remaining
            }
        }
    }

    /// Domed_V1_EventType's numbers; a test holds the two together.
    private static func eventType(_ kind: EventKind) -> UInt8 {
        switch kind {
        case .stateChange: 1
        case .log, .progress, .report: 2
        case .guard: 3
        case .error: 4
        }
    }
}

/// A time as RFC 3339 text with microseconds. The date is worked out only when the second changes.
struct TimestampText {
    static let count = 27
    private static let fractionOffset = 20

    private var second = Int64.min
    private var microsecond: UInt64 = 0
    private var text = [UInt8](repeating: 0, count: TimestampText.count)

    mutating func set(nanoseconds: Int64) {
        var (second, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest < 0 {
            second -= 1
            rest += 1_000_000_000
        }
        if second != self.second {
            self.second = second
            text = Array(Timestamp.format(nanoseconds: nanoseconds).utf8)
            // 64 bits of nanoseconds reach from 1677 to 2262: the year has four digits.
            assert(text.count == Self.count)
        }
        microsecond = UInt64(truncatingIfNeeded: rest) / 1000
    }

    func write(to cursor: inout RawCursor) {
        text.withUnsafeBytes { cursor.bytes(UnsafeRawBufferPointer(rebasing: $0[0..<Self.fractionOffset])) }
        cursor.decimal(microsecond, count: 6)
        cursor.byte(UInt8(ascii: "Z"))
    }
}
