import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// Whole messages in, whole messages out.
struct PacketChannelTests {
    /// Two channels of one loop, and what each got.
    private final class Pair {
        let loop: EventLoop
        private(set) var left: PacketChannel?
        private(set) var right: PacketChannel?
        var received: [(bytes: [UInt8], descriptors: [FileDescriptor])] = []
        var ends: [String] = []

        init() throws {
            loop = try EventLoop()
            let (first, second) = try UnixSocket.packetPair()
            left = try PacketChannel(
                first, on: loop, onMessage: { _, _ in }, onClosed: { [unowned self] _ in ends.append("left") })
            right = try PacketChannel(
                second, on: loop,
                onMessage: { [unowned self] in received.append(([UInt8]($0), $1)) },
                onClosed: { [unowned self] in ends.append($0 == nil ? "right" : "right failed") })
        }

        func turn(until isDone: () -> Bool) {
            for _ in 0..<20_000 where !isDone() { loop.turn(maximumWaitNanoseconds: 1_000_000) }
        }

        func dropRight() { right = nil }
    }

    @Test func `messages keep their bounds, their order and their descriptors`() throws {
        let pair = try Pair()
        let file = try Files.open("/dev/null", O_RDONLY)
        pair.left?.send([1])
        pair.left?.send([2, 2], descriptors: [file, file])
        pair.left?.send([])
        pair.left?.send([3])
        pair.turn { pair.received.count == 3 || !pair.ends.isEmpty }
        #expect(pair.received.prefix(2).map(\.bytes) == [[1], [2, 2]])
        #expect(pair.received[1].descriptors.count == 2)
    }

    @Test func `a large message crosses in sealed memory, and its descriptors with it`() throws {
        let pair = try Pair()
        let large = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        pair.left?.send(large, descriptors: [try Files.open("/dev/null", O_RDONLY)])
        let border = [UInt8](repeating: 7, count: PacketChannel.inlineLimitBytes)
        pair.left?.send(border)
        pair.left?.send(border + [7])
        pair.turn { pair.received.count == 3 }
        #expect(pair.received.map(\.bytes) == [large, border, border + [7]])
        #expect(pair.received.map(\.descriptors.count) == [1, 0, 0])
    }

    @Test func `what a full socket does not take waits, and nothing is lost`() throws {
        let pair = try Pair()
        var drained = 0
        pair.left?.onDrained = { drained += 1 }
        for number in 0..<2000 {
            pair.left?.send([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 10_000))
        }
        #expect(pair.left?.isCongested == true)
        pair.turn { pair.received.count == 2000 }
        #expect(pair.received.enumerated().allSatisfy { $1.bytes.first == UInt8(truncatingIfNeeded: $0) })
        #expect(pair.left?.isCongested == false)
        #expect(drained >= 1)
    }

    @Test func `a message never overtakes those that wait`() throws {
        let loop = try EventLoop()
        let (first, second) = try UnixSocket.packetPair()
        let channel = try PacketChannel(first, on: loop, onMessage: { _, _ in }, onClosed: { _ in })
        var buffer = [UInt8](repeating: 0, count: 60_000)
        var numbers: [UInt8] = []
        func read() throws -> Bool {
            let received = try buffer.withUnsafeMutableBytes { raw in
                Result { () throws(DomeError) in try second.receive(into: raw) }
            }.get()
            guard case .message = received else { return false }
            numbers.append(buffer[0])
            return true
        }
        var next: UInt8 = 0
        while !channel.isCongested {
            channel.send([UInt8](repeating: next, count: 50_000))
            next += 1
        }
        // There is room again, but nobody has told the channel yet.
        while try read() {}
        channel.send([next])
        for _ in 0..<3 {
            loop.turn(maximumWaitNanoseconds: 1_000_000)
            while try read() {}
        }
        #expect(numbers == Array(0...next))
    }

    @Test func `the end of one side is told to the other, once`() throws {
        let pair = try Pair()
        pair.left?.close()
        pair.left?.send([1])
        pair.turn { !pair.ends.isEmpty }
        #expect(pair.ends == ["right"])
        pair.right?.send([1])
        pair.loop.turn(maximumWaitNanoseconds: 1_000_000)
        #expect(pair.ends == ["right"])
    }

    @Test func `sending to a dead peer ends the channel at the end of the turn`() throws {
        let pair = try Pair()
        pair.dropRight()
        pair.left?.send([1])
        #expect(pair.ends.isEmpty)
        pair.turn { !pair.ends.isEmpty }
        #expect(pair.ends == ["left"])
    }

    /// Whoever closes it has put another in its place, and must not take the old one's end for that one's.
    @Test func `an end that was seen and not told yet is not told after a close`() throws {
        let pair = try Pair()
        pair.dropRight()
        pair.left?.send([1])
        #expect(pair.left?.isOpen == false)
        pair.left?.close()
        for _ in 0..<3 { pair.loop.turn(maximumWaitNanoseconds: 1_000_000) }
        #expect(pair.ends.isEmpty)
    }

    @Test func `memory that is not sealed is refused`() throws {
        let (first, second) = try UnixSocket.packetPair()
        let loop = try EventLoop()
        var failure: DomeError?
        let channel = try PacketChannel(second, on: loop, onMessage: { _, _ in }, onClosed: { failure = $0 })
        let file = try Files.open("/etc/passwd", O_RDONLY)
        let marker: [UInt8] = [0xff, 0xff]
        #expect(try marker.withBytes { raw throws(DomeError) in try first.send(raw, descriptors: [file]) })
        loop.turn(maximumWaitNanoseconds: 1_000_000_000)
        loop.turn(maximumWaitNanoseconds: 0)
        #expect(failure?.message.contains("not sealed") == true)
        #expect(!channel.isOpen)
    }
}
