import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeEngine

/// The journal of a driven job: what a death leaves of it, at any byte.
struct DrivenJournalTests {
    private final class Place {
        let folder: String
        let job = JobID.make()
        var path: String { folder + "/events.journal" }

        init() throws {
            var template = Array("/tmp/dome-driven-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw DomeError.system("create a folder", errno) }
            folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            let writer = try JournalWriter.create(path: path, job)
            try writer.appendEvent(.stateChange, stateChangePayload(from: nil, to: .queued))
        }

        deinit { do { try Files.removeTree(folder) } catch { print("left behind: \(folder): \(error)") } }

        func open(_ limits: Limits = Limits()) throws -> DrivenJournal {
            try DrivenJournal(path: path, job, DriveLimits(limits))
        }

        /// Kind and text of every event.
        func events() throws -> [String] {
            var events: [String] = []
            let cursor = try JournalCursor(path: path, job)
            _ = try cursor.next(after: 0, maxBytes: .max / 2) {
                events.append("\($0.kind)\($0.isPartial ? "…" : ""): \(String(decoding: $0.payload, as: UTF8.self))")
            }
            return events
        }
    }

    private func report(
        _ cursor: String, _ output: String = "", _ state: DriveReport.State = .running
    ) throws -> DriveReport {
        var report = try DriveReport(Array(#"{"state":"running"}"#.utf8), after: .queued, cursor)
        report.state = state
        if !output.isEmpty { report.output = [DriveReport.Piece(stream: .stdout, bytes: Array(output.utf8))] }
        return report
    }

    @Test func `it goes on where it was left, in the middle of a line`() throws {
        let place = try Place()
        var journal: DrivenJournal? = try place.open()
        #expect(try journal?.take(report("1", "one\ntw"), number: 1).cursor == "1")
        journal = nil
        let next = try place.open()
        #expect(next.head.cursor == "1" && next.head.state == .running && next.head.lastSeq == 3)
        let head = try next.take(report("2", "o\n"), number: 1)
        #expect(head.lastSeq == 4)
        #expect(try place.events().suffix(2) == ["log: one", "log: two"])
    }

    @Test func `a report that the file has only a part of was never taken`() throws {
        let place = try Place()
        let journal = try place.open()
        _ = try journal.take(report("1", "one\n"), number: 1)
        let settled = try Files.read(place.path, limitBytes: 1 << 20)
        _ = try journal.take(report("2", "two\nthree\nfo"), number: 2)
        _ = try journal.end(ExitReport(cause: .exited), isDropping: false)
        let whole = try Files.read(place.path, limitBytes: 1 << 20)
        let expected = try place.events()
        // A death after any byte of the second report: the same again leads to the same events.
        for count in stride(from: settled.count, to: whole.count, by: 7) {
            try Files.writeAtomically(place.path, Array(whole[..<count]))
            let again = try place.open()
            #expect(["1", "2"].contains(again.head.cursor))
            if again.exit == nil {
                if again.head.cursor == "1" {
                    #expect(again.head.lastSeq == 3)
                    _ = try again.take(report("2", "two\nthree\nfo"), number: 1)
                }
                _ = try again.end(ExitReport(cause: .exited), isDropping: false)
            }
            #expect(try place.events() == expected)
        }
    }

    @Test func `a line that does not go on is shown as far as it goes`() throws {
        let place = try Place()
        let journal = try place.open()
        _ = try journal.take(report("1", "wait"), number: 1)
        #expect(try place.events().count == 2)
        _ = try journal.take(report("1"), number: 2)
        #expect(try place.events().last == "log…: wait")
        _ = try journal.take(report("2", "ing\n"), number: 3)
        #expect(try place.events().last == "log: ing")
    }

    @Test func `a report that brings nothing writes nothing`() throws {
        let place = try Place()
        let journal = try place.open()
        _ = try journal.take(report("1", "x\n"), number: 1)
        let before = try Files.read(place.path, limitBytes: 1 << 20)
        for number in 2..<10 { _ = try journal.take(report("1"), number: UInt64(number)) }
        #expect(try Files.read(place.path, limitBytes: 1 << 20) == before)
    }

    @Test func `what was dropped counts across a restart and is said once`() throws {
        let place = try Place()
        var limits = Limits()
        limits.outputBytes = 10
        var journal: DrivenJournal? = try place.open(limits)
        _ = try journal?.take(report("1", "12345\n"), number: 1)
        _ = try journal?.take(report("2", "67890\n"), number: 2)
        journal = nil
        let next = try place.open(limits)
        _ = try next.take(report("3", "more\n"), number: 1)
        _ = try next.end(ExitReport(cause: .exited), isDropping: false)
        let guards = try place.events().filter { $0.hasPrefix("guard") }
        #expect(guards.count == 1 && guards[0].contains("\"dropped_bytes\":11,\"dropped_lines\":2"))
    }

    @Test func `a wish to cancel is said once, whoever asks`() throws {
        let place = try Place()
        var journal: DrivenJournal? = try place.open()
        _ = try journal?.noteCancel(Array("{}".utf8))
        journal = nil
        let next = try place.open()
        _ = try next.noteCancel(Array("{}".utf8))
        #expect(try place.events().filter { $0.hasPrefix("guard") }.count == 1)
    }

    @Test func `one that ended before anybody saw it run has run, one that was canceled has not`() throws {
        let place = try Place()
        #expect(try place.open().take(report("", "", .succeeded), number: 1).startedNanoseconds != nil)
        let other = try Place()
        #expect(try other.open().take(report("", "", .canceled), number: 1).startedNanoseconds == nil)
        #expect(try place.events().count == 2)
        #expect(try other.events().count == 1)
    }
}
