package import DomeModel

/// What an executor says of a job that it drives (executor_drive.h), checked: it is foreign input.
package struct DriveReport: Sendable, Equatable {
    package enum State: UInt8, Sendable {
        case queued, running, succeeded, failed, canceled

        package init?(name: String) {
            switch name {
            case "queued": self = .queued
            case "running": self = .running
            case "succeeded": self = .succeeded
            case "failed": self = .failed
            case "canceled": self = .canceled
            default: return nil
            }
        }

        package var isTerminal: Bool { rawValue >= State.succeeded.rawValue }
    }

    package struct Piece: Sendable, Equatable {
        package var stream: OutputStream
        package var bytes: [UInt8]

        package init(stream: OutputStream, bytes: [UInt8]) { (self.stream, self.bytes) = (stream, bytes) }
    }

    package var state: State
    package var exitCode: Int32?
    /// For people, cut to what an EXIT record holds.
    package var message = ""
    /// What to ask with the next time.
    package var cursor: String
    package var pollMilliseconds: UInt64 = 1_000
    package var output: [Piece] = []

    package static let documentLimitBytes = 4 << 20
    package static let pollRange: ClosedRange<UInt64> = 20...60_000
    private static let piecesLimit = 65_536
    private static let messageLimitBytes = 1_000

    /// Reads the answer to a poll that was asked with `cursor` about a job that was last said to be in `state`. Errors
    /// say what is wrong, as the rest of a sentence about the executor.
    package init(_ document: [UInt8], after state: State, _ cursor: String) throws(DomeError) {
        guard document.count <= Self.documentLimitBytes else {
            throw Self.wrong("has \(document.count) bytes, the limit is \(Self.documentLimitBytes)")
        }
        let object = try Self.object(document, what: "its answer to poll")
        guard let name = object["state"]?.stringValue else { throw Self.wrong("has no \"state\"") }
        guard let next = State(name: name) else { throw Self.wrong("has the unknown state '\(name.prefix(32))'") }
        guard next.rawValue >= state.rawValue else { throw Self.wrong("says '\(name)' after '\(state)'") }
        (self.state, self.cursor) = (next, cursor)
        if let value = object["exit_code"], value != .null {
            guard let code = value.integerValue, (0...255).contains(code) else {
                throw Self.wrong("has an \"exit_code\" that is no whole number from 0 to 255")
            }
            exitCode = Int32(code)
        }
        guard next != .succeeded || exitCode ?? 0 == 0 else {
            throw Self.wrong("says 'succeeded' with exit code \(exitCode ?? 0)")
        }
        if let value = object["message"], value != .null {
            guard let text = value.stringValue else { throw Self.wrong("has a \"message\" that is no text") }
            message = text.cut(toBytes: Self.messageLimitBytes)
        }
        if let value = object["cursor"], value != .null {
            guard let text = value.stringValue, text.utf8.count <= DriveCall.textLimitBytes else {
                throw Self.wrong("has a \"cursor\" that is no text of up to \(DriveCall.textLimitBytes) bytes")
            }
            self.cursor = text
        }
        if let value = object["next_poll_ms"], value != .null {
            guard let number = value.integerValue, number >= 0 else {
                throw Self.wrong("has a \"next_poll_ms\" that is no whole number from 0")
            }
            pollMilliseconds = min(max(UInt64(number), Self.pollRange.lowerBound), Self.pollRange.upperBound)
        }
        if let value = object["output"], value != .null { output = try Self.pieces(value) }
        guard output.isEmpty || self.cursor != cursor || next.isTerminal else {
            throw Self.wrong("has output, but the cursor that it was asked with")
        }
    }

    private static func pieces(_ value: JSONValue) throws(DomeError) -> [Piece] {
        guard let array = value.arrayValue, array.count <= piecesLimit else {
            throw wrong("has an \"output\" that is no array of up to \(piecesLimit) pieces")
        }
        var pieces: [Piece] = []
        for (index, element) in array.enumerated() {
            let stream: OutputStream
            switch element["stream"]?.stringValue {
            case "stdout": stream = .stdout
            case "stderr": stream = .stderr
            default: throw wrong("has output \(index) with a \"stream\" that is neither stdout nor stderr")
            }
            let bytes: [UInt8]
            if let text = element["text"]?.stringValue {
                bytes = Array(text.utf8)
            } else if let text = element["base64"]?.stringValue, let decoded = Base64.decode(Array(text.utf8)) {
                bytes = decoded
            } else {
                throw wrong("has output \(index) without a \"text\", or a \"base64\" that is what it says")
            }
            if !bytes.isEmpty { pieces.append(Piece(stream: stream, bytes: bytes)) }
        }
        return pieces
    }

    /// The handle in the answer to `start`. Errors as above.
    package static func handle(in document: [UInt8]) throws(DomeError) -> String {
        guard let text = try object(document, what: "its answer to start")["handle"]?.stringValue else {
            throw DomeError(.internal, "its answer to start has no \"handle\"")
        }
        guard !text.isEmpty, text.utf8.count <= DriveCall.textLimitBytes else {
            throw DomeError(
                .internal,
                "its answer to start has a \"handle\" of \(text.utf8.count) bytes; 1 to \(DriveCall.textLimitBytes) "
                    + "may be")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw DomeError(.internal, "its answer to start has a \"handle\" with control characters")
        }
        return text
    }

    private static func object(_ document: [UInt8], what: String) throws(DomeError) -> JSONObject {
        do throws(DomeError) {
            guard let object = try JSONParser.parse(document, what: what).objectValue else {
                throw DomeError(.internal, "\(what) is no JSON object")
            }
            return object
        } catch {
            throw DomeError(.internal, error.message)
        }
    }

    private static func wrong(_ what: String) -> DomeError { DomeError(.internal, "its answer to poll \(what)") }
}
