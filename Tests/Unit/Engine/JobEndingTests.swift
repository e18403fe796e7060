import DomeModel
import Testing

@testable import DomeEngine

@Suite struct JobEndingTests {
    private func report(_ cause: EndCause, status: Int32 = 0, started: Int64 = 1) -> ExitReport {
        var report = ExitReport(cause: cause)
        report.rawWaitStatus = status
        report.startedNanoseconds = started
        return report
    }

    @Test(arguments: [
        (EndCause.exited, Int32(0), JobState.succeeded, "exited"), (.exited, 7 << 8, .failed, "exited"),
        (.exited, 9, .failed, "signaled"), (.canceled, 15, .canceled, "canceled"),
        (.timeout, 9, .failed, "timeout"), (.diskFull, 9, .failed, "disk_full"),
        (.keeperLost, 0, .failed, "keeper_lost"), (.launchFailed, 0, .failed, "launch_failed"),
        (.failedElsewhere, 0x7f, .failed, "failed_elsewhere"), (.executorLost, 0x7f, .failed, "executor_lost"),
        (.pluginFailed, 0x7f, .failed, "plugin_failed"),
    ])
    func `every way to end has its state and reason`(cause: EndCause, status: Int32, state: JobState, reason: String) {
        let ending = JobEnding(report(cause, status: status))
        #expect(ending.state == state)
        #expect(ending.reason == reason)
    }

    @Test func `a tool killed by 9 is no exit 255`() {
        let ending = JobEnding(report(.exited, status: 9))
        #expect(ending.exitCode == nil)
        #expect(ending.signal == 9)
    }

    @Test func `what never started has no exit code`() {
        let ending = JobEnding(report(.canceled, status: 0, started: 0))
        #expect(ending.exitCode == nil)
        for cause in [EndCause.launchFailed, .canceled, .failedElsewhere, .executorLost, .pluginFailed] {
            #expect(JobEnding(report(cause, started: 0)).from == .queued)
        }
    }

    @Test func `what was driven elsewhere may have no status, and says why it failed`() {
        #expect(JobEnding(report(.canceled, status: 0x7f)).exitCode == nil)
        var failed = report(.exited, status: 3 << 8)
        failed.message = "node on fire"
        #expect(JobEnding(failed).message == "exited with code 3: node on fire")
    }

    @Test func `the terminal event says all that recovery needs`() throws {
        for cause in [EndCause.exited, .canceled, .timeout, .keeperLost] {
            for status: Int32 in [0, 3 << 8, 9] {
                let ending = JobEnding(report(cause, status: status))
                #expect(JobEnding(payload: ending.payload(artifacts: 2)) == ending)
            }
        }
        #expect(JobEnding(payload: Array(#"{"from":"queued","to":"running"}"#.utf8)) == nil)
        #expect(JobEnding(payload: [0xff]) == nil)
    }
}
