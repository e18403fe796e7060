// Unit tests of the room Wire.
import DomeModel
import DomeProto
import DomeWire
import Testing

private typealias Response = Domed_V1_StreamJobEventsResponse

private let jobID = JobID(createdMilliseconds: 1_700_000_000_000, random: (0x0123_4567_89ab_cdef, 0x4321))

/// Sends one event through the encoder and takes the message apart with the generated type.
private func encoded(
    _ kind: EventKind, _ payload: [UInt8], seq: UInt64 = 1, wallNanoseconds: Int64 = 0,
    stream: OutputStream = .none, isPartial: Bool = false, lineID: UInt64 = 0
) throws -> Response {
    var encoder = StreamEventEncoder(jobID: jobID)
    var output: [UInt8] = [0xee]
    payload.withUnsafeBytes { bytes in
        let event = EventView(
            seq: seq, wallNanoseconds: wallNanoseconds, kind: kind, stream: stream, isPartial: isPartial,
            lineID: lineID, payload: bytes)
        encoder.append(event, to: &output)
    }
    try #require(output.count >= 6)
    #expect(output[0] == 0xee && output[1] == 0)
    let length = output[2..<6].reduce(0) { $0 << 8 | Int($1) }
    #expect(length == output.count - 6)
    let message = Array(output[6...])
    let response = try Response.decode(message)
    #expect(response.unknownFields.isEmpty)
    // The generated type would have written the very same bytes.
    #expect(response.serialized() == message)
    return response
}

private func payload(_ response: Response) throws -> JSONValue {
    try JSONParser.parse(response.payloadJson, what: "payload_json")
}

@Suite struct `Events on the wire` {
    @Test func `an event has the ids, time and type the contract says`() throws {
        let response = try encoded(
            .log, Array("hello".utf8), seq: 42, wallNanoseconds: 1_768_480_496_789_012_999, stream: .stdout)
        #expect(response.seq == 42)
        #expect(response.eventId == jobID.text + "-42")
        #expect(response.ts == "2026-01-15T12:34:56.789012Z")
        #expect(response.runId == jobID.runID)
        #expect(response.jobId == jobID.text)
        #expect(response.eventType == .log)
        #expect(response.payloadJson == #"{"stream":"stdout","line":"hello"}"#)
    }

    @Test(
        arguments: [
            1, 9, 10, 99, 100, 127, 128, 16_383, 16_384, 999_999_999, 1 << 32, 1 << 63, .max,
            9_999_999_999_999_999_999, 10_000_000_000_000_000_000,
        ] as [UInt64])
    func `sequence numbers of every length fit`(seq: UInt64) throws {
        let response = try encoded(.log, [], seq: seq, stream: .stderr, lineID: seq)
        #expect(response.seq == seq)
        #expect(response.eventId == jobID.text + "-\(seq)")
        let extras = ",\"line_id\":\(seq)"
        #expect(response.payloadJson == "{\"stream\":\"stderr\",\"line\":\"\"\(extras)}")
    }

    @Test(
        arguments: [
            0, 999, 1000, 999_999_999, 1_000_000_000, -1, -1_000_000_000, -1_000_000_001, .max, .min,
        ] as [Int64])
    func `times agree with the model's`(nanoseconds: Int64) throws {
        let response = try encoded(.log, [], wallNanoseconds: nanoseconds)
        #expect(response.ts == Timestamp.format(nanoseconds: nanoseconds))
    }

    @Test func `the second may change from event to event, also backwards`() {
        var encoder = StreamEventEncoder(jobID: jobID)
        for time in [1_999_999_999, 2_000_000_000, 2_000_001_000, 1_000_000_000, 90_000_000_000_000] as [Int64] {
            var output: [UInt8] = []
            let event = EventView(
                seq: 1, wallNanoseconds: time, kind: .log, payload: UnsafeRawBufferPointer(start: nil, count: 0))
            encoder.append(event, to: &output)
            let response = try? Response.decode(Array(output[5...]))
            #expect(response?.ts == Timestamp.format(nanoseconds: time))
        }
    }

    @Test(arguments: [
        (EventKind.stateChange, Domed_V1_EventType.stateChange), (.log, .log), (.progress, .log), (.guard, .guard),
        (.error, .error),
    ])
    func `each kind has its type`(kind: EventKind, type: Domed_V1_EventType) throws {
        let response = try encoded(kind, Array("1".utf8))
        #expect(response.eventType == type)
        #expect(Domed_V1_EventType(kind) == type)
    }

    @Test func `ready-made payloads pass through, and progress is wrapped`() throws {
        let json = #"{"from":"queued","to":"running","note":"é \" \\"}"#
        #expect(try encoded(.stateChange, Array(json.utf8)).payloadJson == json)
        #expect(try encoded(.progress, Array("-12.5e3".utf8)).payloadJson == #"{"value":-12.5e3}"#)
    }

    @Test func `pieces of a split line say so`() throws {
        let response = try encoded(.log, Array("ab".utf8), stream: .stdout, isPartial: true, lineID: 7)
        #expect(response.payloadJson == #"{"stream":"stdout","line":"ab","partial":true,"line_id":7}"#)
        let last = try encoded(.log, Array("c".utf8), stream: .stdout, lineID: 7)
        #expect(last.payloadJson == #"{"stream":"stdout","line":"c","line_id":7}"#)
    }

    @Test func `long lines need longer lengths`() throws {
        for count in [60, 80, 90, 100, 101, 102, 127, 128, 16_300, 16_383, 16_384, 100_000] {
            let line = String(repeating: "x", count: count)
            let response = try encoded(.log, Array(line.utf8), stream: .stdout)
            #expect(response.payloadJson == "{\"stream\":\"stdout\",\"line\":\"\(line)\"}")
        }
    }

    @Test func `payloads that should be text and are not cannot break the client`() throws {
        for kind in [EventKind.stateChange, .progress, .guard, .error] {
            #expect(try payload(encoded(kind, [0x7b, 0xff]))["payload_b64"] == "e/8=")
        }
    }
}

@Suite struct `Lines in JSON` {
    /// What a client reads: the line, or the bytes behind line_b64.
    private func line(_ bytes: [UInt8]) throws -> (text: String?, base64: String?) {
        let value = try payload(encoded(.log, bytes, stream: .stdout))
        #expect(value["stream"] == "stdout")
        #expect(value.objectValue?.count == 2)
        return (value["line"]?.stringValue, value["line_b64"]?.stringValue)
    }

    @Test func `every character at every place of a word comes through`() throws {
        for code in 0..<0x100 as Range<UInt32> {
            for place in 0..<17 {
                var scalars = [Unicode.Scalar](repeating: "x", count: 17)
                scalars[place] = try #require(Unicode.Scalar(code))
                var text = ""
                text.unicodeScalars.append(contentsOf: scalars)
                #expect(try line(Array(text.utf8)).text?.utf8.elementsEqual(text.utf8) == true)
            }
        }
    }

    @Test func `scalars of every length come through unescaped`() throws {
        for scalar in [
            "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}",
        ] {
            for padding in 0..<9 {
                let text = String(repeating: "x", count: padding) + scalar
                let response = try encoded(.log, Array(text.utf8), stream: .stdout)
                #expect(response.payloadJson == "{\"stream\":\"stdout\",\"line\":\"\(text)\"}")
            }
        }
    }

    @Test func `control characters are escaped as short as JSON allows`() throws {
        let response = try encoded(.log, [0, 7, 8, 9, 10, 12, 13, 27, 31, 34, 92, 47, 127], stream: .stdout)
        #expect(response.payloadJson.contains(#""\u0000\u0007\b\t\n\f\r\u001b\u001f\"\\/"# + "\u{7f}\""))
    }

    @Test(
        arguments: [
            ([0xff], "/w=="), ([0xff, 0xfe], "//4="), ([0xff, 0xfe, 0xfd], "//79"),
            ([0x61, 0x62, 0x63, 0xc0, 0x80], "YWJjwIA="),
            ([0xed, 0xa0, 0x80], "7aCA"), ([0xf4, 0x90, 0x80, 0x80], "9JCAgA=="), ([0xe2, 0x82], "4oI="),
            ([0x80], "gA=="),
        ] as [([UInt8], String)])
    func `bytes that are not UTF-8 are never mangled`(bytes: [UInt8], base64: String) throws {
        let read = try line(bytes)
        #expect(read.text == nil)
        #expect(read.base64 == base64)
    }

    @Test func `random bytes and near-UTF-8 agree with Swift's own validation`() throws {
        var random = SystemRandomNumberGenerator()
        let pieces: [[UInt8]] = [
            [0x61], [0x22], [0x5c], [0x09], [0x01], Array("é".utf8), Array("日本".utf8), Array("🦀".utf8), [0xc3],
            [0xed, 0xa0],
            [0xe0, 0x9f, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], Array("plain text here ".utf8),
        ]
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                // Mostly good pieces, lest everything be binary.
                let limit = round % 2 == 0 ? 8 : pieces.count
                bytes += pieces[Int.random(in: 0..<limit, using: &random)]
            }
            bytes += pieces[12]
            let expected = String(validating: bytes, as: UTF8.self)
            let read = try line(bytes)
            #expect(read.text.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
        }
    }
}
