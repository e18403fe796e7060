import DomeModel
import DomePlatform
import Testing

@testable import DomeTransport

@Suite struct `Calls` {
    @Test(arguments: [0, 1, 5, 16_379, 16_384, 65_536, 1 << 20, 16 << 20])
    func `a unary echo of any size comes back`(size: Int) throws {
        let world = try World()
        let message = pattern(size)
        let call = try world.unary("/t/Echo", message)
        #expect(call.outcome?.status == .ok)
        #expect(call.messages.count == 1)
        #expect(call.messages.first == message)
    }

    @Test func `a message one byte over the limit is refused and the connection survives`() throws {
        var limits = TransportLimits()
        limits.maxMessageBytes = 1000
        let world = try World(limits: limits)
        let call = try world.unary("/t/Echo", pattern(1001))
        #expect(call.outcome?.status.code == .resourceExhausted)
        #expect(try world.unary("/t/Echo", pattern(1000)).outcome?.status == .ok)
    }

    @Test func `a thousand calls in flight all come back`() throws {
        let world = try World()
        var calls: [Recorded] = []
        for index in 0..<3000 {
            let call = world.start("/t/Echo")
            call.send(pattern(index % 100))
            call.call.halfClose()
            calls.append(call)
        }
        try world.run(until: { calls.allSatisfy { $0.outcome != nil } })
        #expect(calls.allSatisfy { $0.outcome?.status == .ok })
        #expect(calls.enumerated().allSatisfy { $1.messages == [pattern($0 % 100)] })
    }

    @Test func `a server stream arrives in order however it is sent`() throws {
        let world = try World([
            "/t/Count": .serverStreaming { call, _ in
                for index in 0..<100 {
                    pattern(index).withUnsafeBytes { call.send(message: $0) }
                    call.sendFramed([0, 0, 0, 0, 1, UInt8(index), 0, 0, 0, 0, 0])
                }
                call.finish()
            }
        ])
        let call = try world.unary("/t/Count", [])
        #expect(call.outcome?.status == .ok)
        #expect(call.messages == (0..<100).flatMap { [pattern($0), [UInt8($0)], []] })
    }

    @Test func `a client stream ends with one answer`() throws {
        var total = 0
        let world = try World([
            "/t/Sum": .clientStreaming { call in
                call.onMessage = { total += $0.count }
                call.onHalfClose = { [unowned call] in
                    withUnsafeBytes(of: total.bigEndian) { call.send(message: $0) }
                    call.finish()
                }
            }
        ])
        let call = world.start("/t/Sum")
        for index in 0..<500 { call.send(pattern(index)) }
        call.call.halfClose()
        try world.run(until: { call.outcome != nil })
        #expect(call.outcome?.status == .ok)
        #expect(total == 124_750)
        #expect(call.messages.count == 1)
    }

    @Test func `both sides of a bidirectional call talk in turns`() throws {
        let world = try World([
            "/t/Talk": .bidirectional { call in
                call.onMessage = { [unowned call] in call.send(message: $0) }
                call.onHalfClose = { [unowned call] in call.finish() }
            }
        ])
        let call = world.start("/t/Talk")
        for index in 0..<50 {
            call.send(pattern(index))
            try world.run(until: { call.messages.count == index + 1 })
        }
        #expect(call.outcome == nil)
        call.call.halfClose()
        try world.run(until: { call.outcome != nil })
        #expect(call.outcome?.status == .ok)
    }

    @Test func `an error travels with its text and trailers`() throws {
        var trailers = Metadata()
        try trailers.add("why-bin", [0, 255, 1])
        let world = try World([
            "/t/Fail": .unary { call, _ in call.finish(GRPCStatus(.notFound, "no é\n100%"), trailers: trailers) }
        ])
        let call = try world.unary("/t/Fail", [1])
        #expect(call.outcome?.status == GRPCStatus(.notFound, "no é\n100%"))
        #expect(call.outcome?.trailers.first("why-bin") == [0, 255, 1])
        #expect(call.headers == nil)
    }

    @Test func `metadata goes there and back`() throws {
        let world = try World([
            "/t/Metadata": .unary { call, message in
                call.sendHeaders(call.metadata())
                call.send(message: message)
                call.finish(.ok, trailers: call.metadata())
            }
        ])
        var metadata = Metadata()
        try metadata.add("plain", text: "a value, with a comma")
        try metadata.add("twice", text: "1")
        try metadata.add("twice", text: "2")
        for size in 0..<5 { try metadata.add("blob-bin", pattern(size)) }
        let call = try world.unary("/t/Metadata", [], metadata: metadata)
        #expect(call.headers == metadata)
        #expect(call.outcome?.trailers == metadata)
    }

    @Test func `an unknown method is refused and the connection survives`() throws {
        let world = try World()
        let call = try world.unary("/t/Nothing", [1])
        #expect(call.outcome?.status.code == .unimplemented)
        #expect(try world.unary("/t/Echo", [1]).outcome?.status == .ok)
    }

    @Test func `a unary call without a response, or with two, fails`() throws {
        let world = try World([
            "/t/None": .unary { call, _ in call.finish() },
            "/t/Two": .unary { call, message in
                call.send(message: message)
                call.send(message: message)
                call.finish()
            },
        ])
        #expect(try world.unary("/t/None", []).outcome?.status.code == .internal)
        #expect(try world.unary("/t/Two", []).outcome?.status.code == .internal)
    }

    @Test func `a one-request method takes exactly one request`() throws {
        let world = try World()
        let none = world.start("/t/Echo")
        none.call.halfClose()
        let two = world.start("/t/Echo")
        two.send([1])
        two.send([2])
        two.call.halfClose()
        let torn = world.start("/t/Echo")
        torn.call.sendFramed([0, 0, 0, 0, 9, 1])
        torn.call.halfClose()
        let compressed = world.start("/t/Echo")
        compressed.call.sendFramed([1, 0, 0, 0, 1, 1])
        compressed.call.halfClose()
        let calls = [none, two, torn, compressed]
        try world.run(until: { calls.allSatisfy { $0.outcome != nil } })
        #expect(calls.map { $0.outcome?.status.code } == [.internal, .internal, .internal, .internal])
        #expect(try world.unary("/t/Echo", [1]).outcome?.status == .ok)
    }

    @Test func `a very long error text is cut, and metadata that cannot be sent ends the call`() throws {
        var huge = Metadata()
        try huge.add("huge", [UInt8](repeating: 120, count: 300_000))
        let world = try World([
            "/t/Long": .unary { call, _ in call.finish(GRPCStatus(.aborted, String(repeating: "é", count: 100_000))) },
            "/t/Huge": .unary { call, message in
                call.send(message: message)
                call.finish(.ok, trailers: huge)
            },
        ])
        let long = try world.unary("/t/Long", [])
        #expect(long.outcome?.status.code == .aborted)
        #expect(long.outcome?.status.message.hasPrefix("éé") == true)
        #expect(try world.unary("/t/Huge", []).outcome?.status.code == .internal)
        #expect(try world.unary("/t/Echo", [], metadata: huge).outcome?.status.isOK == false)
        #expect(try world.unary("/t/Echo", [1]).outcome?.status == .ok)
        #expect(world.server.callCount == 0)
    }
}
