package import DomeModel
internal import DomePlatform
internal import Glibc

/// Runs /bin/true through the whole profile, so that a host which cannot enforce it is known before the first
/// job and named in `dome status`, `dome doctor` and refusals.
package enum JailProbe {
    package struct Report: Sendable, Equatable {
        /// What was in force around the probe.
        package var layers: EnforcedLayers = []
        /// What should have been and was not; jobs are refused unless this is empty.
        package var missing: EnforcedLayers
        /// Why, when the jail could not even be entered.
        package var failure: DomeError?

        package var isComplete: Bool { missing.isEmpty && failure == nil }
    }

    /// Blocks until the probe has ended, `timeoutMilliseconds` at most; never call it on the core's thread.
    package static func run(_ configuration: JailServer.Configuration, timeoutMilliseconds: Int64 = 10_000) -> Report {
        let required = EnforcedLayers.required(
            hasHostNetwork: configuration.hasHostNetwork, isRoot: JailServer.isPrivileged)
        do throws(DomeError) {
            let exit = try runTrue(configuration, timeoutMilliseconds)
            var report = Report(layers: exit.layers, missing: required.subtracting(exit.layers))
            if exit.rawWaitStatus != 0 || !exit.hasExecuted {
                report.failure = DomeError(
                    .internal, "the probe of the jail ended with wait status \(exit.rawWaitStatus) instead of 0")
            }
            return report
        } catch {
            return Report(missing: required, failure: error)
        }
    }

    private static func runTrue(
        _ configuration: JailServer.Configuration, _ timeoutMilliseconds: Int64
    ) throws(DomeError) -> JailExit {
        var plan = LaunchPlan(
            jobID: JobID(createdMilliseconds: 0, random: (0, 0)), arguments: ["/bin/true"],
            environment: ["PATH=/usr/bin:/bin"])
        plan.limits.diskBytes = 1 << 20
        let server = try JailServer(configuration)
        defer { reap(server) }
        try server.startOnly(token: 1, JailSpec(plan), JailServer.Descriptors())
        let deadline = Clock.monotonicNanoseconds() + timeoutMilliseconds * 1_000_000
        while true {
            switch try server.receive() {
            case .reply(.exited(_, let exit)): return exit
            case .reply(.failed(_, let failure)), .reply(.unusable(let failure)): throw failure.error
            case .reply: continue
            case .closed: throw DomeError(.internal, "the inner server died during its probe")
            case .nothing: break
            }
            let left = (deadline - Clock.monotonicNanoseconds()) / 1_000_000
            guard left > 0 else { throw DomeError(.timeout, "the probe of the jail did not end in time") }
            var poller = pollfd(fd: server.replies.number, events: Int16(POLLIN), revents: 0)
            poll(&poller, 1, Int32(clamping: left))
        }
    }

    private static func reap(_ server: JailServer) {
        Glibc.kill(server.processID, SIGKILL)
        while waitpid(server.processID, nil, 0) < 0, errno == EINTR {}
    }
}
