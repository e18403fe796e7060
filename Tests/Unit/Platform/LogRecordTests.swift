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

    @Test func `goes to the journal's socket in one datagram, or says that it did not`() throws {
        let folder = try Folder()
        let path = folder.path + "/journal"
        #expect(JournalSocket(path: path) == nil)
        let receiver = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(receiver.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let journal = try #require(JournalSocket(path: path))
        #expect(journal.send(Array("MESSAGE=x\n".utf8)))
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(recv(receiver.number, &buffer, 100, 0) == 10)
        // Larger than any datagram.
        #expect(!journal.send([UInt8](repeating: 0, count: 64 << 20)))
    }
}
