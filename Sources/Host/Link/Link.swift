// Room Link: what domed says to its keepers and workers and what they answer, over SOCK_SEQPACKET sockets with
// descriptors by SCM_RIGHTS. Messages are values with a codec of their own: little endian, every bound checked.
// Both ends are ours but not always of one version: a keeper outlives upgrades of domed. So kinds and fields
// are only ever added, a reader ignores what it does not know behind what it does, and the first message says
// which versions its sender speaks. No concurrency: a channel belongs to one event loop.

package import DomeModel

/// Which versions of the protocol between domed and keeper this program speaks.
package enum LinkVersion {
    package static let current: UInt16 = 1
    /// One version back, from the second version on.
    package static let oldest: UInt16 = 1

    /// The version that two programs speak: the newest both know, or nil.
    package static func common(peerOldest: UInt16, peerCurrent: UInt16) -> UInt16? {
        let version = min(current, peerCurrent)
        return version >= max(oldest, peerOldest) ? version : nil
    }
}

/// One event that the other side is to append to a job's journal.
package struct LinkEvent: Sendable, Equatable {
    package var kind: EventKind
    /// As `EventKind` says for this kind.
    package var payload: [UInt8]

    package init(_ kind: EventKind, _ payload: [UInt8]) {
        self.kind = kind
        self.payload = payload
    }

    func write(to writer: inout ByteWriter) {
        writer.write(kind.rawValue)
        writer.write(payload)
    }

    init(from reader: inout ByteReader) throws(DomeError) {
        let number = try reader.readUInt8()
        guard let kind = EventKind(rawValue: number) else {
            throw DomeError(.internal, "message has an event of the unknown kind \(number)")
        }
        self.init(kind, try reader.readBytes())
    }
}
