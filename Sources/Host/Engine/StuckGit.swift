internal import DomeModel
internal import DomePlatform
internal import Synchronization

/// Processes of git that not even SIGKILL ends, because they wait for a mount whose server is gone. There is one for a
/// folder at most, and some for all of them: as long as it is there, git is not asked about that folder again.
enum StuckGit {
    private static let survivors = Mutex([String: Subprocess.Survivor]())
    /// With that many, git is asked nothing more.
    private static let limit = 8

    static func add(_ survivor: Subprocess.Survivor, in folder: String) {
        Log.warning("git.stuck", ["folder": folder, "pid": "\(survivor.processID)"])
        survivors.withLock { $0[folder] = survivor }
    }

    /// Whether asking git about `folder` would only leave another one. Reaps those that have ended since.
    static func isHeldUp(in folder: String) -> Bool {
        survivors.withLock { survivors in
            guard !survivors.isEmpty else { return false }
            survivors = survivors.filter { !$0.value.hasBeenReaped() }
            return survivors[folder] != nil || survivors.count >= limit
        }
    }
}
