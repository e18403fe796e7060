internal import DomeCatalog
internal import DomeCrypto
internal import DomeJournal
internal import DomeModel
internal import DomeSchema

/// What became of the result that a tool promises.
enum ResultOutcome: Sendable {
    /// It promises none, or the job did not come to one.
    case none
    case valid(JobResult)
    /// There is none that keeps the promise; why, for people.
    case invalid(String)

    /// How a job ends that ended well but for this.
    func judging(_ ending: JobEnding) -> JobEnding {
        guard case .invalid(let why) = self else { return ending }
        var ending = ending
        ending.state = .failed
        ending.reason = "result_invalid"
        ending.message = why
        return ending
    }

    /// What goes along with the job.
    var text: String { if case .valid(let result) = self { result.text } else { "" } }

    /// The provenance document's part; nil if there is nothing to say.
    var product: JSONValue? {
        guard case .valid(let result) = self else { return nil }
        return ["sha256": .string(result.sha256), "bytes": .integer(Int64(result.byteCount))]
    }
}

/// A job's standard output, once it was found to be one JSON text that fits the tool's output schema.
struct JobResult: Sendable {
    /// As it was written; empty beyond `inlineLimitBytes`, where it is only read from the events.
    var text: String
    var byteCount: Int
    var sha256: String

    /// Beyond it a result is no result: it belongs into a file.
    static let limitBytes = 24 << 20
    /// What goes along with a reply: an unprepared client takes 4 MiB at most, and there is more in one.
    static let inlineLimitBytes = 1 << 20

    /// Of a whole output. Nil if it is too large to go along.
    static func inline(_ output: JournalOutput) -> String? {
        let bytes = output.bytes.trimmingLayout
        return output.isWhole && bytes.count <= inlineLimitBytes ? String(validating: bytes, as: UTF8.self) : nil
    }

    /// Holds an output against the schema. Takes as long as that does: for a thread of its own.
    static func check(_ output: JournalOutput, _ schema: JSONSchema, of toolID: String) -> ResultOutcome {
        let bytes = Array(output.bytes.trimmingLayout)
        guard output.isWhole else {
            return .invalid("the result of \(toolID) is not whole: it is larger than \(limitBytes) bytes, or was cut")
        }
        guard !bytes.isEmpty else { return .invalid("\(toolID) promises a result and wrote none") }
        do throws(DomeError) {
            let violations = schema.validate(try JSONTree.parse(bytes, what: "the result of \(toolID)"))
            guard violations.isEmpty else {
                let list = violations.map(\.description).joined(separator: "; ")
                return .invalid("the result of \(toolID) does not fit its output schema: \(list.prefix(2_000))")
            }
            let text = bytes.count <= inlineLimitBytes ? String(decoding: bytes, as: UTF8.self) : ""
            return .valid(JobResult(text: text, byteCount: bytes.count, sha256: try SHA256.digest(bytes).hex))
        } catch {
            return .invalid(error.message)
        }
    }
}

extension [UInt8] {
    /// Without what JSON has around a value.
    fileprivate var trimmingLayout: ArraySlice<UInt8> {
        func isLayout(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }
        return self[...].drop(while: isLayout).trimmingSuffix(while: isLayout)
    }
}

extension ArraySlice<UInt8> {
    fileprivate func trimmingSuffix(while isLayout: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var slice = self
        while let last = slice.last, isLayout(last) { slice = slice.dropLast() }
        return slice
    }
}
