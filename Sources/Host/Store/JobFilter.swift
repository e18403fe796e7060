package import DomeModel

/// Which jobs a list shows; what is nil or empty does not restrict, the rest is ANDed.
package struct JobFilter: Sendable, Equatable {
    package var states: Set<JobState> = []
    package var toolID: String?
    package var profile: String?
    /// Nanoseconds since 1970: created at or after.
    package var createdSinceNanoseconds: Int64?
    /// Nanoseconds since 1970: created before.
    package var createdBeforeNanoseconds: Int64?

    package init() {}
}

/// Some jobs of a list, newest first.
package struct JobPage: Sendable, Equatable {
    package var records: [JobRecord]
    /// Gets the next page; nil on the last one.
    package var nextToken: String?

    /// What a page holds when nobody says, and at most.
    package static let defaultSize = 100
    package static let largestSize = 1000
}

/// A page's continuation: `p1-` and a number, in hexadecimal. Clients pass it on as it is. For jobs it is that of the last
/// admission shown, for artifacts the place of the next. New
/// jobs do not shift the pages after it: lists run from the newest job to the oldest.
struct PageToken: Equatable {
    static let prefix = "p1-"
    let number: Int64

    var text: String { Self.prefix + String(number, radix: 16) }

    init(number: Int64) { self.number = number }

    init(parsing text: String) throws(DomeError) {
        let digits = text.dropFirst(Self.prefix.count)
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
        guard text.hasPrefix(Self.prefix), digits.utf8.allSatisfy(isDigit), let number = Int64(digits, radix: 16),
            number > 0, text == PageToken(number: number).text
        else {
            throw DomeError(
                .invalidRequest,
                "page_token '\(text.prefix(64))' is not one of this service's: leave it empty for the first page, then "
                    + "pass next_page_token of the previous reply unchanged (p1- and hexadecimal digits)")
        }
        self.number = number
    }
}
