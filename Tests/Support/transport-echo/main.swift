// transport-echo: a server for the transport's tests, which official clients talk to. Raw bytes, no protobuf.
//
//     transport-echo SOCKET [NAME=NUMBER]…      names: those of `limit(_:_:in:)` below
//
// Prints "ready", drains on SIGTERM. The methods, all of /dome.test.Echo, are in Methods.swift.

import DomeModel
import DomePlatform
import DomeTransport
import Glibc

func limit(_ name: Substring, _ value: Int, in limits: inout TransportLimits) -> Bool {
    switch name {
    case "message": limits.maxMessageBytes = value
    case "headers": limits.maxHeaderListBytes = value
    case "streams": limits.maxConcurrentStreams = UInt32(clamping: value)
    case "connections": limits.maxConnections = value
    case "inbound": limits.maxInboundBytes = value
    case "buffer": limits.maxBufferedBytesPerStream = value
    case "keepalive": limits.keepaliveIntervalMilliseconds = UInt64(clamping: value)
    case "keepalive-timeout": limits.keepaliveTimeoutMilliseconds = UInt64(clamping: value)
    default: return false
    }
    return true
}

func serve() throws(DomeError) {
    var limits = TransportLimits()
    for argument in CommandLine.arguments.dropFirst(2) {
        let parts = argument.split(separator: "=")
        guard parts.count == 2, let value = Int(parts[1]), limit(parts[0], value, in: &limits) else {
            throw DomeError(.invalidRequest, "unknown limit \(argument)")
        }
    }
    ProcessSetup.prepare()
    let loop = try EventLoop()
    let statistics = Statistics()
    let server = GRPCServer(loop: loop, limits: limits, methods: echoMethods(statistics))
    statistics.server = server
    // Held by the server alone: when it drains, new clients are refused.
    try server.add(listener: UnixListener.bind(path: CommandLine.arguments[1]), admission: UnixListener.admit)
    let signals = try SignalSource([SIGTERM], on: loop) { _ in
        server.drain(deadlineMilliseconds: 5000) { loop.stop() }
    }
    _ = write(1, "ready\n", 6)
    loop.run()
    signals.cancel()
    unlink(CommandLine.arguments[1])
}

guard CommandLine.arguments.count >= 2 else {
    print("usage: transport-echo SOCKET [NAME=NUMBER]…")
    exit(2)
}
do throws(DomeError) {
    try serve()
} catch {
    print("transport-echo: \(error.message)")
    exit(1)
}
