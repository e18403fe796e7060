extension String {
    /// The beginning, as far as whole code points fit into `count` bytes of UTF-8. A single character may be megabytes long
    /// (marks on marks), so counting characters bounds nothing.
    package func cut(toBytes count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: max(0, count))
        while end > utf8.startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
