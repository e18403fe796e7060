import DomeLink
import DomeModel
import Testing

@testable import DomeEngine

/// What an executor says of a job that it drives is foreign input.
struct DriveReportTests {
    private func report(
        _ text: String, after state: DriveReport.State = .running, _ cursor: String = "1"
    ) throws(DomeError) -> DriveReport {
        try DriveReport(Array(text.utf8), after: state, cursor)
    }

    private func refusal(_ body: () throws(DomeError) -> Void) -> String {
        do throws(DomeError) { try body() } catch {
            #expect(error.code == .internal)
            return error.message
        }
        return ""
    }

    @Test func `everything that may be said is understood, and what is unknown is not minded`() throws {
        let report = try report(
            #"{"state":"failed","exit_code":3,"message":"no","cursor":"2","next_poll_ms":50,"more":[1],"output":["#
                + #"{"stream":"stdout","text":"aä"},{"stream":"stderr","base64":"AP8="},{"stream":"stdout","text":""}]}"#
        )
        #expect(report.state == .failed && report.exitCode == 3 && report.message == "no" && report.cursor == "2")
        #expect(report.pollMilliseconds == 50)
        let pieces = [
            DriveReport.Piece(stream: .stdout, bytes: Array("aä".utf8)),
            DriveReport.Piece(stream: .stderr, bytes: [0, 255]),
        ]
        #expect(report.output == pieces)
    }

    @Test func `what is missing has its default`() throws {
        let report = try report(#"{"state":"running"}"#)
        #expect(report.cursor == "1" && report.pollMilliseconds == 1_000 && report.output.isEmpty)
        #expect(report.exitCode == nil && report.message.isEmpty)
    }

    @Test(arguments: [("0", UInt64(20)), ("19", 20), ("60001", 60_000), ("9000000000000000000", 60_000)])
    func `the pause is kept within bounds`(asked: String, kept: UInt64) throws {
        #expect(try report(#"{"state":"running","next_poll_ms":\#(asked)}"#).pollMilliseconds == kept)
    }

    @Test func `a message is cut at a character`() throws {
        let long = String(repeating: "ä", count: 5_000)
        let message = try report(#"{"state":"running","message":"\#(long)"}"#).message
        #expect(message.utf8.count == 1_000 && long.hasPrefix(message))
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("[]", "is no JSON object"), ("{}", "has no \"state\""),
        (#"{"state":7}"#, "has no \"state\""), (#"{"state":"dreaming"}"#, "unknown state 'dreaming'"),
        (#"{"state":"queued"}"#, "says 'queued' after 'running'"),
        (#"{"state":"succeeded","exit_code":3}"#, "says 'succeeded' with exit code 3"),
        (#"{"state":"failed","exit_code":256}"#, "from 0 to 255"),
        (#"{"state":"failed","exit_code":-1}"#, "from 0 to 255"),
        (#"{"state":"failed","exit_code":"1"}"#, "from 0 to 255"),
        (#"{"state":"running","next_poll_ms":-1}"#, "\"next_poll_ms\""),
        (#"{"state":"running","next_poll_ms":1.5}"#, "\"next_poll_ms\""),
        (#"{"state":"running","message":3}"#, "\"message\" that is no text"),
        (#"{"state":"running","cursor":3}"#, "no text of up to 4096 bytes"),
        (#"{"state":"running","output":{}}"#, "\"output\" that is no array"),
        (#"{"state":"running","cursor":"n","output":[3]}"#, "neither stdout nor stderr"),
        (#"{"state":"running","cursor":"n","output":[{"stream":"stdin","text":"x"}]}"#, "neither stdout nor stderr"),
        (#"{"state":"running","cursor":"n","output":[{"stream":"stdout"}]}"#, "output 0 without a \"text\""),
        (#"{"state":"running","cursor":"n","output":[{"stream":"stdout","base64":"!"}]}"#, "what it says"),
        (#"{"state":"running","output":[{"stream":"stdout","text":"x"}]}"#, "the cursor that it was asked with"),
    ])
    func `what will not do is refused by name`(text: String, complaint: String) {
        #expect(refusal { () throws(DomeError) in _ = try report(text) }.contains(complaint))
    }

    @Test func `what is too large or no text is refused by name`() {
        let wide = #"{"state":"running","cursor":"\#(String(repeating: "c", count: 4_097))"}"#
        #expect(refusal { () throws(DomeError) in _ = try report(wide) }.contains("no text of up to 4096 bytes"))
        let pieces = Array(repeating: #"{"stream":"stdout","text":"x"}"#, count: 65_537).joined(separator: ",")
        let many = #"{"state":"running","cursor":"n","output":[\#(pieces)]}"#
        #expect(refusal { () throws(DomeError) in _ = try report(many) }.contains("no array of up to"))
        let huge = [UInt8](repeating: 0x20, count: DriveReport.documentLimitBytes + 1)
        #expect(
            refusal { () throws(DomeError) in _ = try DriveReport(huge, after: .queued, "") }
                .contains("has 4194305 bytes, the limit is 4194304"))
        #expect(
            refusal { () throws(DomeError) in _ = try DriveReport([0xff, 0xfe], after: .queued, "") }
                .contains("not valid JSON"))
    }

    @Test func `nothing follows the end, and nothing goes back`() throws {
        let names = ["queued", "running", "succeeded", "failed", "canceled"]
        for (index, name) in names.enumerated() {
            let before = try #require(DriveReport.State(name: name))
            for (later, other) in names.enumerated() where later < min(index, 2) {
                let text = #"{"state":"\#(other)"}"#
                #expect(!refusal { () throws(DomeError) in _ = try report(text, after: before) }.isEmpty)
            }
        }
        #expect(try report(#"{"state":"canceled"}"#, after: .queued).state == .canceled)
    }

    @Test(arguments: [
        ("{", "not valid JSON"), ("[]", "is no JSON object"), ("{}", "has no \"handle\""),
        (#"{"handle":7}"#, "has no \"handle\""), (#"{"handle":""}"#, "of 0 bytes"),
        (#"{"handle":"a\nb"}"#, "control characters"), (#"{"handle":"a\u007f"}"#, "control characters"),
    ])
    func `a handle that will not do is refused by name`(text: String, complaint: String) {
        let message = refusal { () throws(DomeError) in _ = try DriveReport.handle(in: Array(text.utf8)) }
        #expect(message.contains(complaint))
    }

    @Test func `a handle may be as long as is said, and no longer`() throws {
        for (count, isFine) in [(4_096, true), (4_097, false), (1 << 20, false)] {
            let handle = String(repeating: "h", count: count)
            let document = Array(#"{"handle":"\#(handle)","more":1}"#.utf8)
            if isFine {
                #expect(try DriveReport.handle(in: document) == handle)
            } else {
                let message = refusal { () throws(DomeError) in _ = try DriveReport.handle(in: document) }
                #expect(message.contains("\"handle\" of \(count) bytes"))
            }
        }
    }

    @Test func `limits are kept as they were decided`() throws {
        var limits = Limits()
        (limits.wallMilliseconds, limits.graceMilliseconds) = (7, 8)
        (limits.outputBytes, limits.lineBytes, limits.diskBytes) = (9, 10, 11)
        #expect(try DriveLimits(parsing: DriveLimits(limits).json) == DriveLimits(limits))
        #expect(try DriveLimits(parsing: "{}") == DriveLimits(Limits()))
    }
}
