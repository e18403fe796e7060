import Testing

@testable import DomeEngine

@Suite struct `Metrics` {
    @Test func `a histogram counts each duration once, at its bound too`() {
        var histogram = Histogram()
        for nanoseconds: Int64 in [-5, 0, 1_000_000, 1_000_001, 3_600_000_000_000, 3_600_000_000_001] {
            histogram.observe(nanoseconds: nanoseconds)
        }
        #expect(histogram.counts.reduce(0, +) == 6)
        #expect(histogram.counts[0] == 3 && histogram.counts[1] == 1 && histogram.counts.suffix(2) == [1, 1])
    }

    @Test func `the text is cumulative, and a hostile label cannot break a line`() {
        var histogram = Histogram()
        histogram.observe(nanoseconds: 1_500_000)
        var output = MetricsText()
        output.histogram("x_seconds", "help", histogram)
        #expect(output.text.contains("# TYPE x_seconds histogram\nx_seconds_bucket{le=\"0.001\"} 0\n"))
        #expect(output.text.contains("x_seconds_bucket{le=\"+Inf\"} 1\nx_seconds_sum 0.0015\nx_seconds_count 1\n"))
        output.sample("y", ["tool": "a\"b\\c\nd"], "1")
        #expect(output.text.hasSuffix("y{tool=\"a\\\"b\\\\c\\nd\"} 1\n"))
    }
}
