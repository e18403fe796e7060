import DomeLink
import Testing

struct WorkerReportTests {
    private static let samples: [WorkerReport] = [
        .result(Array("{\"a\":1}\n".utf8)), .log(level: 2, text: "careful"),
        .progress(value: "0.25", message: "a quarter"),
        .progress(value: "-1e300", message: ""), .failed("E_INVALID_REQUEST: no"), .crashed("SIGSEGV in x"), .done,
        .result([UInt8](repeating: 7, count: WorkerReport.payloadLimitBytes)),
    ]

    private func read(_ bytes: [UInt8], pieces: Int = .max) -> (reports: [WorkerReport], isDamaged: Bool) {
        var reader = WorkerReportReader()
        var reports: [WorkerReport] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            reports += piece.withUnsafeBytes { reader.take($0) }
            rest = rest.dropFirst(pieces)
        }
        return (reports, reader.isDamaged)
    }

    @Test(arguments: [1, 7, 4096, Int.max])
    func `reports come out as they went in, however the pipe cuts them`(pieces: Int) {
        let bytes = Self.samples.flatMap(\.bytes)
        #expect(read(bytes, pieces: pieces) == (Self.samples, false))
    }

    @Test func `a text beyond the limit is cut, not refused`() {
        let long = WorkerReport.failed(String(repeating: "x", count: 100_000))
        #expect(read(long.bytes).reports == [.failed(String(repeating: "x", count: WorkerReport.payloadLimitBytes))])
    }

    @Test(
        arguments: [
            [99, 0, 0, 0, 0, 0, 0, 0],  // a kind that there is not
            [1, 0, 0, 0, 1, 0, 1, 0],  // larger than a frame may be
            [2, 0, 0, 0, 1, 0, 0, 0, 4],  // a level that there is not
            [2, 0, 0, 0, 0, 0, 0, 0],  // no level
            [3, 0, 0, 0, 2, 0, 0, 0, 0x31, 0x32],  // no end of the number
            [3, 0, 0, 0, 4, 0, 0, 0, 0x22, 0x22, 0, 0],  // no number
            [3, 0, 0, 0, 6, 0, 0, 0, 0x31, 0x7d, 0x2c, 0x7b, 0, 0],  // what would break the payload
        ] as [[UInt8]])
    func `what no worker sends ends the reading for good`(bytes: [UInt8]) {
        let found = read(WorkerReport.done.bytes + bytes + WorkerReport.done.bytes)
        #expect(found == ([.done], true))
    }

    @Test func `a crash report is a frame with its size filled in`() {
        var head = WorkerReport.crashHead.bytes
        head[WorkerReport.crashHead.sizeOffset] = 3
        #expect(read(head + Array("BUS".utf8)).reports == [.crashed("BUS")])
    }

    @Test func `random bytes never trap`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...8, using: &random)
            }
            _ = read(bytes, pieces: 5)
        }
    }

    @Test func `an adapter's job travels whole`() throws {
        var job = AdapterJob()
        (job.pluginID, job.pluginVersion, job.library) = ("org.example.a", "1.2.3", "liba.so")
        (job.jobID, job.toolID, job.action) = ("job-1", "a.b", "b")
        (job.payload, job.config, job.wallMilliseconds) = ("{\"x\":\"\u{20ac}\"}", "{}", 7)
        job.secrets = [("KEY", [0, 255]), ("EMPTY", [])]
        let bytes = job.bytes
        #expect(try bytes.withUnsafeBytes { try AdapterJob($0) } == job)
        for count in 0..<bytes.count {
            #expect(throws: (any Error).self) { try Array(bytes[..<count]).withUnsafeBytes { try AdapterJob($0) } }
        }
    }
}
