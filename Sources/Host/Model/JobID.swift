/// A job's identifier: `job-` and 26 Crockford base-32 digits, the first ten of which are the creation time
/// in milliseconds (so ids sort by age), the rest random. A job has one run, whose id differs in the prefix.
package struct JobID: Sendable, Hashable, CustomStringConvertible {
    package static let prefix = "job-"
    package let text: String

    /// Makes an id from a creation time in milliseconds since 1970 and 80 random bits.
    package init(createdMilliseconds: UInt64, random: (UInt64, UInt16)) {
        var digits = [UInt8](repeating: 0, count: 26)
        var time = createdMilliseconds
        for index in stride(from: 9, through: 0, by: -1) {
            digits[index] = Self.alphabet[Int(time & 31)]
            time >>= 5
        }
        var low = random.1
        for index in stride(from: 25, through: 23, by: -1) {
            digits[index] = Self.alphabet[Int(low & 31)]
            low >>= 5
        }
        // 13 digits hold 65 bits: the one that three digits had no room for leads.
        var high = random.0
        for index in stride(from: 22, through: 11, by: -1) {
            digits[index] = Self.alphabet[Int(high & 31)]
            high >>= 5
        }
        digits[10] = Self.alphabet[Int(high & 15 | UInt64(low & 1) << 4)]
        text = Self.prefix + String(decoding: digits, as: UTF8.self)
    }

    /// Takes an id from outside; nil unless it has exactly the form above (so it is safe as a path component).
    package init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count == 30, text.hasPrefix(Self.prefix) else { return nil }
        guard bytes.dropFirst(4).allSatisfy({ Self.alphabet.contains($0) }) else { return nil }
        self.text = text
    }

    /// The id of the job's one run.
    package var runID: String { "run-" + text.dropFirst(4) }

    /// The job a run id belongs to, or nil.
    package static func ofRun(_ runID: String) -> JobID? {
        guard runID.hasPrefix("run-") else { return nil }
        return JobID(prefix + runID.dropFirst(4))
    }

    /// Two random digits that spread job directories over `shardCount` shards.
    package var shard: String { String(text.suffix(2)) }

    package static let shardCount: UInt16 = 1_024

    /// The shard of ids whose `random.1` ends in the ten bits of `index`.
    package static func shardName(_ index: UInt16) -> String {
        String(decoding: [alphabet[Int(index >> 5 & 31)], alphabet[Int(index & 31)]], as: UTF8.self)
    }

    package var description: String { text }

    private static let alphabet = [UInt8]("0123456789abcdefghjkmnpqrstvwxyz".utf8)
}
