package import DomeModel
internal import DomePlatform

extension Core {
    private static let ownThread = Result { () throws(DomeError) in
        try startThread(named: "core") { Core.run() }
    }

    /// Sees to it that the core runs, on a thread of its own, from the first call on. For tests: those of several
    /// rooms run in one process, and there is one core in it. A program gives the core its main thread (`run`).
    package nonisolated static func startOwnThread() throws(DomeError) { try ownThread.get() }
}
