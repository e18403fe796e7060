import DomeModel
import Testing

@Suite struct `Job ids` {
    @Test func `have a fixed form, sort by age and survive their text`() throws {
        let older = JobID(createdMilliseconds: 1_800_000_000_000, random: (.max, .max))
        let younger = JobID(createdMilliseconds: 1_800_000_000_001, random: (0, 0))
        #expect(older.text.utf8.count == 30 && older.text.hasPrefix("job-"))
        #expect(older.text < younger.text)
        #expect(JobID(older.text) == older)
        #expect(JobID.ofRun(older.runID) == older && older.runID.hasPrefix("run-"))
        #expect(older.shard.utf8.count == 2 && older.text.hasSuffix(older.shard))
    }

    @Test func `80 random bits all count`() {
        let base = JobID(createdMilliseconds: 1, random: (0, 0))
        let same = (0..<64).filter { JobID(createdMilliseconds: 1, random: (1 << UInt64($0), 0)) == base }
        let sameLow = (0..<16).filter { JobID(createdMilliseconds: 1, random: (0, 1 << UInt16($0))) == base }
        #expect(same.isEmpty && sameLow.isEmpty)
    }

    @Test(arguments: [
        "", "job-", "job-01", "JOB-01mcc5rm010000000000001007", "job-01MCC5RM010000000000001007",
        "job-01mcc5rm01000000000000100", "job-01mcc5rm0100000000000010077", "job-01mcc5rm01000000000000100i",
        "job-01mcc5rm01000000000000100/", "job-../../../../../../etc/pas", "run-01mcc5rm010000000000001007",
        "job-01mcc5rm0100000000000010\u{0}7", "job-01mcc5rm01000000000000\u{e9}", " job-01mcc5rm01000000000000100",
    ])
    func `anything else is refused, so an id is safe in a path`(_ text: String) { #expect(JobID(text) == nil) }
}

@Suite struct `Job states` {
    @Test func `pass from one to the next only forward, and end once`() {
        let allowed: Set<[JobState]> = [
            [.queued, .running], [.queued, .failed], [.queued, .canceled], [.running, .succeeded], [.running, .failed],
            [.running, .canceled],
        ]
        for from in JobState.allCases {
            for next in JobState.allCases { #expect(from.mayBecome(next) == allowed.contains([from, next])) }
            #expect(from.isTerminal == JobState.allCases.allSatisfy { !from.mayBecome($0) })
            #expect(JobState(name: from.name) == from)
        }
        #expect(JobState(name: "QUEUED") == nil)
    }

    @Test func `numbers and names are the contract's`() {
        #expect(JobState.allCases.map(\.rawValue) == [1, 2, 3, 4, 5])
        #expect(ErrorCode.allCases.map(\.rawValue) == Array(1...9))
        let names = [
            "E_INVALID_REQUEST", "E_INVALID_TRANSITION", "E_NOT_FOUND", "E_LOCK_CONFLICT", "E_IDEMPOTENCY_KEY_REUSED",
            "E_POLICY_DENIED", "E_TIMEOUT", "E_INTERNAL", "E_RESOURCE_EXHAUSTED",
        ]
        #expect(ErrorCode.allCases.map(\.name) == names)
        #expect(ErrorCode.allCases.filter(\.isRetryable) == [.lockConflict, .timeout, .resourceExhausted])
        #expect("\(DomeError(.notFound, "job not found: x", cause: "y"))" == "E_NOT_FOUND: job not found: x (y)")
    }
}

@Suite struct `Timestamps` {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (4_107_542_399_999_999_000, "2100-02-28T23:59:59.999999Z"), (.max, "2262-04-11T23:47:16.854775Z"),
            (.min, "1677-09-21T00:12:43.145224Z"),
        ] as [(Int64, String)])
    func `are RFC 3339 with six digits`(_ nanoseconds: Int64, _ text: String) {
        #expect(Timestamp.format(nanoseconds: nanoseconds) == text)
    }

    @Test func `come back from their text`() {
        for step in 0..<2_000 {
            let nanoseconds = Int64(step) * 4_605_345_678_901_000
            #expect(Timestamp.parse(Timestamp.format(nanoseconds: nanoseconds)) == nanoseconds)
        }
    }

    @Test(
        arguments: [
            ("2023-11-14T22:13:20Z", 1_700_000_000_000_000_000), ("2023-11-14t22:13:20z", 1_700_000_000_000_000_000),
            ("2023-11-15T00:13:20+02:00", 1_700_000_000_000_000_000),
            ("2023-11-14T16:43:20-05:30", 1_700_000_000_000_000_000),
            ("2023-11-14 22:13:20.5Z", 1_700_000_000_500_000_000),
            ("2023-11-14T22:13:20.1234567899Z", 1_700_000_000_123_456_789),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ] as [(String, Int64)])
    func `are read in every form of RFC 3339`(_ text: String, _ nanoseconds: Int64) {
        #expect(Timestamp.parse(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z", "2023-02-29T00:00:00Z", "2023-02-31T00:00:00Z",
        "2023-04-31T00:00:00Z", "2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z", "2023-01-00T00:00:00Z",
        "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:61Z", "2023-01-01T00:00:00.Z",
        "2023-01-01T00:00:00+24:00", "2023-01-01T00:00:00+00:60", "2023-01-01T00:00:00+0000", "9999-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z", "2023-01-01T00:00:00Zx", " 2023-01-01T00:00:00Z", "２０２３-01-01T00:00:00Z",
    ])
    func `are refused in any other`(_ text: String) { #expect(Timestamp.parse(text) == nil) }
}

@Suite struct `Permissions` {
    @Test(arguments: [
        ("fs.read:/a/b", Permission.readPath("/a/b")), ("fs.write:/", .writePath("/")), ("fs.read:*", .readPath(nil)),
        ("env:PATH_2", .environment("PATH_2")), ("net.loopback", .networkLoopback), ("net.full", .networkFull),
        ("unix", .unixSockets), ("process", .process), ("fs.read:/a..b/..c", .readPath("/a..b/..c")),
    ])
    func `have a text form that comes back`(_ text: String, _ permission: Permission) throws {
        #expect(try Permission(parsing: text) == permission)
        #expect(permission.description == text)
    }

    @Test(arguments: [
        "", "fs.read", "fs.read:", "fs.read:a", "fs.read:./a", "fs.read:/a/../b", "fs.read:/..", "fs.write:/a/..",
        "fs.read:/a\u{0}b", "fs.read:**", "env:", "env:2A", "env:A-B", "env:A=B", "env:É", "net", "NET.FULL",
        "net.full ", "process:x", "fs.read:/a/../\u{301}b", "fs.read:/\u{301}../../b", "fs.write:/a/..\u{0}",
    ])
    func `are refused when they name nothing, or climb`(_ text: String) {
        let error = #expect(throws: DomeError.self) { try Permission(parsing: text) }
        #expect(error?.code == .invalidRequest)
    }
}

@Suite struct `Path texts` {
    @Test func `are bytes between slashes, whatever characters they make`() {
        #expect(PathText.climbs("/a/../b") && PathText.climbs("..") && PathText.climbs("a/.."))
        // A slash and the mark after it are one Character of Swift's; the kernel sees a slash.
        #expect(PathText.climbs("/a/../\u{301}b") && PathText.climbs("/a/\u{301}/../b"))
        #expect(!PathText.climbs("/a..b/...") && !PathText.climbs(""))
        #expect(PathText.isPlainRelative("a/b.c/..d") && PathText.isPlainRelative("a/\u{301}b"))
        for path in ["", "/a", "a/", "a//b", ".", "a/./b", "a/../b", "../\u{301}b", "./\u{301}b", "a\u{0}b"] {
            #expect(!PathText.isPlainRelative(path))
        }
        #expect(PathText.contains("/a", "/a") && PathText.contains("/a", "/a/b") && PathText.contains("/", "/a"))
        #expect(!PathText.contains("/a", "/ab") && !PathText.contains("/a/b", "/a"))
        #expect(PathText.contains("/a", "/a/\u{301}b") && !PathText.contains("/\u{e9}", "/e\u{301}/x"))
    }
}
