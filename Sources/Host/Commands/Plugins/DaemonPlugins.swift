import DomeAsync
import DomeClient

extension Invocation {
    /// The plugins as the daemon has them, which looks at them anew for this: what follows in a script finds them as they
    /// are now. Nil when none runs; none is started.
    @Core
    func pluginsOfDaemon(
        id: String = "", withHealth: Bool = false
    ) async throws(CommandFailure) -> [PluginSummary]? {
        var quiet = self
        quiet.options["--no-start"] = [""]
        let client = try quiet.client()
        do throws(CommandFailure) {
            return try await calling { () async throws(ClientError) in
                try await client.plugins(id: id, withHealth: withHealth)
            }
        } catch {
            guard error.status == ExitStatus.unavailable else { throw error }
            return nil
        }
    }
}
