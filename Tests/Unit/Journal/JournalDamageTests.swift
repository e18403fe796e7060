import DomeJournal
import DomeModel
import DomePlatform
import Testing

/// Torn tails, flipped bits, lost middles: what is read is right, or it is an error; never wrong.
struct JournalDamageTests {
    @Test func `a torn tail is not there yet for readers and cut by the next writer`() throws {
        let journal = try TemporaryJournal()
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID)
            try writer.lines("1\n2\n")
            try writer.lines("3\n4\n")
        }
        let whole = try journal.bytes()
        for cut in 1..<56 {
            try journal.replace(Array(whole.dropLast(cut)))
            // The padding alone (4 bytes) may be missing.
            let isWhole = cut <= 4
            #expect(try journal.events().map(\.text) == (isWhole ? ["1", "2", "3", "4"] : ["1", "2"]))
            let writer = try JournalWriter.open(path: journal.path, journal.jobID)
            #expect(writer.lastSeq == (isWhole ? 4 : 2))
            try writer.lines("next\n")
            #expect(try journal.events().last?.text == "next")
            #expect(try journal.events().last?.seq == (isWhole ? 5 : 3))
        }
    }

    @Test func `a cursor at a torn tail goes on when the tail is replaced`() throws {
        let journal = try TemporaryJournal()
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID)
            try writer.lines("1\n")
            try writer.lines("torn\n")
        }
        try journal.replace(Array(try journal.bytes().dropLast(6)))
        let cursor = try JournalCursor(path: journal.path, journal.jobID)
        #expect(try cursor.take(after: 0).events.map(\.text) == ["1"])
        #expect(try cursor.take(after: 7).events.isEmpty)
        let writer = try JournalWriter.open(path: journal.path, journal.jobID)
        try writer.lines("a longer line instead\n")
        for number in 3...9 { try writer.lines("\(number)\n") }
        #expect(try cursor.take(after: 7).events.map(\.text) == ["8", "9"])
        #expect(try cursor.take(after: 1).events.first?.text == "a longer line instead")
    }

    @Test func `damage before the tail is an error that names job and byte`() throws {
        let journal = try TemporaryJournal()
        var middle = 0
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID)
            try writer.lines("1\n")
            middle = Int(writer.byteLength)
            try writer.lines("2\n")
            try writer.lines("3\n")
        }
        let whole = try journal.bytes()
        for offset in [middle, middle + 9, middle + 32, middle + 48] {
            var bytes = whole
            bytes[offset] ^= 0x10
            try journal.replace(bytes)
            for attempt in 0..<2 {
                let cursor = try JournalCursor(path: journal.path, journal.jobID)
                var seen: [UInt64] = []
                #expect { try cursor.next(after: 0) { seen.append($0.seq) } } throws: { error in
                    let text = "\(error)"
                    return text.contains(journal.jobID.text) && text.contains("byte \(middle)")
                }
                #expect(seen == [1], "attempt \(attempt)")
            }
            #expect(throws: DomeError.self) { try JournalWriter.open(path: journal.path, journal.jobID) }
        }
        let writer = try JournalWriter.open(path: journal.path, journal.jobID, damage: .setAside)
        #expect(writer.lastSeq == 1)
        let aside = try Files.read("\(journal.path).damaged-\(middle)", limitBytes: 1 << 20)
        #expect(aside.count == whole.count - middle)
    }

    @Test func `a frame that is missing is an error and no gap`() throws {
        let journal = try TemporaryJournal()
        var lengths: [Int] = []
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID)
            for line in ["1\n", "2\n", "3\n"] {
                lengths.append(Int(writer.byteLength))
                try writer.lines(line)
            }
        }
        let whole = try journal.bytes()
        try journal.replace(Array(whole[..<lengths[1]] + whole[lengths[2]...]))
        let cursor = try JournalCursor(path: journal.path, journal.jobID)
        var seen: [UInt64] = []
        #expect(throws: DomeError.self) { try cursor.next(after: 0) { seen.append($0.seq) } }
        #expect(seen == [1])
        #expect(throws: DomeError.self) { try JournalSummary.scan(path: journal.path, journal.jobID) }
    }

    @Test func `a tail of zeros is torn`() throws {
        let journal = try TemporaryJournal()
        do { try JournalWriter.create(path: journal.path, journal.jobID).lines("1\n") }
        try journal.replace(try journal.bytes() + [UInt8](repeating: 0, count: 70_000))
        #expect(try journal.events().count == 1)
        #expect(try JournalWriter.open(path: journal.path, journal.jobID).lastSeq == 1)
        #expect(try journal.bytes().count < 200)
    }

    @Test func `output that imitates a frame is not taken for one`() throws {
        let journal = try TemporaryJournal()
        var start = 0
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID)
            try writer.lines("1\n")
            start = Int(writer.byteLength)
        }
        // The frame of another journal, printed by the tool at an aligned place, in a frame that is then torn.
        let other = try TemporaryJournal()
        do { try JournalWriter.create(path: other.path, other.jobID).lines("1\n") }
        let forged = Array(try other.bytes()[64...])
        do {
            let writer = try JournalWriter.open(path: journal.path, journal.jobID)
            _ = try forged.withBytes { raw throws(DomeError) in
                try writer.appendPiece(raw, stream: .stdout, lineID: nil, isPartial: false, wallNanoseconds: 0)
            }
        }
        var bytes = try journal.bytes()
        bytes[start] ^= 1
        try journal.replace(bytes)
        #expect(try journal.events().count == 1)
    }

    @Test func `random truncation and bit flips never trap and never give a wrong event`() throws {
        let journal = try TemporaryJournal()
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID)
            for round in 0..<12 {
                try writer.lines("line \(round)\nPROGRESS:\(round)\n\n")
                try writer.appendEvent(.error, Array(#"{"reason":"r"}"#.utf8))
                try writer.lines("e\(round)\n", .stderr)
            }
            try writer.appendExit(ExitReport(cause: .exited))
        }
        let whole = try journal.bytes()
        let truth = try journal.events()
        // The fuzzer sets damage aside hundreds of times.
        Log.setLevel(.error)
        defer { Log.setLevel(.info) }
        var generator = SplitMix(seed: 20_261_120)
        for round in 0..<3000 {
            var bytes = whole
            if round % 2 == 0 { bytes.removeLast(Int(generator.next() % UInt64(bytes.count))) }
            for _ in 0..<(generator.next() % 4) where !bytes.isEmpty {
                bytes[Int(generator.next() % UInt64(bytes.count))] ^= UInt8(1 << (generator.next() % 8))
            }
            try journal.replace(bytes)
            var seen: [SeenEvent] = []
            do throws(DomeError) {
                let cursor = try JournalCursor(path: journal.path, journal.jobID)
                _ = try cursor.next(after: 0) { seen.append(SeenEvent($0)) }
            } catch {
                #expect(error.code == .internal)
            }
            #expect(seen == Array(truth.prefix(seen.count)), "round \(round)")
            do {
                let writer = try JournalWriter.open(path: journal.path, journal.jobID, damage: .setAside)
                #expect(writer.lastSeq <= 84)
                if writer.exit == nil { try writer.lines("after\n") }
                #expect(try journal.events().last?.seq ?? 0 == writer.lastSeq)
            } catch { Issue.record("round \(round): \(error)") }
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
