import DomeModel
import Glibc
import Testing

@testable import DomePlatform

@Suite struct `A record of the log` {
    private func record(_ fields: KeyValuePairs<String, String>, _ level: Log.Level = .warning) -> LogRecord {
        LogRecord(level: level, event: "job.ended", fields: fields, timeNanoseconds: 0)
    }

    @Test func `is one line of text that a hostile value cannot break or colour`() {
        let text = record(["job": "job-1", "error": "a\nb \u{1b}[31m \"x\"", "empty": ""]).text
        #expect(text.hasSuffix(#" warning job.ended job=job-1 error="a\u{a}b \u{1b}[31m \"x\"" empty="""#))
        #expect(text.hasPrefix("1970-01-01T00:00:00"))
    }

    @Test func `is one line of JSON whose own members a field cannot replace`() throws {
        let line = record(["job": "job-1", "level": "info", "error": "a\nb"]).json
        #expect(!line.contains("\n"))
        let document = try JSONParser.parse(line, what: "the record")
        #expect(document["level"]?.stringValue == "warning" && document["event"]?.stringValue == "job.ended")
        #expect(document["error"]?.stringValue == "a\nb" && document["pid"]?.integerValue == Int64(getpid()))
    }

    @Test func `is fields of the journal, of which one with newlines has its length`() {
        let bytes = record(["job": "job-1", "a key": "x\ny"], .error).journal
        let head = "MESSAGE=job.ended job=job-1 a key=\"x\\u{a}y\"\nPRIORITY=3\nSYSLOG_IDENTIFIER="
        #expect(bytes.starts(with: Array(head.utf8)))
        let tail = Array("\nDOME_EVENT=job.ended\nDOME_JOB=job-1\nDOME_A_KEY\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0]
        #expect(bytes.suffix(tail.count + 4) == (tail + Array("x\ny\n".utf8))[...])
    }
}
