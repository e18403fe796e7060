import Testing

@testable import DomeTransport

private func raw<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    Array(text.utf8).withUnsafeBytes(body)
}

@Suite struct `Header encodings` {
    @Test func `a grpc-message survives the wire, whatever its text`() {
        for text in ["", "plain", "100%", "%41", "é\n\u{7f}", "日本", "\0", "a b~"] {
            let encoded = TextEncoding.percentEncoded(text)
            #expect(encoded.allSatisfy { $0 >= 0x20 && $0 <= 0x7e })
            #expect(encoded.withUnsafeBytes(TextEncoding.percentDecoded) == text)
        }
        #expect(TextEncoding.percentEncoded("é%") == Array("%C3%A9%25".utf8))
    }

    @Test func `a malformed grpc-message is taken as it is`() {
        #expect(raw("50% off %zz %4", TextEncoding.percentDecoded) == "50% off %zz %4")
        #expect(raw("%ff", TextEncoding.percentDecoded) == "\u{fffd}")
    }

    @Test func `base64 is written without padding and read with and without`() {
        for count in 0..<50 {
            let bytes = pattern(count)
            let encoded = TextEncoding.base64Encoded(bytes)
            #expect(!encoded.contains(UInt8(ascii: "=")))
            #expect(TextEncoding.base64Decoded(encoded[...]) == bytes)
            let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - encoded.count % 4) % 4)
            #expect(TextEncoding.base64Decoded((encoded + padding)[...]) == bytes)
        }
        #expect(TextEncoding.base64Encoded(Array("hello".utf8)) == Array("aGVsbG8".utf8))
    }

    @Test(arguments: ["A", "A===", "====", "AA==A", "A A=", "-_-_", "AAA==", "AAAAA"])
    func `what is not base64 is not decoded`(text: String) {
        #expect(TextEncoding.base64Decoded(Array(text.utf8)[...]) == nil)
    }

    @Test func `grpc-timeout is read in every unit`() {
        let expected: [(String, Int64)] = [
            ("1n", 1), ("2u", 2000), ("3m", 3_000_000), ("4S", 4_000_000_000), ("5M", 300_000_000_000),
            ("6H", 21_600_000_000_000), ("0n", 0), ("99999999H", 1 << 62), ("99999999M", 1 << 62),
        ]
        for (text, nanoseconds) in expected { #expect(raw(text, GRPCTimeout.parse) == nanoseconds, "\(text)") }
        for text in ["", "n", "1", "1s", "-1n", "1.0S", "123456789n", " 1n", "1n "] {
            #expect(raw(text, GRPCTimeout.parse) == nil, "\(text)")
        }
    }

    @Test func `a timeout that is written is read back, never shorter`() {
        for nanoseconds: Int64 in [0, 1, 99_999_999, 100_000_001, 1_234_567_890, 60_000_000_001, 1 << 55, 1 << 62] {
            let text = GRPCTimeout.format(nanoseconds: nanoseconds)
            #expect(text.count <= 9)
            let parsed = text.withUnsafeBytes(GRPCTimeout.parse) ?? -1
            #expect(parsed >= nanoseconds && parsed - nanoseconds <= nanoseconds / 10_000)
        }
        #expect(GRPCTimeout.format(nanoseconds: -5) == Array("0n".utf8))
    }

    @Test(arguments: ["", "Upper", "sp ace", "grpc-x", ":path", "te", "content-type", "ü"])
    func `metadata names that gRPC forbids are refused`(name: String) {
        var metadata = Metadata()
        #expect(throws: (any Error).self) { try metadata.add(name, text: "x") }
        #expect(metadata.isEmpty)
    }

    @Test func `text metadata is printable ASCII`() throws {
        var metadata = Metadata()
        #expect(throws: (any Error).self) { try metadata.add("name", text: "line\nline") }
        try metadata.add("name-bin", [10, 0, 255])
        #expect(metadata.first("name-bin") == [10, 0, 255])
    }
}

@Suite struct `Message assembly` {
    private let messages = [pattern(0), pattern(1), pattern(1000), pattern(70_000), pattern(3)]

    private func framed(_ messages: [[UInt8]]) -> [UInt8] {
        messages.flatMap { message in
            [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: UInt32(message.count) >> UInt32($0)) } + message
        }
    }

    @Test(arguments: [1, 2, 5, 6, 7, 1000, 16_384, 1 << 20])
    func `messages come out whole however they are cut`(size: Int) {
        var assembler = MessageAssembler(maxMessageBytes: 70_000)
        let bytes = framed(messages)
        var received: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let failure = bytes[start..<min(start + size, bytes.count)].withUnsafeBytes {
                assembler.receive($0) {
                    received.append(Array($0))
                    return .more
                }
            }
            #expect(failure == nil)
        }
        #expect(received == messages)
        #expect(assembler.isEmpty)
    }

    @Test func `a receiver that pauses finds the rest later`() {
        var assembler = MessageAssembler(maxMessageBytes: 70_000)
        var received: [[UInt8]] = []
        let take: (UnsafeRawBufferPointer) -> MessageAssembler.Appetite = {
            received.append(Array($0))
            return .pause
        }
        #expect(framed(messages).withUnsafeBytes { assembler.receive($0, deliver: take) } == nil)
        for count in 1..<messages.count {
            #expect(received.count == count)
            #expect(assembler.deliverKept(take) == nil)
        }
        #expect(received == messages)
    }

    @Test func `a message that is too long is refused by its prefix`() {
        var assembler = MessageAssembler(maxMessageBytes: 10)
        let failure = [UInt8]([0, 0, 0, 0, 11]).withUnsafeBytes { assembler.receive($0) { _ in .more } }
        #expect(failure == .tooLong(bytes: 11, limit: 10))
    }

    @Test func `flags are judged before lengths`() {
        var assembler = MessageAssembler(maxMessageBytes: 10)
        #expect([UInt8]([1, 0, 0, 0, 1]).withUnsafeBytes { assembler.receive($0) { _ in .more } } == .compressed)
        #expect([UInt8]([2, 0, 0, 0, 1]).withUnsafeBytes { assembler.receive($0) { _ in .more } } == .badFlag(2))
    }
}

@Suite struct `Flood guard` {
    @Test func `a burst is admitted, then only the rate`() {
        var limits = FloodLimits()
        limits.pings = (burst: 3, perSecond: 2)
        var flood = FloodGuard(limits, now: 0)
        var now: Int64 = 0
        for _ in 0..<3 { #expect(flood.admit(.ping) { now }) }
        #expect(!flood.admit(.ping) { now })
        now = 1_000_000_000
        #expect(flood.admit(.ping) { now })
        #expect(flood.admit(.ping) { now })
        #expect(!flood.admit(.ping) { now })
        flood.noteDataSent()
        #expect(flood.admit(.ping) { now })
        #expect(flood.admit(.settings) { now })
    }

    @Test func `calls that end well pay for resets`() {
        var limits = FloodLimits()
        limits.resets = (burst: 1, perSecond: 0)
        var flood = FloodGuard(limits, now: 0)
        for _ in 0..<100 {
            #expect(flood.admit(.reset) { 0 })
            flood.noteCallFinished()
        }
        #expect(flood.admit(.reset) { 0 })
        #expect(!flood.admit(.reset) { 0 })
    }
}
