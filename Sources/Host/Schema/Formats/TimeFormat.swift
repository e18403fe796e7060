/// RFC 3339: dates, times and (appendix A) durations.
enum TimeFormat {
    static func isDateTime(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count > 11, isDate(text.prefix(10)) else { return false }
        var rest = text.dropFirst(10)
        return (rest.take("T") || rest.take("t")) && isTime(rest)
    }

    static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        guard let year = rest.takeDigits(4), rest.take("-"), let month = rest.takeDigits(2), rest.take("-"),
            let day = rest.takeDigits(2), rest.isEmpty, (1...12).contains(month), day >= 1
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return day <= (month == 2 ? isLeap ? 29 : 28 : [4, 6, 9, 11].contains(month) ? 30 : 31)
    }

    static func isTime(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        guard let hour = rest.takeDigits(2), rest.take(":"), let minute = rest.takeDigits(2), rest.take(":"),
            let second = rest.takeDigits(2), hour <= 23, minute <= 59, second <= 60
        else { return false }
        if rest.take(".") {
            let fraction = rest.prefix { $0.isDigit }
            guard !fraction.isEmpty else { return false }
            rest.removeFirst(fraction.count)
        }
        guard let offset = offsetMinutes(rest) else { return false }
        // A leap second is the last of a day in UTC.
        guard second == 60 else { return true }
        return ((hour * 60 + minute - offset) % 1440 + 1440) % 1440 == 1439
    }

    private static func offsetMinutes(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        if rest.take("Z") || rest.take("z") { return rest.isEmpty ? 0 : nil }
        let isNegative = rest.first == UInt8(ascii: "-")
        guard rest.take("+") || rest.take("-"), let hour = rest.takeDigits(2), rest.take(":"),
            let minute = rest.takeDigits(2), rest.isEmpty, hour <= 23, minute <= 59
        else { return nil }
        return (hour * 60 + minute) * (isNegative ? -1 : 1)
    }

    static func isDuration(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        guard rest.take("P"), !rest.isEmpty else { return false }
        if rest.last == UInt8(ascii: "W") { return rest.dropLast().allSatisfy(\.isDigit) && rest.count > 1 }
        if rest.first != UInt8(ascii: "T") {
            guard takeUnits("YMD", &rest) else { return false }
        }
        guard rest.take("T") else { return rest.isEmpty }
        return takeUnits("HMS", &rest) && rest.isEmpty
    }

    /// Numbers with some of the units, which must follow each other without a gap: hours and seconds need minutes.
    private static func takeUnits(_ units: String, _ rest: inout ArraySlice<UInt8>) -> Bool {
        var last: Int?
        let units = Array(units.utf8)
        while let first = rest.first, first.isDigit {
            rest = rest.drop { $0.isDigit }
            guard let letter = rest.first, let unit = units.firstIndex(of: letter) else { return false }
            guard last.map({ unit == $0 + 1 }) ?? true else { return false }
            rest.removeFirst()
            last = unit
        }
        return last != nil
    }
}
