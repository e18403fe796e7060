import DomeModel
import DomePlatform
import Testing

@testable import DomeTransport

@Suite struct `Flow control` {
    /// Sends `count` messages of 1 KiB as fast as it may, and remembers the most that was buffered.
    private final class Producer {
        var left: Int
        var mostBuffered = 0
        private let message = pattern(1024)

        init(_ count: Int) { left = count }

        func fill(_ call: ServerCall) {
            while left > 0, call.canSend {
                message.withUnsafeBytes { call.send(message: $0) }
                left -= 1
                mostBuffered = max(mostBuffered, call.outbound.count)
            }
            if left == 0 { call.finish() }
        }

        var handler: RPCHandler {
            .serverStreaming { [self] call, _ in
                call.onWritable = { [unowned call] in self.fill(call) }
                fill(call)
            }
        }
    }

    @Test func `a stalled reader stops its producer, and no other stream`() throws {
        let producer = Producer(64 << 10)
        let world = try World(["/t/Flood": producer.handler])
        let stalled = world.start("/t/Flood")
        stalled.call.pauseReceiving()
        stalled.send([])
        stalled.call.halfClose()
        // The stream's window is 4 MiB: beyond it the producer has to wait with most of its 64 MiB unsent.
        try world.run(until: { stalled.call.assembler.heldBytes >= 4 << 20 })
        for _ in 0..<100 { #expect(try world.unary("/t/Echo", pattern(1000)).outcome?.status == .ok) }
        #expect(producer.left > 50 << 10)
        #expect(producer.mostBuffered <= (256 << 10) + 1029)
        #expect(stalled.call.assembler.heldBytes <= 4 << 20)
        #expect(stalled.messages.isEmpty)
        stalled.call.resumeReceiving()
        try world.run(until: { stalled.outcome != nil })
        #expect(stalled.outcome?.status == .ok)
        #expect(stalled.messages.count == 64 << 10)
        #expect(stalled.messages.allSatisfy { $0.count == 1024 })
    }

    @Test func `a stalled handler stops its client, and no other stream`() throws {
        var paused: ServerCall?
        var received = 0
        let world = try World([
            "/t/Slow": .clientStreaming { call in
                paused = call
                call.pauseReceiving()
                call.onMessage = { received += $0.count }
                call.onHalfClose = { [unowned call] in
                    call.send(message: UnsafeRawBufferPointer(start: nil, count: 0))
                    call.finish()
                }
            }
        ])
        let call = world.start("/t/Slow")
        var left = 16 << 10
        let message = pattern(1024)
        func fill() {
            while left > 0, call.call.canSend {
                call.send(message)
                left -= 1
            }
            if left == 0 { call.call.halfClose() }
        }
        call.call.onWritable = fill
        fill()
        try world.run(until: { (paused?.assembler.heldBytes ?? 0) >= 4 << 20 })
        #expect(try world.unary("/t/Echo", pattern(100_000)).outcome?.status == .ok)
        #expect(left > 8 << 10)
        #expect(received == 0)
        paused?.resumeReceiving()
        try world.run(until: { call.outcome != nil })
        #expect(received == 16 << 20)
        #expect(world.server.shared.inboundBytes == 0)
    }

    @Test func `a receiver may pause after every message`() throws {
        let producer = Producer(1000)
        let world = try World(["/t/Flood": producer.handler])
        let call = world.client.start("/t/Flood")
        var count = 0
        var outcome: ClientOutcome?
        call.onMessage = { [unowned call] _ in
            count += 1
            call.pauseReceiving()
        }
        call.onFinish = { outcome = $0 }
        call.send(message: UnsafeRawBufferPointer(start: nil, count: 0))
        call.halfClose()
        while outcome == nil {
            let before = count
            try world.run(until: { count > before || outcome != nil || call.isReceivingPaused })
            call.resumeReceiving()
        }
        #expect(count == 1000)
        #expect(outcome?.status == .ok)
    }

    @Test func `a dead reader costs a bounded buffer until its deadline, then nothing`() throws {
        let producer = Producer(64 << 10)
        let world = try World(["/t/Flood": producer.handler])
        let call = world.start("/t/Flood", timeoutNanoseconds: 100_000_000)
        call.call.cancelDeadline()
        call.call.pauseReceiving()
        call.send([])
        call.call.halfClose()
        try world.run(until: { call.outcome != nil && world.server.callCount == 0 })
        #expect(producer.left > 50 << 10)
        #expect(call.outcome?.status.code != .ok)
    }

    @Test func `incomplete requests over all connections have one budget`() throws {
        var limits = TransportLimits()
        limits.maxInboundBytes = 1 << 20
        let world = try World(limits: limits)
        let calls = (0..<8).map { _ in world.start("/t/Echo") }
        for call in calls { call.call.sendFramed([0, 0, 16, 0, 0] + pattern(300_000)) }
        try world.run(until: { calls.contains { $0.outcome != nil } })
        let refused = calls.compactMap(\.outcome)
        #expect(refused.allSatisfy { $0.status.code == .resourceExhausted })
        #expect(world.server.shared.inboundBytes <= 1 << 20)
        for call in calls { call.call.cancel() }
        try world.run(until: { world.server.callCount == 0 })
        #expect(world.server.shared.inboundBytes == 0)
        #expect(try world.unary("/t/Echo", pattern(500_000)).outcome?.status == .ok)
    }
}
