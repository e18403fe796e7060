// Unit tests of the room Link: messages through their bytes, and channels over real sockets.
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// What domed and keeper say, through bytes and back.
struct LinkTests {
    static let jobID = JobID(createdMilliseconds: 1_763_600_000_000, random: (42, 7))

    static var plan: LaunchPlan {
        var plan = LaunchPlan(jobID: jobID, arguments: ["/bin/sh", "-c", "ä\u{1F600}"], environment: ["A=", "B=c d"])
        plan.workingDirectory = "/job/x"
        plan.standardInput = .bytes([0, 255, 10])
        plan.files = [
            PlannedFile(path: "a/b", mode: 0o755, bytes: [1, 2]), PlannedFile(path: "c", mode: 0, bytes: []),
        ]
        plan.mounts = [Mount(source: "/a", target: "/b", isWritable: true, device: 7, inode: .max)]
        plan.network = .loopback
        plan.allowsUnixSockets = true
        plan.limits.wallMilliseconds = 1
        plan.limits.idleFlushMilliseconds = .max
        plan.usesTerminal = true
        return plan
    }

    static var requests: [KeeperRequest] {
        let event = LinkEvent(.guard, Array("{}".utf8))
        return [
            .hello(oldest: 1, current: 3), .launch(KeeperLaunch(plan: plan, isGated: true, runningEvent: event)),
            .launch(KeeperLaunch(plan: plan, isGated: false, runningEvent: nil)), .go(jobID), .abort(jobID),
            .cancel(jobID, event: event), .cancel(jobID, event: nil), .appendEvent(jobID, number: .max, event),
            .release(jobID), .list, .retire,
        ]
    }

    static var replies: [KeeperReply] {
        let head = KeeperHead(jobID: jobID, lastSeq: 5, byteLength: 1 << 40)
        var report = ExitReport(cause: .diskFull)
        report.rawWaitStatus = -1
        report.message = "why"
        report.endedNanoseconds = -5
        var server = KeeperInnerServer(hasHostNetwork: true, state: .unusable, processID: 3, layers: 6, message: "no")
        server.requiredLayers = 1 << 63
        server.requiredLayersWithSockets = 1 << 62
        server.jobUserID = 65_534
        server.systemPaths = ["/usr", "/etc/ä"]
        return [
            .hello(KeeperHello(version: 1, generation: 9, processID: 77, isRetired: true)),
            .innerServer(server),
            .job(KeeperJob(phase: .gated, head: head, startedNanoseconds: 1)), .listEnd, .prepared(jobID),
            .started(jobID, startedNanoseconds: 123, seq: 2), .refused(jobID, code: .lockConflict, message: "taken"),
            .heads([head, head]), .heads([]), .exited(KeeperExit(report: report, head: head)), .aborted(jobID),
            .appended(jobID, number: 1, seq: nil), .appended(jobID, number: 2, seq: 8),
        ]
    }

    @Test func `every request survives its bytes`() throws {
        for request in Self.requests {
            let bytes = request.bytes
            #expect(try bytes.withBytes { raw throws(DomeError) in try KeeperRequest.decode(raw) } == request)
        }
    }

    @Test func `every reply survives its bytes`() throws {
        for reply in Self.replies {
            let bytes = reply.bytes
            #expect(try bytes.withBytes { raw throws(DomeError) in try KeeperReply.decode(raw) } == reply)
        }
    }

    @Test func `a message cut short is an error, a longer one is a later version's`() throws {
        for bytes in Self.requests.map(\.bytes) {
            for count in 0..<bytes.count {
                #expect(throws: DomeError.self) {
                    try Array(bytes[..<count]).withBytes { raw throws(DomeError) in try KeeperRequest.decode(raw) }
                }
            }
            let longer = bytes + [1, 2, 3]
            #expect(try longer.withBytes { raw throws(DomeError) in try KeeperRequest.decode(raw) } != nil)
        }
    }

    @Test func `an unknown kind is ignored`() throws {
        let unknown: [UInt8] = [0xe7, 0x03, 1, 2, 3]
        #expect(try unknown.withBytes { raw throws(DomeError) in try KeeperRequest.decode(raw) } == nil)
        #expect(try unknown.withBytes { raw throws(DomeError) in try KeeperReply.decode(raw) } == nil)
    }

    @Test func `random bytes never trap`() throws {
        var generator = SystemRandomNumberGenerator()
        let seeds = Self.requests.map(\.bytes) + Self.replies.map(\.bytes)
        for _ in 0..<20_000 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...6, using: &generator) where bytes.count > 2 {
                bytes[Int.random(in: 2..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.withUnsafeBytes { raw in
                do throws(DomeError) { _ = try KeeperRequest.decode(raw) } catch { #expect(error.code == .internal) }
                do throws(DomeError) { _ = try KeeperReply.decode(raw) } catch { #expect(error.code == .internal) }
            }
        }
    }

    @Test func `two programs speak the newest version both know`() {
        #expect(LinkVersion.common(peerOldest: 1, peerCurrent: 5) == LinkVersion.current)
        #expect(LinkVersion.common(peerOldest: LinkVersion.current + 1, peerCurrent: 99) == nil)
        #expect(LinkVersion.common(peerOldest: 0, peerCurrent: 0) == nil)
    }
}
