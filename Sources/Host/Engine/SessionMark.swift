internal import DomeModel
internal import DomePlatform
internal import Glibc

/// How a daemon sees that the session which the last one ran in has ended: logging out, and a restart of the machine,
/// empty the runtime folder. An empty file in it stands for the session, and one in the state folder names that file.
struct SessionMark {
    private let markPath: String
    private let notePath: String
    private let isUsed: Bool

    init(_ directories: Directories) {
        markPath = directories.socketPath.dropLast(".sock".count) + ".session"
        notePath = directories.state + "/session"
        // Without a runtime folder everything lies in the state folder, which no logout empties.
        isUsed = !directories.runtime.hasPrefix(directories.state)
    }

    /// Whether it has ended since the last daemon of this state folder came here; from now on this one is meant.
    func renew() -> Bool {
        guard isUsed else { return false }
        let noted = (try? Files.read(notePath, limitBytes: 4096)).map { String(decoding: $0, as: UTF8.self) }
        let hasEnded = noted.map { !Files.exists($0) } ?? false
        do throws(DomeError) {
            if noted != markPath { try Files.writeAtomically(notePath, Array(markPath.utf8)) }
            if !Files.exists(markPath) { try Files.createEmpty(markPath) }
        } catch {
            // Jobs that end with this session will be said to have lost their keeper, which is true as well.
            Log.warning("session.not_marked", ["error": error.description])
        }
        return hasEnded
    }

    /// What a daemon that is a service says to a user whose service manager ends with the last session; nil elsewhere.
    static var lingerProblem: String? {
        guard let name = serviceUser, !Files.exists("/var/lib/systemd/linger/" + name) else { return nil }
        return "jobs end with your last session; to let them outlive it: sudo loginctl enable-linger \(name)"
    }

    /// Nil where no service manager of a user started this process.
    private static let serviceUser: String? = {
        guard getenv("SYSTEMD_EXEC_PID") != nil, getenv("DOME_KEEPER_UNIT") != nil,
            let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name
        else { return nil }
        return String(cString: name)
    }()
}
