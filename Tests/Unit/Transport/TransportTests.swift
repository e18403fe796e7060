// Unit tests of the room Transport. Server and client run on one loop, over a real socket pair; nothing sleeps:
// the loop is turned until what is awaited has happened.

import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeTransport

/// A server and a client that share a loop, which only turns when the test says so.
final class World {
    let loop: EventLoop
    let server: GRPCServer
    let client: GRPCClientConnection

    init(limits: TransportLimits = TransportLimits(), _ methods: [String: RPCHandler] = [:]) throws {
        loop = try EventLoop()
        server = try World.makeServer(loop, limits, methods)
        let (near, far) = try World.streamPair()
        try server.serve(far, peer: nil)
        client = try GRPCClientConnection(loop: loop, socket: near)
    }

    deinit {
        client.close()
        server.close()
    }

    static func makeServer(
        _ loop: EventLoop, _ limits: TransportLimits, _ methods: [String: RPCHandler]
    ) throws -> GRPCServer {
        var table = MethodTable()
        table.add(
            "/t/Echo",
            .unary { call, message in
                call.send(message: message)
                call.finish()
            })
        for (path, handler) in methods { table.add(path, handler) }
        return GRPCServer(loop: loop, limits: limits, methods: table)
    }

    static func streamPair() throws -> (FileDescriptor, FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &ends) == 0)
        return (FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
    }

    /// Turns the loop until `condition` holds; a test that waits ten seconds has failed.
    func run(until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) throws {
        try turn(loop, until: condition, location)
    }

    /// A call that collects everything.
    func start(_ path: String, metadata: Metadata = Metadata(), timeoutNanoseconds: Int64? = nil) -> Recorded {
        Recorded(client.start(path, metadata: metadata, timeoutNanoseconds: timeoutNanoseconds))
    }

    /// A whole unary call.
    func unary(_ path: String, _ message: [UInt8], metadata: Metadata = Metadata()) throws -> Recorded {
        let call = start(path, metadata: metadata)
        call.send(message)
        call.call.halfClose()
        try run(until: { call.outcome != nil })
        return call
    }
}

func turn(_ loop: EventLoop, until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) throws {
    let deadline = Clock.monotonicNanoseconds() + 10_000_000_000
    while !condition() {
        try #require(Clock.monotonicNanoseconds() < deadline, "nothing came", sourceLocation: location)
        loop.turn(maximumWaitNanoseconds: 100_000_000)
    }
}

/// A client's call and what it has received.
final class Recorded {
    let call: ClientCall
    var headers: Metadata?
    var messages: [[UInt8]] = []
    var outcome: ClientOutcome?

    init(_ call: ClientCall) {
        self.call = call
        call.onHeaders = { self.headers = $0 }
        call.onMessage = { self.messages.append(Array($0)) }
        call.onFinish = { self.outcome = $0 }
    }

    func send(_ message: [UInt8]) { message.withUnsafeBytes { call.send(message: $0) } }
}

func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) } }
