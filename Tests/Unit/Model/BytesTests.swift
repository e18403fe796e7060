import DomeModel
import Testing

@Suite struct `Progress lines` {
    private func number(_ line: String) -> String? {
        Array(line.utf8).withUnsafeBytes { bytes in
            ProgressLine.number(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }

    @Test(arguments: [
        ("PROGRESS:50", "50"), ("PROGRESS: 50 ", "50"), ("PROGRESS:50%", "50"), ("PROGRESS:0.5\r", "0.5"),
        ("PROGRESS:-1", "-1"), ("PROGRESS:1e2", "1e2"), ("PROGRESS:0", "0"), ("PROGRESS:1E+2", "1E+2"),
    ])
    func `are read as JSON's numbers`(_ line: String, _ value: String) { #expect(number(line) == value) }

    @Test(arguments: [
        "", "PROGRESS", "PROGRESS:", "PROGRESS: ", "PROGRESS:%", "progress:5", "xPROGRESS:5", "PROGRESS:05",
        "PROGRESS:.5",
        "PROGRESS:5.", "PROGRESS:1e", "PROGRESS:+5", "PROGRESS:5x", "PROGRESS:NaN", "PROGRESS:--5", "PROGRESS:5 6",
        "PROGRESS:-", "PROGRESS:" + String(repeating: "1", count: 65),
    ])
    func `are ordinary lines otherwise`(_ line: String) { #expect(number(line) == nil) }
}

@Suite struct `Messages as bytes` {
    private func sample() -> ByteWriter {
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(true)
        writer.write(UInt16(0x1234))
        writer.write(UInt32(0xdead_beef))
        writer.write(UInt64.max - 1)
        writer.write(Int32.min)
        writer.write(Int64.min)
        writer.write([1, 2, 3])
        writer.write("é🦀")
        writer.write(["", "a"])
        return writer
    }

    private func reading<Value>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> Value) throws -> Value {
        try bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            return try body(&reader)
        }
    }

    private func isRefused<Value>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> Value) -> Bool {
        do {
            _ = try reading(bytes, body)
            return false
        } catch { return (error as? DomeError)?.code == .internal }
    }

    private func readAll(_ reader: inout ByteReader) throws {
        #expect(try reader.readUInt8() == 7)
        #expect(try reader.readBool())
        #expect(try reader.readUInt16() == 0x1234)
        #expect(try reader.readUInt32() == 0xdead_beef)
        #expect(try reader.readUInt64() == .max - 1)
        #expect(try reader.readInt32() == .min)
        #expect(try reader.readInt64() == .min)
        #expect(try reader.readBytes() == [1, 2, 3])
        #expect(try reader.readString() == "é🦀")
        #expect(try reader.readStrings() == ["", "a"])
    }

    @Test func `come back as they went, little endian`() throws {
        let bytes = sample().bytes
        #expect(Array(bytes[2..<8]) == [0x34, 0x12, 0xef, 0xbe, 0xad, 0xde])
        try reading(bytes) { reader in
            try readAll(&reader)
            #expect(reader.isAtEnd && reader.offset == bytes.count)
        }
    }

    @Test func `cut anywhere, they are refused and nothing is read past the end`() {
        let bytes = sample().bytes
        for count in 0..<bytes.count {
            let refused = isRefused(Array(bytes[..<count])) { reader in
                _ = try reader.take(28)
                _ = try reader.readBytes()
                _ = try reader.readString()
                _ = try reader.readStrings()
            }
            #expect(refused)
        }
    }

    @Test(arguments: [[0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0x7f, 0], [5, 0, 0, 0, 1, 2, 3, 4]] as [[UInt8]])
    func `lying lengths and counts reserve nothing and are refused`(_ bytes: [UInt8]) {
        #expect(isRefused(bytes) { reader in try reader.readBytes() })
        #expect(isRefused(bytes) { reader in try reader.readStrings() })
        #expect(isRefused(bytes) { reader in try reader.readCount(minimumBytes: 4) })
        #expect(isRefused(bytes) { reader in try reader.take(-1) })
    }

    @Test func `text must be UTF-8, and an id must be one`() {
        let notText: [UInt8] = [2, 0, 0, 0, 0xc3, 0x28]
        #expect(isRefused(notText) { reader in try reader.readString() })
        #expect(isRefused(notText) { reader in try reader.readJobID() })
        #expect(isRefused([3, 0, 0, 0, 0x6a, 0x6f, 0x62]) { reader in try reader.readJobID() })
    }

    @Test func `an exit report comes back, its message cut at a character to fit`() throws {
        var report = ExitReport(cause: .launchFailed)
        report.rawWaitStatus = 0x0900
        report.userMicroseconds = 1
        report.systemMicroseconds = 2
        report.maxResidentKilobytes = 3
        report.startedNanoseconds = -4
        report.endedNanoseconds = 5
        report.enforcedLayers = 1 << 63
        report.peakMemoryBytes = 6
        report.workUsedBytes = 0
        report.hasOutput = true
        report.message = "x" + String(repeating: "é", count: 1000)
        var writer = ByteWriter()
        report.write(to: &writer)
        let back = try reading(writer.bytes) { reader in try ExitReport(from: &reader) }
        #expect(back.message == "x" + String(repeating: "é", count: 511))
        var expected = report
        expected.message = back.message
        #expect(back == expected)
        #expect(back.exitCode == 9 && back.signal == nil)
        #expect(isRefused([200] + writer.bytes.dropFirst()) { reader in try ExitReport(from: &reader) })
    }

    @Test func `an exit report of an older journal knows less`() throws {
        var writer = ByteWriter()
        ExitReport(cause: .exited).write(to: &writer)
        // The count and four numbers are what was added since.
        let back = try reading(Array(writer.bytes.dropLast(4 + 4 * 8))) { reader in try ExitReport(from: &reader) }
        #expect(back == ExitReport(cause: .exited))
        #expect(isRefused(Array(writer.bytes.dropLast(1))) { reader in try ExitReport(from: &reader) })
    }

    @Test(
        arguments: [(0, 0, nil), (0x0300, 3, nil), (9, nil, 9), (0x8b, nil, 11), (0x137f, nil, nil)]
            as [(Int32, Int32?, Int32?)])
    func `a wait status is an exit code or a signal`(_ status: Int32, _ code: Int32?, _ signal: Int32?) {
        var report = ExitReport(cause: .exited)
        report.rawWaitStatus = status
        #expect(report.exitCode == code && report.signal == signal)
    }

    @Test func `layers have names by their bits`() {
        #expect(SandboxLayers.names(of: 0).isEmpty)
        #expect(SandboxLayers.names(of: 0b1000_0000_0001) == ["mount_namespace", "seccomp"])
        #expect(SandboxLayers.names(of: 1 << 63) == ["layer_63"])
    }
}
