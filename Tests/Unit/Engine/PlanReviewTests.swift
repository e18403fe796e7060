import DomeModel
import Testing

@testable import DomeEngine

@Suite struct PlanReviewTests {
    private let job = JobID(createdMilliseconds: 1, random: (2, 3))

    private func bounds() -> PlanBounds {
        var limits = Limits()
        limits.wallMilliseconds = 1_000
        return PlanBounds(
            jobID: job, environment: [("PATH", "/bin"), ("DOMED_JOB_ID", job.text)],
            mounts: [Mount(source: "/srv/a", target: "/srv/a", isWritable: false)], network: .loopback,
            allowsUnixSockets: false, limits: limits, mayUseTerminal: false, taskJSON: #"{"a":1}"#)
    }

    private func review(_ document: String) throws(DomeError) -> LaunchPlan {
        try PlanReview(bounds()).plan(from: Array(document.utf8), executor: "x.test")
    }

    @Test func `a plan that asks for nothing gets what the job has`() throws {
        let plan = try review(#"{"argv":["/bin/true"]}"#)
        #expect(plan.arguments == ["/bin/true"])
        #expect(plan.environment == ["PATH=/bin", "DOMED_JOB_ID=" + job.text])
        #expect(plan.mounts.map(\.source) == ["/srv/a"])
        #expect(plan.network == .loopback)
        #expect(plan.limits.wallMilliseconds == 1_000)
        #expect(plan.files.map(\.path) == [".dome/task.json"])
    }

    @Test(arguments: [
        #"{"argv":["x"],"environment":{"LD_PRELOAD":"/evil.so"}}"#,
        #"{"argv":["x"],"environment":{"DOMED_JOB_ID":"job-of-another"}}"#,
        #"{"argv":["x"],"mounts":[{"path":"/etc/shadow","mode":"read"}]}"#,
        #"{"argv":["x"],"mounts":[{"path":"/srv/a","mode":"write"}]}"#,
        #"{"argv":["x"],"mounts":[{"path":"/srv/ab","mode":"read"}]}"#,
        #"{"argv":["x"],"network":"full"}"#,
        #"{"argv":["x"],"tty":true}"#,
    ])
    func `a plan beyond manifest, policy and grants is denied`(document: String) {
        let error = #expect(throws: DomeError.self) { try review(document) }
        #expect(error?.code == .policyDenied)
        #expect(error?.message.contains("x.test") == true)
    }

    @Test(arguments: [
        "{}", "[]", "", #"{"argv":[]}"#, #"{"argv":[1]}"#, #"{"argv":["a\u0000b"]}"#, #"{"argv":["x"],"cwd":"rel"}"#,
        #"{"argv":["x"],"stdin":"all"}"#, #"{"argv":["x"],"files":[{"path":"../x","text":""}]}"#,
        #"{"argv":["x"],"files":[{"path":"/x","text":""}]}"#,
        #"{"argv":["x"],"files":[{"path":"x","mode":4095,"text":""}]}"#,
        #"{"argv":["x"],"limits":{"wall_ms":0}}"#, #"{"argv":["x"],"limits":{"what":1}}"#,
        #"{"argv":["x"],"network":"some"}"#, #"{"argv":["x"],"environment":{"PATH":1}}"#,
    ])
    func `a malformed plan is refused and never trapped on`(document: String) {
        #expect(throws: DomeError.self) { try review(document) }
    }

    @Test func `a plan may narrow limits and never widen them`() throws {
        let plan = try review(#"{"argv":["x"],"limits":{"wall_ms":5000,"pids":1}}"#)
        #expect(plan.limits.wallMilliseconds == 1_000)
        #expect(plan.limits.processes == 1)
    }

    @Test func `damaged plans never trap`() throws {
        let text = Array(
            #"{"argv":["a","b"],"environment":{"PATH":"x"},"files":[{"path":"p","mode":1,"text":"t"}],"cwd":"/"}"#.utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? PlanReview(bounds()).plan(from: bytes, executor: "x.test")
        }
    }
}
