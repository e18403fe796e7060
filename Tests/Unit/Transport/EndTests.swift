import DomeModel
import DomePlatform
import Testing

@testable import DomeTransport

/// Counts what became of calls that never answer.
private final class Hanging {
    var calls: [ServerCall] = []
    var reasons: [CallCancellation] = []

    var handler: RPCHandler {
        .serverStreaming { [self] call, _ in
            calls.append(call)
            call.onCancel = { [self] in reasons.append($0) }
        }
    }
}

@Suite struct `Ends of calls` {
    @Test func `a canceled call is canceled on both sides, once`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let call = world.start("/t/Hang")
        call.send([])
        call.call.halfClose()
        try world.run(until: { hanging.calls.count == 1 })
        call.call.cancel()
        call.call.cancel()
        #expect(call.outcome?.status.code == .cancelled)
        try world.run(until: { !hanging.reasons.isEmpty })
        #expect(hanging.reasons == [.byClient])
        #expect(hanging.calls.first?.isActive == false)
        #expect(try world.unary("/t/Echo", [1]).outcome?.status == .ok)
        #expect(hanging.reasons.count == 1)
    }

    @Test func `a call canceled before it was sent never reaches the server`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let call = world.start("/t/Hang")
        call.call.cancel()
        #expect(call.outcome?.status.code == .cancelled)
        #expect(try world.unary("/t/Echo", [1]).outcome?.status == .ok)
        #expect(hanging.calls.isEmpty)
    }

    @Test func `a deadline ends the call on the server and on the client`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let call = world.start("/t/Hang", timeoutNanoseconds: 20_000_000)
        call.send([])
        call.call.halfClose()
        try world.run(until: { call.outcome != nil && !hanging.reasons.isEmpty })
        #expect(call.outcome?.status.code == .deadlineExceeded)
        #expect(hanging.calls.first?.deadlineMonotonicNanoseconds != nil)
        #expect([.deadlineExceeded, .byClient].contains(hanging.reasons.first))
    }

    @Test func `the server keeps a deadline that its client forgot`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let call = world.start("/t/Hang", timeoutNanoseconds: 20_000_000)
        call.call.cancelDeadline()
        call.send([])
        call.call.halfClose()
        try world.run(until: { call.outcome != nil })
        #expect(call.outcome?.status.code == .deadlineExceeded)
        #expect(hanging.reasons == [.deadlineExceeded])
    }

    @Test func `a lost connection ends every call on both sides`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let calls = (0..<10).map { _ in world.start("/t/Hang") }
        for call in calls {
            call.send([])
            call.call.halfClose()
        }
        try world.run(until: { hanging.calls.count == 10 })
        var closed = 0
        world.client.onClose = { _ in closed += 1 }
        world.client.close()
        #expect(calls.allSatisfy { $0.outcome?.status.code == .unavailable })
        #expect(closed == 1)
        try world.run(until: { hanging.reasons.count == 10 })
        #expect(hanging.reasons.allSatisfy { $0 == .connectionLost })
        #expect(world.server.connectionCount == 0)
        #expect(world.server.shared.inboundBytes == 0)
    }

    @Test func `a drained server finishes what runs and takes nothing new`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let running = world.start("/t/Hang")
        running.send([])
        running.call.halfClose()
        try world.run(until: { hanging.calls.count == 1 })
        var isDrained = false
        world.server.drain(deadlineMilliseconds: 10_000) { isDrained = true }
        try world.run(until: { world.client.isGoingAway })
        let late = world.start("/t/Echo")
        try world.run(until: { late.outcome != nil })
        #expect(late.outcome?.status.code == .unavailable)
        #expect(late.outcome?.isUnprocessed == true)
        #expect(!isDrained)
        hanging.calls.first?.finish()
        try world.run(until: { isDrained && running.outcome != nil })
        #expect(running.outcome?.status == .ok)
        try world.run(until: { world.client.isClosed })
    }

    @Test func `a call on its way when the drain begins is still served`() throws {
        let world = try World()
        let first = try world.unary("/t/Echo", [1])
        #expect(first.outcome?.status == .ok)
        let crossing = world.start("/t/Echo")
        crossing.send([7])
        crossing.call.halfClose()
        var isDrained = false
        world.server.drain(deadlineMilliseconds: 10_000) { isDrained = true }
        try world.run(until: { isDrained && crossing.outcome != nil })
        #expect(crossing.outcome?.status == .ok)
    }

    @Test func `a drain's deadline ends what is left with UNAVAILABLE`() throws {
        let hanging = Hanging()
        let world = try World(["/t/Hang": hanging.handler])
        let running = world.start("/t/Hang")
        running.send([])
        running.call.halfClose()
        try world.run(until: { hanging.calls.count == 1 })
        var isDrained = false
        world.server.drain(deadlineMilliseconds: 10) { isDrained = true }
        try world.run(until: { isDrained && running.outcome != nil })
        #expect(running.outcome?.status.code == .unavailable)
        #expect(hanging.reasons.count == 1)
    }

    @Test func `a silent peer is pinged, and closed when it stays silent`() throws {
        var limits = TransportLimits()
        limits.keepaliveIntervalMilliseconds = 20
        limits.keepaliveTimeoutMilliseconds = 20
        let loop = try EventLoop()
        let server = try World.makeServer(loop, limits, [:])
        let (near, far) = try World.streamPair()
        try server.serve(far, peer: nil)
        #expect(server.connectionCount == 1)
        try turn(loop, until: { server.connectionCount == 0 })
        withExtendedLifetime(near) {}
    }

    @Test func `an idle peer that answers pings stays`() throws {
        var limits = TransportLimits()
        limits.keepaliveIntervalMilliseconds = 5
        limits.keepaliveTimeoutMilliseconds = 1000
        let world = try World(limits: limits)
        let end = Clock.monotonicNanoseconds() + 100_000_000
        try world.run(until: { Clock.monotonicNanoseconds() > end })
        #expect(world.server.connectionCount == 1)
        #expect(try world.unary("/t/Echo", [1]).outcome?.status == .ok)
    }
}
