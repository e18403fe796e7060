import DomeModel
import DomePlatform

/// Times as people write them.
enum Moment {
    static let forms =
        "a duration ago (90s, 2h, -7d), a time (2026-01-31T12:00:00Z, 2026-01-31 12:00), a day (2026-01-31), "
        + "now, today or yesterday, all in UTC"

    /// Nanoseconds since 1970; nil for anything else.
    static func parse(_ text: String, now: Int64) -> Int64? {
        let day: Int64 = 86_400_000_000_000
        switch text {
        case "now": return now
        case "today": return now - now % day
        case "yesterday": return now - now % day - day
        default: break
        }
        let duration = text.hasPrefix("-") ? String(text.dropFirst()) : text
        if let ago = Quantity.milliseconds(duration) {
            return now - Int64(clamping: min(ago, 1 << 42)) * 1_000_000
        }
        for form in [text, text + "Z", text + ":00Z", text + "T00:00:00Z"] {
            if let time = Timestamp.parse(form) { return time }
        }
        return nil
    }
}

extension Invocation {
    /// A time of an option, as RFC 3339; empty if it is not given.
    func moment(_ option: String) throws(CommandFailure) -> String {
        guard let text = value(option) else { return "" }
        guard let nanoseconds = Moment.parse(text, now: Clock.wallNanoseconds()) else {
            throw .usage("\(option): '\(text)' is no time; good are \(Moment.forms)")
        }
        return Timestamp.format(nanoseconds: nanoseconds)
    }

    /// A whole number above 0; nil if it is not given.
    func count(_ option: String) throws(CommandFailure) -> Int? {
        guard let text = value(option) else { return nil }
        guard let number = Int(text), number > 0, number <= Int(UInt32.max) else {
            throw .usage("\(option) must be a whole number above 0, not '\(text)'")
        }
        return number
    }
}
