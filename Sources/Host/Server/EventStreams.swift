package import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeWire

/// Reads journals and encodes them for followers, on a thread of its own: neither a slow disk nor a flooding job
/// holds up the calls of others. What a follower costs here at rest is one open file.
package actor EventStreams {
    private let executor: LoopExecutor
    private var followers: [UInt64: Follower] = [:]
    private let memory = EventReaderMemory()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private struct Follower {
        var reader: EventReader
        var encoder: StreamEventEncoder
    }

    /// A piece of a stream: framed messages, ready to be sent.
    struct Piece: Sendable {
        var bytes: [UInt8]
        /// The last event in it.
        var lastSeq: UInt64
    }

    /// How much is read at a time, in bytes of payload.
    private static let pieceBytes = 128 << 10

    package init(executor: LoopExecutor) { self.executor = executor }

    /// The events of `job` after `after`, up to `through` or a piece's size. `number` is the follower's own.
    func read(
        _ number: UInt64, _ job: JobID, path: String, after: UInt64, through: UInt64
    ) throws(DomeError) -> Piece {
        var follower: Follower
        if let known = followers[number] {
            follower = known
        } else {
            follower = Follower(
                reader: try EventReader(path: path, job, memory), encoder: StreamEventEncoder(jobID: job))
        }
        var bytes: [UInt8] = []
        var lastSeq = after
        do throws(DomeError) {
            lastSeq = try follower.reader.read(after: after, through: through, maxBytes: Self.pieceBytes) { event in
                follower.encoder.append(event, to: &bytes)
                lastSeq = event.seq
            }
        } catch {
            // What lies before the damage is delivered; the next read meets the damage again, with nothing before it.
            guard lastSeq > after else { throw error }
        }
        followers[number] = follower
        return Piece(bytes: bytes, lastSeq: lastSeq)
    }

    /// Closes what the follower had open.
    func close(_ number: UInt64) { followers[number] = nil }
}
