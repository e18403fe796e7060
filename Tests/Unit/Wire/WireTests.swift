import DomeModel
import DomeProto
import DomeWire
import Testing

@Suite struct `The model on the wire` {
    @Test func `states and codes have the contract's numbers and names`() {
        for state in JobState.allCases {
            let wire = Domed_V1_JobState(state)
            #expect(wire.protoName == "JOB_STATE_" + state.name.uppercased())
            #expect(JobState(wire) == state)
        }
        for code in ErrorCode.allCases {
            let wire = Domed_V1_ErrorCode(code)
            #expect(wire.protoName == code.name)
            #expect(ErrorCode(wire) == code)
        }
        #expect(ErrorCode.allCases.count == Domed_V1_ErrorCode.allCases.count - 1)
        #expect(JobState.allCases.count == Domed_V1_JobState.allCases.count - 1)
    }

    @Test func `numbers that nobody knows are nobody's value`() {
        #expect(JobState(Domed_V1_JobState.unspecified) == nil)
        #expect(JobState(Domed_V1_JobState(rawValue: 99)) == nil)
        #expect(ErrorCode(Domed_V1_ErrorCode.unspecified) == nil)
    }

    @Test func `an error survives the journey, its cause stays at home`() {
        let error = DomeError(.resourceExhausted, "the queue is full", cause: "/secret/path")
        let status = Domed_V1_RpcStatus(error)
        #expect(!status.ok && status.retryable)
        #expect(status.error == DomeError(.resourceExhausted, "the queue is full"))
    }

    @Test func `success is no error, silence is`() throws {
        try Optional(Domed_V1_RpcStatus.ok("replayed")).get()
        #expect(Domed_V1_RpcStatus.ok("replayed").message == "replayed")
        #expect(throws: DomeError.self) { try Domed_V1_RpcStatus?.none.get() }
        let unknown = Domed_V1_RpcStatus.with { $0.code = Domed_V1_ErrorCode(rawValue: 77) }
        #expect(unknown.error?.code == .internal)
    }
}
