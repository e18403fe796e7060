// Room Server: the RPCs. One file per RPC, named like it; each decodes (done by the dispatch), calls the engine
// once, and encodes. No decisions are taken here. Domain errors travel in `status` with gRPC status OK, as
// the contract says; only malformed bytes, unknown methods and broken limits become gRPC codes.

package import DomeAsync
package import DomeEngine
internal import DomeModel
internal import DomePlatform
internal import DomeProto

/// domed.v1.DomedService over the engine. Everything on the core's thread.
@Core
package final class DomedService {
    let engine: Engine
    let streams: EventStreams
    /// What the status RPC says of this process.
    let identity: ServerIdentity
    /// Those who follow a job, read the audit log or what a job left, or watch the registry now.
    var openStreams: [ObjectIdentifier: OpenStream] = [:]

    /// - Parameter streamsExecutor: the thread on which followers' journals are read and encoded.
    package init(engine: Engine, streamsExecutor: LoopExecutor, identity: ServerIdentity) {
        self.engine = engine
        self.streams = EventStreams(executor: streamsExecutor)
        self.identity = identity
    }

    /// Streams of jobs' events that are open.
    package var followerCount: Int { openStreams.values.count { $0 is EventFollower } }

    /// Tells all who follow something to come back later.
    package func dismissFollowers() {
        for stream in openStreams.values { stream.dismiss() }
    }
}

/// What a daemon says of itself.
package struct ServerIdentity: Sendable {
    package var version: String
    /// The oldest and the recommended version of clients.
    package var minimumClientVersion: String
    package var endpoint: String
    package var stateDirectory: String
    package var processID: Int32

    package init(
        version: String, minimumClientVersion: String, endpoint: String, stateDirectory: String, processID: Int32
    ) {
        self.version = version
        self.minimumClientVersion = minimumClientVersion
        self.endpoint = endpoint
        self.stateDirectory = stateDirectory
        self.processID = processID
    }
}
