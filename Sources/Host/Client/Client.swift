// Room Client: domed as a typed Swift API for programs of ours (the command line, the MCP server). Finds the
// daemon's endpoint, starts a daemon when there is none and that is wanted, makes sure that whoever answers
// runs as this user, and turns the contract's messages into plain values, so that rooms above see no protobuf.
// Everything is isolated to `Core`: one thread, one event loop, no locks.

package import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeTransport
internal import DomeWire

/// A connection to domed that is made when first needed, and made again when it is lost.
@Core
package final class DaemonClient {
    package nonisolated let endpoint: Endpoint
    /// Starts a daemon when there is none; nil never does.
    private let launcher: DaemonLauncher?
    private var connection: GRPCClientConnection?
    /// A start of the daemon under way.
    private var starting: OneShot<Result<Void, ClientError>>?
    /// Where the secret for a TCP port lies; nil: there is none to send.
    private let tokenFile: String?
    /// What goes with every call on the present connection.
    private(set) var metadata = Metadata()

    /// How often a call is made again after its connection was lost. Every call of the contract may be repeated:
    /// submissions carry a key.
    private static let attempts = 6
    private static let firstPauseMilliseconds: UInt64 = 20

    /// Nothing is opened yet.
    package nonisolated init(endpoint: Endpoint, launcher: DaemonLauncher?, tokenFile: String? = nil) {
        self.endpoint = endpoint
        self.launcher = launcher
        self.tokenFile = tokenFile
    }

    /// Closes the connection; calls in flight end as unavailable.
    package func close() {
        connection?.close()
        connection = nil
    }

    /// A usable connection: the present one, or a new one to a running daemon, or to one just started.
    func usableConnection() async throws(ClientError) -> GRPCClientConnection {
        if let connection, connection.isUsable { return connection }
        connection = nil
        let socket: DomePlatform.FileDescriptor
        do throws(ClientError) {
            socket = try endpoint.connect()
        } catch {
            guard case .unavailable = error, let launcher else { throw error }
            try await start(launcher)
            if let connection, connection.isUsable { return connection }
            socket = try endpoint.connect()
        }
        do throws(DomeError) {
            metadata = try credentials(for: socket)
            let fresh = try GRPCClientConnection(loop: Core.loop, socket: socket)
            connection = fresh
            return fresh
        } catch {
            if error.code == .policyDenied || error.code == .invalidRequest { throw .refused(error) }
            throw .unavailable(error.message)
        }
    }

    /// Starts the daemon, once for all calls that miss it at the same time.
    private func start(_ launcher: DaemonLauncher) async throws(ClientError) {
        if let starting { return try await starting.wait().get() }
        let start = OneShot<Result<Void, ClientError>>()
        starting = start
        defer { starting = nil }
        do throws(ClientError) {
            try await launcher.start(endpoint)
            start.set(.success(()))
        } catch {
            start.set(.failure(error))
            throw error
        }
    }

    /// The token, for TCP. Sent to nobody but a daemon of this user on this machine.
    private func credentials(for socket: DomePlatform.FileDescriptor) throws(DomeError) -> Metadata {
        guard case .tcp = endpoint, let tokenFile else { return Metadata() }
        let token = try BearerToken(file: tokenFile)
        guard let listeners = TCPSocket.listenersOnLoopback(socket) else {
            throw DomeError(
                .policyDenied,
                "\(endpoint) is not on this machine's loopback: the token goes nowhere else; forward the port (ssh -L)")
        }
        guard listeners.isSubset(of: [Files.userID, 0]), !listeners.isEmpty else {
            throw DomeError(
                .policyDenied, "another user listens on \(endpoint), not your daemon; no token was sent there")
        }
        return try token.metadata()
    }

    /// Makes a unary call, again if the connection is lost meanwhile. `timeoutMilliseconds` is each attempt's.
    func call<Request: ProtoMessage, Response: ProtoMessage>(
        _ method: ProtoMethod<Request, Response>, _ request: Request, timeoutMilliseconds: UInt64 = 60_000
    ) async throws(ClientError) -> Response {
        let message = request.serialized()
        var pause = Self.firstPauseMilliseconds
        for _ in 1..<Self.attempts {
            do throws(ClientError) {
                return try await attempt(method, message, timeoutMilliseconds)
            } catch {
                guard case .connectionLost = error else { throw error }
            }
            await Core.sleep(milliseconds: pause)
            pause *= 3
        }
        return try await attempt(method, message, timeoutMilliseconds)
    }

    private func attempt<Request: ProtoMessage, Response: ProtoMessage>(
        _ method: ProtoMethod<Request, Response>, _ message: [UInt8], _ timeoutMilliseconds: UInt64
    ) async throws(ClientError) -> Response {
        let connection = try await usableConnection()
        let timeout = Int64(min(timeoutMilliseconds, 1 << 40)) * 1_000_000
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            let call = connection.start(method.path, metadata: metadata, timeoutNanoseconds: timeout)
            var bytes: [UInt8]?
            call.onMessage = { bytes = Array($0) }
            call.onFinish = { continuation.resume(returning: Answer(message: bytes, outcome: $0)) }
            message.withUnsafeBytes { call.send(message: $0) }
            call.halfClose()
        }
        guard answer.outcome.status.isOK else { throw ClientError(answer.outcome) }
        guard let bytes = answer.message else {
            throw .protocolBroken("the reply to \(method.descriptor.name) is empty")
        }
        do throws(ProtoError) {
            return try Response.decode(bytes)
        } catch {
            throw .protocolBroken("the reply to \(method.descriptor.name) is malformed: \(error)")
        }
    }

    private struct Answer: Sendable {
        var message: [UInt8]?
        var outcome: ClientOutcome
    }
}
