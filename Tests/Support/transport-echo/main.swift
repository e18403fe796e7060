// transport-echo: a server for the transport's tests, which official clients talk to. Raw bytes, no protobuf.
//
//     transport-echo SOCKET [NAME=NUMBER]… [TCPADDRESS]      names: those of `limit(_:_:in:)` below
//
//     transport-echo load …       see Load.swift
//
// On TCP it wants the token in the file SOCKET.token, and prints "port NUMBER" first.
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

func listen(_ address: String, on server: GRPCServer) throws(DomeError) {
    let token = try BearerToken(file: CommandLine.arguments[1] + ".token")
    let listener = try TCPListener.bind(address)
    server.authorize = token.judge
    try server.add(listener: listener, needsAuthorization: true, admission: TCPListener.admit)
    let line = Array("port \(TCPListener.port(of: listener))\n".utf8)
    _ = write(1, line, line.count)
}

func serve() throws(DomeError) {
    var limits = TransportLimits()
    var tcpAddress: String?
    for argument in CommandLine.arguments.dropFirst(2) {
        if argument.contains(":") {
            tcpAddress = argument
            continue
        }
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
    if let tcpAddress { try listen(tcpAddress, on: server) }
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
    if CommandLine.arguments.count > 3, CommandLine.arguments[1] == "load" {
        try Load(socket: CommandLine.arguments[2]).run(Array(CommandLine.arguments.dropFirst(3)))
    } else {
        try serve()
    }
} catch {
    print("transport-echo: \(error.message)")
    exit(1)
}
