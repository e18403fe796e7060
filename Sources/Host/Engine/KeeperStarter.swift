package import DomeModel
internal import DomePlatform
internal import Glibc

/// How a keeper is started: as a process of domed's own, or where domed is a service as an instance of a template unit.
/// Then it has a cgroup that is delegated to it, and no restart, upgrade or hardening of domed's unit touches it.
package struct KeeperStarter: Sendable {
    /// domed-keeper's path.
    let program: String
    private let jobsPath: String
    private let extraArguments: [String]
    private let unit: Unit?

    /// A template of the user's service manager.
    package struct Unit: Sendable {
        private let prefix: String
        /// Where the template looks for its instances' arguments: `dome` in the manager's runtime folder.
        private let folder: String

        /// - Parameter template: e.g. "domed-keeper@.service".
        /// - Throws: E_INVALID_REQUEST for anything else.
        package init(template: String, runtimeFolder: String) throws(DomeError) {
            let suffix = "@.service"
            guard template.hasSuffix(suffix), template.utf8.count > suffix.utf8.count, !template.hasPrefix("-"),
                template.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
            else {
                throw DomeError(
                    .invalidRequest,
                    "DOME_KEEPER_UNIT must name a template unit, e.g. domed-keeper@.service, not '\(template)'")
            }
            prefix = String(template.dropLast(suffix.count))
            folder = runtimeFolder
        }

        /// Version and generation: the build is for people, and the generation makes it one of its kind. The build
        /// alone would not do: while a retired keeper still holds jobs, the next is often of the same build.
        private func instance(_ generation: UInt64) -> String { "\(DomeVersion.text)-\(generation)" }

        func name(_ generation: UInt64) -> String { "\(prefix)@\(instance(generation)).service" }

        func argumentsPath(_ generation: UInt64) -> String { "\(folder)/\(prefix)-\(instance(generation))" }
    }

    /// - Parameters:
    ///   - program: domed-keeper's path.
    ///   - jobsPath: the folder of all jobs' folders.
    ///   - unit: nil: as a process of domed's own.
    package init(program: String, jobsPath: String, extraArguments: [String], unit: Unit? = nil) {
        self.program = program
        self.jobsPath = jobsPath
        self.extraArguments = extraArguments
        self.unit = unit
    }

    /// Returns the process to watch: the keeper, or who asks the service manager for it and ends when it is ready. If it
    /// has ended and nobody listens at `socketPath`, nobody ever will.
    func start(socketPath: String, generation: UInt64) throws(DomeError) -> ProcessHandle {
        let arguments =
            ["--socket", socketPath, "--jobs", jobsPath, "--generation", "\(generation)"] + extraArguments
        guard let unit else {
            var keeper = Subprocess(program, ["domed-keeper"] + arguments)
            keeper.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
            keeper.isSessionLeader = true
            return try start(keeper)
        }
        let path = unit.argumentsPath(generation)
        try Files.makeDirectories(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
        try Files.writeAtomically(path, Array(arguments.joined(separator: "\0").utf8))
        return try start(
            Subprocess("/usr/bin/systemctl", ["systemctl", "--user", "--quiet", "start", unit.name(generation)]))
    }

    private func start(_ program: Subprocess) throws(DomeError) -> ProcessHandle {
        var program = program
        program.descriptors = [(try Files.duplicateStandardError(), 2)]
        return try ProcessHandle(try program.start())
    }

    /// Removes what `start` wrote down for the service manager, once the keeper is there or will not come.
    func tidy(generation: UInt64) {
        guard let unit else { return }
        unlink(unit.argumentsPath(generation))
    }

    /// For people.
    func failure(_ generation: UInt64) -> String {
        guard let unit else { return "domed-keeper ended at once" }
        let name = unit.name(generation)
        return "the service manager did not bring up \(name); see journalctl --user -u \(name)"
    }
}
