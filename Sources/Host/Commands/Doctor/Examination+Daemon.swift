import DomeAsync
import DomeClient
import DomeModel

// The daemon, if one runs.
extension Examination {
    @Core
    mutating func examineDaemon(_ invocation: Invocation) async {
        let status: DaemonStatus
        do throws(CommandFailure) {
            let client = try invocation.client()
            status = try await calling { () async throws(ClientError) in try await client.status() }
        } catch {
            // Not running is no fault: the next command starts it.
            return note(error.status == ExitStatus.unavailable ? .remark : .failed, "daemon", error.message)
        }
        note(.good, "daemon", "domed \(status.serverVersion), process \(status.pid), at \(status.endpoint)")
        if !status.versionAdvice.isEmpty { note(.remark, "version", status.versionAdvice) }
        for server in JSONValue.embedded(status.sandboxReportJSON).arrayValue ?? [] {
            let network = server["network"]?.stringValue ?? "?"
            guard server["state"]?.stringValue != "ready" else { continue }
            note(
                server["state"]?.stringValue == "unusable" ? .failed : .remark, "daemon's sandbox",
                "net \(network): " + (server["message"]?.stringValue ?? "not ready"))
        }
        if status.isSandboxWhole { note(.good, "daemon's sandbox", "every layer is in force") }
        for problem in status.problems { note(.remark, "daemon", problem) }
    }
}
