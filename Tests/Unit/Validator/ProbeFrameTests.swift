import Testing

@testable import DomeValidator

struct ProbeFrameTests {
    @Test func `fields come back as they were sent`() throws {
        let request = ProbeField.request("X", [.number(-2), .text("é"), .bytes([]), .bytes([0, 255])])
        #expect(request[..<4].elementsEqual([UInt8(request.count - 4), 0, 0, 0]))
        let answer = try #require(ProbeAnswer(request[4...]))
        #expect(answer.letter == UInt8(ascii: "X") && answer.count == 4)
        #expect(Int64(bitPattern: answer.number(0)) == -2)
        #expect(answer.text(1) == "é" && answer.bytes(2).isEmpty && answer.bytes(3) == [0, 255])
        #expect(answer.numbers(0) == [-2])
        // Beyond the last there is nothing, and that is no fault.
        #expect(answer.bytes(4).isEmpty && answer.number(-1) == 0 && answer.numbers(9).isEmpty)
    }

    @Test func `what a plugin may have written instead is no answer and no trap`() {
        #expect(ProbeAnswer([]) == nil)
        #expect(ProbeAnswer([88, 1]) == nil)
        #expect(ProbeAnswer([88, 255, 255, 255, 255, 1]) == nil)
        #expect(ProbeAnswer([88, 2, 0, 0, 0, 1]) == nil)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<64, using: &random)).map { _ in UInt8.random(in: 0...8, using: &random)
            }
            guard let answer = ProbeAnswer(bytes[...]) else { continue }
            let outcome = CallOutcome(answer)
            _ = (outcome.statusName, outcome.explanationText, Census(answer).liveBlocks)
        }
    }
}
