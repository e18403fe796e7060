import DomeLink
import DomeModel
import DomePlatform
import Testing

struct WorkerLinkTests {
    private let near: WorkerLink
    private let far: WorkerLink

    init() throws {
        let (one, other) = try UnixSocket.packetPair()
        (near, far) = (WorkerLink(one), WorkerLink(other))
    }

    private static let large = [UInt8](repeating: 0x5a, count: WorkerMessage.inlineLimitBytes + 1)

    @Test(
        arguments: [
            .hello(.init(abiMajor: 0, abiMinor: 9, pluginID: "dome.local-process", pluginVersion: "0.1.0 ü")),
            .prepare(request: .max, job: []), .prepare(request: 1, job: Array(large.dropLast())),
            .plan(request: 0x0102_0304_0506_0708, document: large),
            .elsewhere(request: 3), .driven(request: 4, document: large), .drive(request: 5, .start(job: large)),
            .drive(request: 6, .poll(handle: "h\u{fc}", cursor: "")), .drive(request: 7, .recover(handle: "h")),
            .drive(request: 8, .cancel(handle: "h", force: true)),
            .drive(request: 9, .cancel(handle: "h", force: false)),
            .drive(request: 10, .listArtifacts(handle: "h")),
            .drive(request: 11, .readArtifact(handle: "h", name: "a/\u{fc}", offset: .max, size: .max)),
            .failed(request: 3, code: .policyDenied, message: "not ü"), .cancel(request: 9),
        ] as [WorkerMessage])
    func `a message arrives as it was sent`(message: WorkerMessage) throws {
        #expect(try near.send(message))
        #expect(try far.receive() == .message(message))
        #expect(try far.receive() == .wouldBlock)
    }

    @Test func `a full socket says so and loses nothing`() throws {
        let message = WorkerMessage.prepare(request: 1, job: [UInt8](repeating: 1, count: 32 << 10))
        var sent = 0
        while try near.send(message) { sent += 1 }
        var received = 0
        while try far.receive() == .message(message) { received += 1 }
        #expect(sent == received && sent > 0)
    }

    @Test func `what is too large is refused by the sender`() throws {
        let bytes = [UInt8](repeating: 0, count: WorkerMessage.payloadLimitBytes + 1)
        #expect(throws: DomeError.self) { try near.send(.plan(request: 1, document: bytes)) }
    }

    @Test(
        arguments: [
            [2], [2, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0], [99, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0, 0, 200],
            [0x82, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 12) + [255, 255, 255, 255],
            [1, 0, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 12) + [1, 0, 0, 0, 0xff],
        ] as [[UInt8]])
    func `a datagram that is no message is an error and never a trap`(bytes: [UInt8]) throws {
        #expect(try bytes.withUnsafeBytes { try near.socket.send($0) })
        #expect(throws: DomeError.self) { try far.receive() }
    }

    @Test func `a descriptor that is not sealed memory is refused`() throws {
        let header: [UInt8] = [0x83, 0, 0, 0, 0, 0, 0, 0, 0]
        let (pipe, _) = try UnixSocket.packetPair()
        #expect(try header.withUnsafeBytes { try near.socket.send($0, descriptors: [pipe]) })
        #expect(throws: DomeError.self) { try far.receive() }
    }

    @Test func `a peer that is gone is the end`() throws {
        var ends: (FileDescriptor, FileDescriptor)? = try UnixSocket.packetPair()
        let link = WorkerLink(try #require(ends?.0))
        #expect(try WorkerLink(try #require(ends?.1)).send(.cancel(request: 1)))
        ends = nil
        #expect(try link.receive() == .message(.cancel(request: 1)))
        #expect(try link.receive() == .closed)
    }
}
