package import DomeModel
package import DomePlatform

/// One end of a SOCK_SEQPACKET connection on an event loop: whole messages in, whole messages out, in order,
/// with descriptors. Sending never blocks: what the socket does not take waits here. Confined to the loop.
package final class PacketChannel {
    /// A message up to this size travels in the packet; a larger one in sealed memory.
    package static let inlineLimitBytes = 60 << 10
    /// The largest message.
    package static let messageLimitBytes = 40 << 20
    /// Descriptors a message may carry, besides the one of a large message.
    package static let descriptorLimit = 15
    /// Stands in the packet of a message that is in sealed memory: no message begins so.
    private static let inMemory: [UInt8] = [0xff, 0xff]
    /// Messages taken per turn, so that one busy peer does not starve the loop's other work.
    private static let messagesPerTurn = 32

    /// Nil after the end.
    private var socket: FileDescriptor?
    private let loop: EventLoop
    private var registration: EventLoop.Registration?
    private var queue: [(message: [UInt8], descriptors: [FileDescriptor])] = []
    /// The first of `queue` that is still to be sent.
    private var queueStart = 0
    /// The peer's end, as long as it has not been told.
    private var untoldEnd: LoopTimer?
    private let buffer: UnsafeMutableRawBufferPointer
    private let onMessage: (UnsafeRawBufferPointer, [FileDescriptor]) -> Void
    private let onClosed: (DomeError?) -> Void

    /// Called each time everything queued has been sent.
    package var onDrained: (() -> Void)?

    /// - Parameters:
    ///   - socket: connected; the channel keeps it.
    ///   - onMessage: gets each message, borrowed, with its descriptors.
    ///   - onClosed: called once, at the end of a turn, when the peer is gone (nil) or misbehaved; not after
    ///     `close`.
    package init(
        _ socket: FileDescriptor, on loop: EventLoop,
        onMessage: @escaping (UnsafeRawBufferPointer, [FileDescriptor]) -> Void,
        onClosed: @escaping (DomeError?) -> Void
    ) throws(DomeError) {
        (self.socket, self.loop) = (socket, loop)
        (self.onMessage, self.onClosed) = (onMessage, onClosed)
        buffer = .allocate(byteCount: Self.inlineLimitBytes + 64, alignment: 8)
        registration = try loop.register(socket, interest: .readable) { [weak self] ready in
            // Held for the turn: a handler may drop the last other reference.
            guard let self else { return }
            if ready.contains(.writable) { flush() }
            if ready.contains(.readable) { receive() }
        }
    }

    deinit {
        registration?.cancel()
        buffer.deallocate()
    }

    package var isOpen: Bool { registration != nil }

    /// Whether messages wait for the socket: hold back what can be said later, and shorter.
    package var isCongested: Bool { queueStart < queue.count }

    /// Sends a message (not an empty one: that would be the end), now or as soon as the socket takes it. After the
    /// end it does nothing.
    package func send(_ message: [UInt8], descriptors: [FileDescriptor] = []) {
        guard isOpen, !message.isEmpty else { return }
        do throws(DomeError) {
            guard message.count <= Self.messageLimitBytes, descriptors.count <= Self.descriptorLimit else {
                throw DomeError(.resourceExhausted, "message of \(message.count) bytes is too large")
            }
            var (bytes, descriptors) = (message, descriptors)
            if message.count > Self.inlineLimitBytes {
                descriptors.append(
                    try message.withBytes { raw throws(DomeError) in try SealedMemory.make(named: "dome-message", raw) }
                )
                bytes = Self.inMemory
            }
            if !isCongested, try transmit(bytes, descriptors) { return }
            queue.append((bytes, descriptors))
            registration?.setInterest([.readable, .writable])
        } catch {
            fail(error)
        }
    }

    /// Ends the connection; what is queued is dropped, and the peer's end is not told any more.
    package func close() {
        untoldEnd?.cancel()
        untoldEnd = nil
        registration?.cancel()
        registration = nil
        socket = nil
        queue = []
        queueStart = 0
    }

    private func transmit(_ bytes: [UInt8], _ descriptors: [FileDescriptor]) throws(DomeError) -> Bool {
        guard let socket else { return true }
        return try bytes.withBytes { raw throws(DomeError) in try socket.send(raw, descriptors: descriptors) }
    }

    private func flush() {
        do throws(DomeError) {
            while queueStart < queue.count {
                guard try transmit(queue[queueStart].message, queue[queueStart].descriptors) else { return }
                queue[queueStart] = ([], [])
                queueStart += 1
            }
        } catch {
            return fail(error)
        }
        queue.removeAll(keepingCapacity: queueStart < 256)
        queueStart = 0
        registration?.setInterest(.readable)
        onDrained?()
    }

    private func receive() {
        for _ in 0..<Self.messagesPerTurn {
            guard let socket else { return }
            do throws(DomeError) {
                switch try socket.receive(into: buffer) {
                case .wouldBlock: return
                case .closed: return fail(nil)
                case .message(let count, let descriptors):
                    let raw = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                    try deliver(raw, descriptors)
                }
            } catch {
                return fail(error)
            }
        }
    }

    private func deliver(_ raw: UnsafeRawBufferPointer, _ descriptors: [FileDescriptor]) throws(DomeError) {
        guard raw.elementsEqual(Self.inMemory) else { return onMessage(raw, descriptors) }
        guard let memory = descriptors.last else {
            throw DomeError(.internal, "a large message came without its memory")
        }
        let bytes = try SealedMemory.read(memory, limitBytes: Self.messageLimitBytes)
        bytes.withUnsafeBytes { onMessage($0, Array(descriptors.dropLast())) }
    }

    /// Ends the connection and says so; later, because the caller may be in the middle of something.
    private func fail(_ error: DomeError?) {
        guard isOpen else { return }
        close()
        untoldEnd = loop.schedule(afterNanoseconds: 0) { [self] in
            untoldEnd = nil
            onClosed(error)
        }
    }
}

extension PacketChannel {
    /// Sends a request, on domed's end.
    package func send(_ request: KeeperRequest) { send(request.bytes) }

    /// Sends a reply, on the keeper's end.
    package func send(_ reply: KeeperReply, descriptors: [FileDescriptor] = []) {
        send(reply.bytes, descriptors: descriptors)
    }
}
