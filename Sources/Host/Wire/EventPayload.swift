import DomeModel

/// An event's `payload_json`, measured and ready to be written.
struct EventPayload {
    private enum Form {
        /// Already JSON.
        case ready
        /// The JSON number of a progress event.
        case progress
        /// A line without anything to escape.
        case plainLine
        case escapedLine
        case binaryLine
        /// Not a line, and not UTF-8: some writer's fault, which must not break the client's parser.
        case binary
    }

    private let event: EventView
    private let form: Form
    /// Bytes of the whole document.
    let count: Int

    init(_ event: EventView) {
        self.event = event
        let scan = JSONLine(scanning: event.payload)
        let rawCount = event.payload.count
        switch event.kind {
        case .log:
            let extras = Self.extrasCount(event)
            if !scan.isUTF8 {
                form = .binaryLine
                count = Self.binaryHead(event.stream).count + RawCursor.base64Count(rawCount) + extras + 2
            } else {
                form = scan.escapedCount == rawCount ? .plainLine : .escapedLine
                count = Self.head(event.stream).count + scan.escapedCount + extras + 2
            }
        case .progress where scan.isUTF8:
            form = .progress
            count = Self.progressHead.count + rawCount + 1
        case _ where scan.isUTF8:
            form = .ready
            count = rawCount
        default:
            form = .binary
            count = Self.unreadableHead.count + RawCursor.base64Count(rawCount) + 2
        }
    }

    func write(to cursor: inout RawCursor) {
        switch form {
        case .ready:
            cursor.bytes(event.payload)
            return
        case .progress:
            cursor.text(Self.progressHead)
            cursor.bytes(event.payload)
        case .plainLine:
            cursor.text(Self.head(event.stream))
            cursor.bytes(event.payload)
            cursor.byte(UInt8(ascii: "\""))
            writeExtras(to: &cursor)
        case .escapedLine:
            cursor.text(Self.head(event.stream))
            cursor.escaped(event.payload)
            cursor.byte(UInt8(ascii: "\""))
            writeExtras(to: &cursor)
        case .binaryLine:
            cursor.text(Self.binaryHead(event.stream))
            cursor.base64(event.payload)
            cursor.byte(UInt8(ascii: "\""))
            writeExtras(to: &cursor)
        case .binary:
            cursor.text(Self.unreadableHead)
            cursor.base64(event.payload)
            cursor.byte(UInt8(ascii: "\""))
        }
        cursor.byte(UInt8(ascii: "}"))
    }

    // MARK: Parts

    private static let partial: StaticString = ",\"partial\":true"
    private static let lineID: StaticString = ",\"line_id\":"
    private static let progressHead: StaticString = "{\"value\":"
    private static let unreadableHead: StaticString = "{\"payload_b64\":\""

    private static func extrasCount(_ event: EventView) -> Int {
        var count = event.isPartial ? partial.count : 0
        if event.lineID != 0 { count += lineID.count + RawCursor.decimalCount(event.lineID) }
        return count
    }

    private func writeExtras(to cursor: inout RawCursor) {
        if event.isPartial { cursor.text(Self.partial) }
        if event.lineID != 0 {
            cursor.text(Self.lineID)
            cursor.decimal(event.lineID, count: RawCursor.decimalCount(event.lineID))
        }
    }

    private static func head(_ stream: OutputStream) -> StaticString {
        switch stream {
        case .none: "{\"stream\":\"none\",\"line\":\""
        case .stdout: "{\"stream\":\"stdout\",\"line\":\""
        case .stderr: "{\"stream\":\"stderr\",\"line\":\""
        }
    }

    private static func binaryHead(_ stream: OutputStream) -> StaticString {
        switch stream {
        case .none: "{\"stream\":\"none\",\"line_b64\":\""
        case .stdout: "{\"stream\":\"stdout\",\"line_b64\":\""
        case .stderr: "{\"stream\":\"stderr\",\"line_b64\":\""
        }
    }
}

extension StaticString {
    /// In bytes.
    fileprivate var count: Int { utf8CodeUnitCount }
}
