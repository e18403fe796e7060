package import DomeCatalog
internal import DomeModel
internal import DomePlatform

extension Engine {
    /// Reads the settings again. What can change at once does; what waits for a restart, and a file that is refused, is
    /// remarked on in the status. Refused settings change nothing.
    package func reloadConfiguration() async -> Configuration? {
        let path = directories.config + "/config.json"
        do throws(DomeError) {
            let found = try await rules.loadConfiguration(path)
            reconfigure(found)
            return configuration
        } catch {
            configurationRemark = "\(error.message); the settings from before are in force"
            Log.error("config.refused", ["error": error.description])
            return nil
        }
    }

    private func reconfigure(_ found: Configuration) {
        let waiting = found.keysChanged(from: startConfiguration).filter { $0.effect == .restart }.map(\.key)
        let next = found.keepingWhatNeedsARestart(of: startConfiguration)
        let changed = next.keysChanged(from: configuration).map(\.key)
        configuration = next
        configurationRemark =
            waiting.isEmpty ? nil : "\(waiting.joined(separator: ", ")) will change when domed is started again"
        Log.info(
            "config.reloaded",
            ["changed": changed.joined(separator: ","), "need_restart": waiting.joined(separator: ",")])
        // There may be more places than before.
        startWaiting()
    }
}
