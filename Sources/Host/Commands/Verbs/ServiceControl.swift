import DomeAsync
import DomeModel
import DomePlatform
import Glibc

extension Verb {
    /// `dome service start`
    static let serviceStart = Verb(
        words: ["service", "start"], summary: "start the daemon's service",
        details: ["A daemon that was started without systemd is taken over, with its jobs."],
        examples: ["dome service start"]
    ) { invocation throws(CommandFailure) in
        try control(invocation, "started") { (manager) throws(CommandFailure) in
            try manager.order("start", manager.socket, manager.service)
        }
    }

    /// `dome service stop`
    static let serviceStop = Verb(
        words: ["service", "stop"], summary: "stop the daemon's service; jobs go on",
        details: ["Its socket, too: nothing starts it again until 'dome service start', or another dome command."],
        examples: ["dome service stop"]
    ) { invocation throws(CommandFailure) in
        try control(invocation, "stopped") { (manager) throws(CommandFailure) in
            try manager.order("stop", manager.socket, manager.service)
        }
    }

    /// `dome service restart`
    static let serviceRestart = Verb(
        words: ["service", "restart"], summary: "start the daemon anew, e.g. after an upgrade; jobs go on",
        examples: ["dome service restart"]
    ) { invocation throws(CommandFailure) in
        try control(invocation, "restarted") { (manager) throws(CommandFailure) in
            try manager.order("restart", manager.service)
        }
    }

    @Core
    private static func control(
        _ invocation: Invocation, _ done: String, _ body: (ServiceManager) throws(CommandFailure) -> Void
    ) throws(CommandFailure) -> Int32 {
        let manager = try installedManager()
        try body(manager)
        try invocation.print(
            json: ["service": .string(manager.service), "done": .string(done)], text: "\(manager.service) is \(done)\n")
        return ExitStatus.success
    }

    /// The manager, where it has the service.
    static func installedManager() throws(CommandFailure) -> ServiceManager {
        let manager = try ServiceManager(try local { () throws(DomeError) in try Directories() })
        guard manager.properties(manager.service, ["LoadState"])["LoadState"] == "loaded" else {
            throw CommandFailure(
                "there is no \(manager.service): run 'dome service install'", status: ExitStatus.notFound)
        }
        return manager
    }

    /// `dome service status`
    static let serviceStatus = Verb(
        words: ["service", "status"], summary: "show how the daemon's service is",
        details: ["Exits with 0 if its socket listens, with 1 if not."],
        examples: ["dome service status"]
    ) { invocation throws(CommandFailure) in
        let manager = try installedManager()
        let socket = manager.properties(manager.socket, ["ActiveState", "UnitFileState", "Listen"])
        let service = manager.properties(manager.service, ["ActiveState", "SubState", "MainPID", "NRestarts"])
        let isListening = socket["ActiveState"] == "active"
        var fields = Fields()
        fields.add("socket", "\(socket["ActiveState"] ?? "?"), \(socket["UnitFileState"] ?? "?")")
        fields.add("listens at", (socket["Listen"] ?? "").replacing(" (Stream)", with: ""))
        let process = service["MainPID"].flatMap { $0 == "0" ? nil : ", process \($0)" } ?? ""
        fields.add("service", (service["ActiveState"] ?? "?") + process)
        fields.add("restarts", service["NRestarts"] ?? "")
        fields.add("keepers", manager.keepers.joined(separator: "\n"))
        fields.add("lingering", ServiceManager.isLingering ? "yes" : "no: " + ServiceManager.lingerAdvice)
        let document: JSONValue = [
            "socket": .string(manager.socket), "socket_state": .string(socket["ActiveState"] ?? ""),
            "enabled": .bool(socket["UnitFileState"] == "enabled"), "service": .string(manager.service),
            "service_state": .string(service["ActiveState"] ?? ""),
            "pid": .integer(service["MainPID"].flatMap { Int64($0) } ?? 0),
            "restarts": .integer(service["NRestarts"].flatMap { Int64($0) } ?? 0),
            "keepers": .array(manager.keepers.map { .string($0) }), "lingering": .bool(ServiceManager.isLingering),
        ]
        try invocation.print(json: document, text: fields.text(style: invocation.style))
        return isListening ? ExitStatus.success : ExitStatus.failure
    }

    /// `dome service logs`
    static let serviceLogs = Verb(
        words: ["service", "logs"], summary: "show what the daemon and its keepers have logged",
        details: [
            "Runs journalctl; a daemon that dome started by itself logs to domed.log in the state folder instead."
        ],
        options: [
            OptionSpec("--follow", short: "-f", help: "go on as it comes"),
            OptionSpec("--lines", short: "-n", value: "N", help: "that many lines (default 100)"),
        ],
        examples: ["dome service logs -f", "dome service logs -n 20 -o json"]
    ) { invocation throws(CommandFailure) in
        let manager = try installedManager()
        let lines = invocation.value("--lines") ?? "100"
        guard let count = UInt32(lines) else { throw .usage("--lines must be a whole number, not '\(lines)'") }
        var arguments = ["journalctl", "--user", "--no-pager", "--lines=\(count)"]
        arguments += ["--unit=" + manager.service, "--unit=" + manager.keeperPattern]
        if invocation.has("--follow") { arguments.append("--follow") }
        if invocation.isJSON { arguments.append("--output=json") }
        try Output.stdout.flush()
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        execv("/usr/bin/journalctl", &pointers)
        throw CommandFailure("journalctl cannot be started", status: ExitStatus.notFound)
    }
}
