import DomeModel
import Testing

@testable import DomeEngine

@Suite struct ConstraintsTests {
    @Test func `known keys are read, others pass through untouched`() throws {
        let constraints = try Constraints(
            parsing: #"{"wait_ms":0,"timeout_ms":5,"priority":-3,"grants":["fs.read:/srv"],"mine":{"a":1}}"#)
        #expect(constraints.waitMilliseconds == 0)
        #expect(constraints.timeoutMilliseconds == 5)
        #expect(constraints.priority == -3)
        #expect(constraints.grants == [.readPath("/srv")])
        #expect(constraints.document["mine"] == ["a": 1])
        #expect(constraints.hint == nil)
    }

    @Test(arguments: [
        (#"{"wait_ms":"1"}"#, "wait_ms"), (#"{"wait_ms":-1}"#, "wait_ms"), (#"{"timeout_ms":0}"#, "timeout_ms"),
        (#"{"timeout_ms":1.5}"#, "timeout_ms"), (#"{"priority":101}"#, "priority"), (#"{"grants":"x"}"#, "grants"),
        (#"{"grants":[1]}"#, "grants"), ("[]", "object"), ("{", "JSON"),
    ])
    func `a known key with a wrong type is refused by its name`(text: String, named: String) {
        let error = #expect(throws: DomeError.self) { try Constraints(parsing: text) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains(named) == true)
    }

    @Test(arguments: ["waitms", "wait-ms", "WAIT_MS", "timout_ms", "grant", "priorty"])
    func `a misspelt key passes with a hint`(key: String) throws {
        let constraints = try Constraints(parsing: "{\"\(key)\":1}")
        #expect(constraints.hint?.contains(key) == true)
        #expect(constraints.waitMilliseconds == nil)
    }

    @Test func `waiting differently is the same request`() throws {
        let left = try Constraints(parsing: #"{"wait_ms":1,"x":2}"#)
        let right = try Constraints(parsing: #"{"x":2,"wait_ms":30000}"#)
        #expect(left.identity.canonical == right.identity.canonical)
        #expect(try Constraints(parsing: #"{"x":3}"#).identity.canonical != left.identity.canonical)
    }
}
