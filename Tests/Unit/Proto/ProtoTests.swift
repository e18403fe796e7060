// Unit tests of the room Proto: the edges of the wire format, by hand. Tests/Contract compares whole messages with
// the official runtime.
import DomeProto
import Testing

/// Decodes `bytes` as `Message`, or returns why not.
func decode<Message: ProtoMessage>(_ type: Message.Type, _ bytes: [UInt8]) -> Result<Message, ProtoError> {
    Result { () throws(ProtoError) in try type.decode(bytes) }
}

@Suite struct `Reading messages` {
    typealias Status = Domed_V1_RpcStatus

    @Test func `no bytes are a message of defaults`() throws {
        #expect(try Status.decode([UInt8]()) == Status())
        #expect(Status().serialized().isEmpty)
    }

    @Test func `every field of a message comes back`() throws {
        var status = Domed_V1_SkillExecuteResponse()
        status.status = .with {
            $0.code = .eNotFound
            $0.message = "tool not found: naïve 🦀"
            $0.retryable = true
        }
        status.jobId = "job-1"
        status.state = .failed
        status.artifacts = [.with { $0.path = "/a" }, Domed_V1_ArtifactRef(), .with { $0.kind = "log" }]
        status.exitCode = 0
        status.signal = -9
        status.lastSeq = .max
        #expect(try Domed_V1_SkillExecuteResponse.decode(status.serialized()) == status)
    }

    @Test func `an optional zero is set, an absent one is not`() throws {
        let bytes = Domed_V1_JobSummary.with { $0.exitCode = 0 }.serialized()
        #expect(bytes == [9 << 3, 0])
        #expect(try Domed_V1_JobSummary.decode(bytes).exitCode == 0)
        #expect(try Domed_V1_JobSummary.decode([UInt8]()).exitCode == nil)
    }

    @Test func `unknown fields are kept and written last`() throws {
        // ok = true between a varint, a fixed64, a string, a group and a fixed32 that RpcStatus does not have.
        let unknownBefore: [UInt8] = [0x50, 0x96, 0x01, 0x59, 1, 2, 3, 4, 5, 6, 7, 8, 0x62, 2, 0x61, 0x62]
        let unknownAfter: [UInt8] = [0x6b, 0x08, 0x01, 0x6c, 0x75, 1, 2, 3, 4]
        let status = try Status.decode(unknownBefore + [0x08, 0x01] + unknownAfter)
        #expect(status.ok)
        #expect(status.unknownFields == unknownBefore + unknownAfter)
        #expect(status.serialized() == [0x08, 0x01] + unknownBefore + unknownAfter)
    }

    @Test func `a known number with another wire type is an unknown field`() throws {
        let bytes: [UInt8] = [0x0d, 1, 2, 3, 4]
        let status = try Status.decode(bytes)
        #expect(!status.ok)
        #expect(status.unknownFields == bytes)
    }

    @Test func `a number that no enum value has is kept`() throws {
        let status = try Status.decode([0x10, 0xe7, 0x07])
        #expect(status.code.rawValue == 999)
        #expect(status.code.protoName == nil)
        #expect(status.code.description == "999")
        #expect(status.serialized() == [0x10, 0xe7, 0x07])
    }

    @Test func `a singular message that comes twice is merged`() throws {
        // HealthResponse.status: {ok}, then {message}.
        let response = try Domed_V1_HealthResponse.decode([0x0a, 2, 0x08, 1, 0x0a, 3, 0x1a, 1, 0x78])
        #expect(response.status?.ok == true)
        #expect(response.status?.message == "x")
    }

    @Test func `a repeated enum is read packed and unpacked`() throws {
        let request = try Domed_V1_ListJobsRequest.decode([0x08, 1, 0x0a, 2, 2, 3, 0x08, 4])
        #expect(request.states == [.queued, .running, .succeeded, .failed])
        #expect(request.serialized() == [0x0a, 4, 1, 2, 3, 4])
    }

    @Test func `the later member of a oneof wins`() throws {
        let request = try Grpc_Reflection_V1_ServerReflectionRequest.decode([0x1a, 1, 0x61, 0x22, 1, 0x62])
        #expect(request.messageRequest == .fileContainingSymbol("b"))
    }

    @Test func `messages longer than 127 bytes get their length moved in`() throws {
        for count in [120, 127, 128, 16_383, 16_384, 70_000] {
            let text = String(repeating: "x", count: count)
            let response = Domed_V1_HealthResponse.with { $0.status = .with { $0.message = text } }
            let again = try Domed_V1_HealthResponse.decode(response.serialized())
            #expect(again == response)
            #expect(again.unknownFields.isEmpty)
        }
    }

    @Test func `encoding appends to what is there`() {
        var bytes: [UInt8] = [0xaa]
        Status.with { $0.ok = true }.encode(into: &bytes)
        #expect(bytes == [0xaa, 0x08, 0x01])
    }
}
