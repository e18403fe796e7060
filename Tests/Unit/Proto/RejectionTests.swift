import DomeProto
import Testing

@Suite struct `What is no message is refused` {
    typealias Status = Domed_V1_RpcStatus

    private func reason(_ bytes: [UInt8]) -> ProtoError? {
        switch decode(Status.self, bytes) {
        case .success: nil
        case .failure(let error): error
        }
    }

    @Test func `every proper prefix of a message that cuts a field is truncated`() {
        let whole = Status.with {
            $0.ok = true
            $0.message = String(repeating: "é", count: 100)
        }.serialized()
        for count in 1..<whole.count where count != 2 {
            #expect(reason(Array(whole[0..<count])) == .truncated)
        }
    }

    @Test func `a varint may have ten bytes and no more`() {
        let nine = [UInt8](repeating: 0x80, count: 9)
        #expect(reason([0x08] + nine + [0x01]) == nil)
        #expect(reason([0x08] + nine + [0x80, 0x01]) == .malformedVarint)
    }

    @Test func `a tag may have five bytes and 32 bits`() {
        #expect(reason([0x88, 0x80, 0x80, 0x80, 0x00, 1]) == nil)
        #expect(reason([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 1]) == .malformedVarint)
        #expect(reason([0x88, 0x80, 0x80, 0x80, 0x10, 1]) == .malformedVarint)
    }

    @Test func `lengths stay within the message and within 31 bits`() {
        #expect(reason([0x1a, 3, 0x61, 0x62]) == .truncated)
        #expect(reason([0x1a, 0x80, 0x80, 0x80, 0x80, 0x08]) == .malformedVarint)
        #expect(reason([0x1a] + [UInt8](repeating: 0xff, count: 9) + [0x01]) == .malformedVarint)
    }

    @Test func `a nested message cannot reach past its own end`() {
        // status has 3 bytes, of which a string claims 5; the bytes that follow belong to somebody else.
        let bytes: [UInt8] = [0x0a, 3, 0x1a, 5, 0x61, 0x62, 0x63, 0x64, 0x65]
        #expect(decode(Domed_V1_HealthResponse.self, bytes) == .failure(.truncated))
    }

    @Test func `field number 0 and wire types 6 and 7 do not exist`() {
        #expect(reason([0x00, 1]) == .invalidTag(0))
        #expect(reason([0x0e, 1]) == .invalidTag(0x0e))
        #expect(reason([0x0f, 1]) == .invalidTag(0x0f))
    }

    @Test func `groups end with their own number`() {
        #expect(reason([0x53, 0x54]) == nil)
        #expect(reason([0x53, 0x5c]) == .unmatchedEndGroup(field: 11))
        #expect(reason([0x54]) == .unmatchedEndGroup(field: 10))
        #expect(reason([0x53, 0x08, 0x01]) == .truncated)
    }

    @Test func `a hundred levels of groups are enough`() {
        func nested(_ levels: Int) -> [UInt8] {
            [UInt8](repeating: 0x53, count: levels) + [UInt8](repeating: 0x54, count: levels)
        }
        #expect(reason(nested(ProtoReader.nestingLimit)) == nil)
        #expect(reason(nested(ProtoReader.nestingLimit + 1)) == .nestedTooDeeply)
        #expect(reason(nested(1_000_000)) == .nestedTooDeeply)
    }

    @Test(
        arguments: [
            [0xff], [0xc3], [0xc3, 0x28], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80],
            [0xf4, 0x90, 0x80, 0x80],
            [0x80], [0x61, 0xf0, 0x9f, 0xa6],
        ] as [[UInt8]])
    func `a string that is not UTF-8 is refused`(text: [UInt8]) {
        #expect(reason([0x1a, UInt8(text.count)] + text) == .invalidUTF8)
    }

    @Test func `random bytes never trap`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...64, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            for type in GeneratedProtos.messages { _ = try? type.decode(bytes) }
        }
    }
}
