internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// Whether a job's program is there, as the job would see it: looked up in the inner server's root, which every job's is a
/// copy of, and in what is granted. Where that cannot be told the job is let run, and exec says it. Blocks as the disk
/// does.
struct ProgramSearch: Sendable {
    /// argv[0]
    let program: String
    /// Where it may be, absolute, in the order in which the jail tries.
    private let candidates: [String]
    /// Those of PATH, for a program that is only a name.
    private let folders: [String]?
    /// What the job sees of the host besides.
    private let granted: [String]

    enum Verdict: Sendable, Equatable {
        /// In the part of the root that all jobs have.
        case thereForAll
        /// In what is granted to this one, or it cannot be told.
        case mayBeThere
        /// Why it cannot be executed, for people.
        case absent(String)
    }

    init(_ plan: LaunchPlan) {
        let program = plan.arguments.first ?? ""
        self.program = program
        granted = plan.mounts.map(\.target)
        let slash = UInt8(ascii: "/")
        guard !program.utf8.contains(slash) else {
            folders = nil
            candidates = [program.utf8.first == slash ? program : plan.workingDirectory + "/" + program]
            return
        }
        let variable = plan.environment.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        let path = Substring(variable ?? "/usr/local/bin:/usr/bin:/bin").utf8
        let folders = path.split(separator: UInt8(ascii: ":")).filter { $0.first == slash }.map {
            String(Substring($0))
        }
        self.folders = folders
        candidates = folders.map { $0 + "/" + program }
    }

    /// Equal for searches that come to the same in the part of the root that all jobs have.
    var key: String { candidates.joined(separator: ":") }

    /// - Parameter innerServer: its process.
    func run(innerServer: Int32) -> Verdict {
        guard let root = ForeignRoot(ofProcess: innerServer), !program.isEmpty else { return .mayBeThere }
        var obstacles: [String] = []
        for candidate in candidates {
            switch look(candidate, root) {
            case .thereForAll: return .thereForAll
            case .mayBeThere: return .mayBeThere
            case .absent(let why): if !why.isEmpty { obstacles.append(why) }
            }
        }
        return .absent(obstacles.first ?? notFound)
    }

    private func look(_ path: String, _ root: ForeignRoot) -> Verdict {
        // What is not spelled plainly may lead into the job's own folders.
        let isPlain = PathText.isPlainRelative(String(Substring(path.utf8.dropFirst())))
        // dome's own for adapters lies elsewhere on the host.
        guard path != AdapterJob.workerPath || !isGranted(path) else { return .mayBeThere }
        guard isPlain, !Self.isOwn(path) || isGranted(path) else { return .mayBeThere }
        let seen = root.look(path)
        guard seen == .nothing, !granted.isEmpty else { return verdict(seen, path, isForAll: true) }
        guard let pointer = realpath(path, nil) else {
            return errno == ENOENT || errno == ENOTDIR ? .absent("") : .mayBeThere
        }
        defer { free(pointer) }
        guard let resolved = String(validatingCString: pointer) else { return .mayBeThere }
        if isGranted(resolved) { return verdict(ForeignRoot.lookHere(resolved), path, isForAll: false) }
        if root.look(resolved) != .nothing { return .mayBeThere }
        return .absent(isGranted(path) ? "\(path) leads to \(resolved), which this job does not see" : "")
    }

    private func verdict(_ found: ForeignRoot.Finding, _ path: String, isForAll: Bool) -> Verdict {
        switch found {
        case .file(isExecutable: true): isForAll ? .thereForAll : .mayBeThere
        case .file: .absent("\(path) is not executable: chmod +x it")
        case .folder: .absent("\(path) is a folder")
        case .nothing: .absent("")
        case .unknown: .mayBeThere
        }
    }

    private func isGranted(_ path: String) -> Bool { granted.contains { PathText.contains($0, path) } }

    /// Folders that are each job's own: what lies there comes with its plan.
    private static func isOwn(_ path: String) -> Bool {
        ["/job", "/tmp", "/dev", "/proc", "/var/tmp"].contains { PathText.contains($0, path) }
    }

    private var notFound: String {
        if let folders {
            return
                "there is no \(program.prefix(256)) in \(folders.joined(separator: ", ")); install it there, or grant "
                + "its folder (fs.read) and give its absolute path"
        }
        let path = candidates.first ?? program
        guard ForeignRoot.lookHere(path) != .nothing else { return "there is no \(path.prefix(512))" }
        return "\(path.prefix(512)) is on this host, but a job sees only /usr and what is granted: grant its folder "
            + "(fs.read), or install it below /usr"
    }
}

extension ProgramSearch.Verdict {
    /// As a request is answered.
    var refusal: DomeError? {
        guard case .absent(let why) = self else { return nil }
        return DomeError(.notFound, "the program of this job cannot be executed: \(why)")
    }
}
