import DomeAsync
import DomeClient
import DomeModel
import DomePlatform

extension Verb {
    /// `dome service install`
    static let serviceInstall = Verb(
        words: ["service", "install"], summary: "have systemd start and watch the daemon for you",
        details: [
            "Enables domed.socket in your service manager: the daemon starts with the first client, is started again "
                + "when it crashes, and its jobs outlive its restarts. Where the system's installation has no units, "
                + "they are written to ~/.config/systemd/user. A daemon that runs already is taken over, jobs and all. "
                + "Doing it again changes nothing.",
            "The service ends with your last session unless you linger: 'sudo loginctl enable-linger'.",
        ],
        options: [OptionSpec("--dry-run", help: "show what would be done, and do nothing")],
        examples: ["dome service install", "dome service install --dry-run"]
    ) { invocation async throws(CommandFailure) in
        let directories = try local { () throws(DomeError) in try Directories() }
        let manager = try ServiceManager(directories)
        let changes = try UnitFiles(directories).wanted()
        let isDryRun = invocation.has("--dry-run")
        if !isDryRun {
            let client = try invocation.withoutStart.client()
            let isRunning = (try? await client.health()) != nil
            do throws(CommandFailure) { try changes.apply() } catch {
                _ = try? UnitFiles(directories).unwanted().apply()
                throw CommandFailure(
                    "\(error.message); without a service, dome starts its daemon by itself when it is needed",
                    status: error.status)
            }
            try manager.order("daemon-reload")
            try manager.order("enable", "--now", "--quiet", manager.socket)
            // The service takes over from a daemon that was started without it.
            if isRunning { try manager.order("start", manager.service) }
        }
        let advice = ServiceManager.isLingering ? "" : "note: " + ServiceManager.lingerAdvice + "\n"
        let closing = isDryRun ? "nothing was changed\n" : "\(manager.socket) is enabled and listens\n" + advice
        try invocation.print(
            json: [
                "socket": .string(manager.socket), "service": .string(manager.service), "dry_run": .bool(isDryRun),
                "lingering": .bool(ServiceManager.isLingering), "changes": changes.json,
            ],
            text: changes.text(isDryRun: isDryRun) + closing)
        return ExitStatus.success
    }

    /// `dome service uninstall`
    static let serviceUninstall = Verb(
        words: ["service", "uninstall"], summary: "take the daemon out of systemd again",
        details: [
            "Stops the daemon and removes what 'dome service install' added. Jobs that run would end with their "
                + "keepers: while there are any, this is refused without --end-jobs. Records and settings stay."
        ],
        options: [OptionSpec("--end-jobs", help: "end the jobs that run")],
        examples: ["dome service uninstall", "dome service uninstall --end-jobs"]
    ) { invocation async throws(CommandFailure) in
        let directories = try local { () throws(DomeError) in try Directories() }
        let manager = try ServiceManager(directories)
        let changes = try UnitFiles(directories).unwanted()
        if !invocation.has("--end-jobs") { try await refuseIfJobsRun(invocation) }
        _ = manager.run("disable", "--now", "--quiet", manager.socket, manager.service)
        _ = manager.run("stop", manager.socket, manager.service)
        let keepers = manager.keepers
        if !keepers.isEmpty {
            // Told to stop, a keeper waits for its jobs.
            _ = manager.run(["kill", "--signal=KILL", "--kill-who=all"] + keepers)
            _ = manager.run(["stop"] + keepers)
        }
        try changes.apply()
        try manager.order("daemon-reload")
        _ = manager.run("reset-failed", manager.socket, manager.service, manager.keeperPattern)
        try invocation.print(
            json: ["changes": changes.json, "state_directory": .string(directories.state)],
            text: changes.text(isDryRun: false)
                + "the service is gone; records stay in \(directories.state), settings in \(directories.config)\n")
        return ExitStatus.success
    }

    @Core
    private static func refuseIfJobsRun(_ invocation: Invocation) async throws(CommandFailure) {
        let client = try invocation.withoutStart.client()
        guard let status = try? await client.status() else { return }
        let count = status.jobsRunning + status.jobsQueued
        guard count == 0 else {
            throw CommandFailure(
                "\(count) jobs run or wait ('dome jobs'): wait for them, cancel them, or end them with --end-jobs",
                status: ExitStatus.temporary)
        }
    }
}

extension Invocation {
    /// The same, but that no daemon is started for it.
    var withoutStart: Invocation {
        var quiet = self
        quiet.options["--no-start"] = [""]
        return quiet
    }
}
