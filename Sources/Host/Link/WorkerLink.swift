package import DomeModel
package import DomePlatform
internal import Synchronization

/// One end of the socket between domed and a worker. Neither call blocks; both may be used from any thread.
package final class WorkerLink: Sendable {
    /// Watch it for readiness; it is closed with the last reference.
    package let socket: FileDescriptor
    private let buffer = Mutex([UInt8](repeating: 0, count: 64 << 10))

    package init(_ socket: FileDescriptor) { self.socket = socket }

    package enum Arrival: Sendable, Equatable {
        case message(WorkerMessage)
        /// Nothing there now.
        case wouldBlock
        /// The peer is gone.
        case closed
    }

    /// Sends `message`. False: the socket is full; wait until it is writable and send again.
    /// Errors: a payload above `WorkerMessage.payloadLimitBytes`, or the peer gone.
    package func send(_ message: WorkerMessage) throws(DomeError) -> Bool {
        let payload = message.payload
        guard payload.count <= WorkerMessage.payloadLimitBytes else {
            throw DomeError(.resourceExhausted, "worker link: a message of \(payload.count) bytes is too large")
        }
        var datagram: [UInt8] = []
        guard payload.count > WorkerMessage.inlineLimitBytes else {
            datagram.reserveCapacity(WorkerMessage.headerBytes + payload.count)
            datagram.append(message.type)
            WorkerMessage.append(message.request, to: &datagram)
            datagram.append(contentsOf: payload)
            return try transmit(datagram, [])
        }
        datagram.append(message.type | WorkerMessage.memoryBit)
        WorkerMessage.append(message.request, to: &datagram)
        let memory = payload.withUnsafeBytes { bytes -> Result<FileDescriptor, DomeError> in
            do throws(DomeError) {
                return .success(try SealedMemory.make(named: "dome-worker", bytes))
            } catch {
                return .failure(error)
            }
        }
        return try transmit(datagram, [try memory.get()])
    }

    private func transmit(_ datagram: [UInt8], _ descriptors: [FileDescriptor]) throws(DomeError) -> Bool {
        let result = datagram.withUnsafeBytes { bytes -> Result<Bool, DomeError> in
            do throws(DomeError) {
                return .success(try socket.send(bytes, descriptors: descriptors))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The next message. Errors: E_INTERNAL for a datagram that no peer of ours sends; drop the link then.
    package func receive() throws(DomeError) -> Arrival {
        let result = buffer.withLock { buffer in
            buffer.withUnsafeMutableBytes { bytes -> Result<Arrival, DomeError> in
                do throws(DomeError) {
                    switch try socket.receive(into: bytes) {
                    case .wouldBlock: return .success(.wouldBlock)
                    case .closed: return .success(.closed)
                    case .message(let count, let descriptors):
                        let datagram = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                        return .success(.message(try Self.message(datagram, descriptors)))
                    }
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }

    private static func message(
        _ datagram: UnsafeRawBufferPointer, _ descriptors: [FileDescriptor]
    ) throws(DomeError) -> WorkerMessage {
        guard datagram.count >= WorkerMessage.headerBytes, let type = datagram.first else {
            throw DomeError(.internal, "worker link: a datagram of \(datagram.count) bytes is too short")
        }
        let request = UInt64(littleEndian: datagram.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
        let rest = UnsafeRawBufferPointer(rebasing: datagram[WorkerMessage.headerBytes...])
        guard type & WorkerMessage.memoryBit != 0 else {
            guard descriptors.isEmpty else { throw DomeError(.internal, "worker link: an unexpected descriptor") }
            return try WorkerMessage.decode(type: type, request: request, payload: Array(rest))
        }
        guard rest.isEmpty, descriptors.count == 1, let memory = descriptors.first else {
            throw DomeError(.internal, "worker link: a message in memory needs exactly one descriptor")
        }
        let payload = try SealedMemory.read(memory, limitBytes: WorkerMessage.payloadLimitBytes)
        return try WorkerMessage.decode(type: type & ~WorkerMessage.memoryBit, request: request, payload: payload)
    }
}
