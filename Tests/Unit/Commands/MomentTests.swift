import DomeModel
import Testing

@testable import DomeCommands

@Suite struct `Times as people write them` {
    /// 2027-01-15T08:00:30Z
    static let now: Int64 = 1_800_000_030_000_000_000

    @Test(arguments: [
        ("now", "2027-01-15T08:00:30"), ("today", "2027-01-15T00:00:00"), ("yesterday", "2027-01-14T00:00:00"),
        ("30s", "2027-01-15T08:00:00"), ("-1h", "2027-01-15T07:00:30"), ("2d", "2027-01-13T08:00:30"),
        ("2026-02-03", "2026-02-03T00:00:00"), ("2026-02-03 04:05", "2026-02-03T04:05:00"),
        ("2026-02-03T04:05:06", "2026-02-03T04:05:06"), ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06"),
        ("2026-02-03T04:05:06+02:00", "2026-02-03T02:05:06"),
    ]) func `are understood`(_ text: String, _ expected: String) throws {
        let time = try #require(Moment.parse(text, now: Self.now))
        #expect(Timestamp.format(nanoseconds: time).hasPrefix(expected))
    }

    @Test(arguments: ["", "-", "soon", "2026-13-01", "2026-02-30", "1x", "--1h", "12:00"])
    func `are refused`(_ text: String) { #expect(Moment.parse(text, now: Self.now) == nil) }
}
