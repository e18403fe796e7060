/// Durations, counted by how long they were. Adding one is a search through a dozen bounds.
struct Histogram {
    /// Upper bounds, seconds.
    static let bounds: [Double] = [
        0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600,
    ]
    /// One more than bounds: what is longer than all.
    private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    private(set) var sumSeconds = 0.0

    /// A clock that was set back makes negative durations: they count as none.
    mutating func observe(nanoseconds: Int64) {
        let seconds = Double(max(0, nanoseconds)) / 1e9
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sumSeconds += seconds
    }
}
