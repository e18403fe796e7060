package import DomeModel
package import DomePlatform

/// A gRPC server on an event loop: accepts connections from its listeners and serves the methods of its table.
/// Everything on the loop's thread. HTTP/2 with prior knowledge only, no TLS: its sockets are Unix or loopback.
/// Refer to calls and connections strongly or unowned, not weakly: a weak reference slows every later retain.
package final class GRPCServer: @unchecked Sendable {
    // @unchecked: confined to the loop's thread; the reference may travel.

    let loop: EventLoop
    let limits: TransportLimits
    let methods: MethodTable
    let shared = SharedBuffers()
    /// Judges the metadata of calls on connections that were added with `needsAuthorization`: nil lets a call pass.
    /// As long as there is no judge, none passes.
    package var authorize: ((Metadata) -> GRPCStatus?)?

    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var listeners: [(registration: EventLoop.Registration, socket: FileDescriptor)] = []
    private var drainCompletion: (() -> Void)?
    private var drainTimer: LoopTimer?
    private(set) package var isDraining = false

    package init(loop: EventLoop, limits: TransportLimits = TransportLimits(), methods: MethodTable) {
        (self.loop, self.limits, self.methods) = (loop, limits, methods)
    }

    package var connectionCount: Int { connections.count }
    /// Calls in flight.
    package var callCount: Int { connections.values.reduce(0) { $0 + $1.streamCount } }

    // MARK: Listening

    /// Serves the connections of a listening, non-blocking socket. The server lets go of it on `drain` or `close`;
    /// if the caller holds it no longer, clients are refused from then on. `admission` looks at each one first (on a Unix socket: `UnixListener.admit`) and names its peer;
    /// one that it throws for is refused and logged.
    package func add(
        listener: FileDescriptor, needsAuthorization: Bool = false,
        admission: @escaping (FileDescriptor) throws(DomeError) -> Peer?
    ) throws(DomeError) {
        var registration: EventLoop.Registration?
        registration = try loop.register(listener, interest: .readable) { _ in
            do throws(DomeError) {
                try self.accept(listener, needsAuthorization, admission)
            } catch {
                // Out of descriptors, most likely. Trying again at once would only burn time.
                Log.error("transport.accept", ["error": error.message])
                registration?.setInterest([])
                self.loop.schedule(afterMilliseconds: 100) { registration?.setInterest(.readable) }
            }
        }
        if let registration { listeners.append((registration, listener)) }
    }

    private func accept(
        _ listener: FileDescriptor, _ needsAuthorization: Bool,
        _ admission: (FileDescriptor) throws(DomeError) -> Peer?
    ) throws(DomeError) {
        for _ in 0..<64 {
            guard let socket = try UnixSocket.accept(listener) else { return }
            do throws(DomeError) {
                guard connections.count < limits.maxConnections else {
                    throw DomeError(.resourceExhausted, "more than \(limits.maxConnections) connections")
                }
                let peer = try admission(socket)
                try serve(socket, peer: peer, needsAuthorization: needsAuthorization)
            } catch {
                Log.warning("transport.refused", ["error": error.message])
            }
        }
    }

    /// Serves one connected stream socket, which the server owns from here on.
    package func serve(_ socket: FileDescriptor, peer: Peer?, needsAuthorization: Bool = false) throws(DomeError) {
        let connection = try ServerConnection(
            server: self, socket: socket, peer: peer, needsAuthorization: needsAuthorization)
        try connection.start()
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    func remove(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if connections.isEmpty { drainEnded() }
    }

    // MARK: Ending

    /// Stops accepting, tells every client to open no more calls (GOAWAY), lets those in flight finish and
    /// calls `completion` when the last connection is closed. After the deadline the calls left get
    /// UNAVAILABLE and the connections are closed.
    package func drain(deadlineMilliseconds: UInt64, completion: @escaping () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        drainCompletion = completion
        stopListening()
        for connection in Array(connections.values) { connection.drain() }
        guard !connections.isEmpty else {
            loop.schedule(afterNanoseconds: 0) { self.drainEnded() }
            return
        }
        drainTimer = loop.schedule(afterMilliseconds: deadlineMilliseconds) {
            for connection in Array(self.connections.values) { connection.abandonCalls() }
            // Their trailers leave at the end of this turn.
            self.loop.schedule(afterMilliseconds: 50) { self.close() }
        }
    }

    private func drainEnded() {
        drainTimer?.cancel()
        let completion = drainCompletion
        drainCompletion = nil
        completion?()
    }

    private func stopListening() {
        for listener in listeners { listener.registration.cancel() }
        listeners = []
    }

    /// Closes everything now; calls in flight hear `connectionLost`.
    package func close() {
        stopListening()
        for connection in Array(connections.values) { connection.close("the server is closing") }
    }
}
