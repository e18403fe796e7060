import DomeClient
import DomeCrypto
import DomeModel
import DomePlatform
import Glibc

extension Verb {
    /// `dome artifacts`
    static let artifacts = Verb(
        words: ["artifacts"], summary: "list the files that a job left in /job/out, print or save one",
        details: [
            "Without PATH the files are listed. With it that file is printed, or saved with -O; only after its bytes "
                + "were found to be those that the job left.",
            "In PATH, as in the list, bytes of a name that are not UTF-8, controls and hidden characters are %XX.",
        ],
        positionals: [
            PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs),
            PositionalSpec("PATH", help: "what the job called the file, below /job/out", isOptional: true),
        ],
        options: [
            OptionSpec("--save", short: "-O", value: "FILE", help: "save to this file", completion: .files),
            OptionSpec("--force", help: "replace FILE, or print bytes that can drive a terminal to one"),
        ],
        examples: ["dome artifacts job-01k…", "dome artifacts job-01k… report/index.html -O index.html"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let name = invocation.argument(1)
        if name.isEmpty, invocation.has("--save") { throw .usage("-O needs PATH: which file to save") }
        let client = try invocation.client()
        let job = try await calling { () async throws(ClientError) in try await client.job(id) }
        guard !name.isEmpty else {
            try invocation.print(json: job.artifactsJSON, text: job.artifactsText(style: invocation.style))
            return ExitStatus.success
        }
        guard let artifact = job.artifacts.first(where: { $0.name == name }) else {
            throw CommandFailure(
                "\(id) has no artifact '\(name)'; 'dome artifacts \(id)' lists those it has",
                status: ExitStatus.notFound)
        }
        let file = try ArtifactFile(artifact)
        guard let path = invocation.value("--save") else {
            try file.print(evenToTerminal: invocation.has("--force"))
            return ExitStatus.success
        }
        try file.save(to: path, replacing: invocation.has("--force"))
        try invocation.print(
            json: ["saved": .string(path), "artifact": artifact.json],
            text: "saved \(Rendered.line(path)), \(Quantity.text(bytes: artifact.byteCount))\n")
        return ExitStatus.success
    }
}

extension JobDetail {
    fileprivate var artifactsJSON: JSONValue {
        [
            "job_id": .string(summary.jobID), "state": .string(summary.state?.name ?? "unknown"),
            "artifacts": .array(artifacts.map(\.json)),
        ]
    }

    fileprivate func artifactsText(style: Style) -> String {
        var output = ""
        if artifacts.isEmpty {
            let isOver = summary.state?.isTerminal ?? true
            output =
                isOver ? "no artifacts\n" : "no artifacts yet: what the job leaves in /job/out is kept when it ends\n"
        } else {
            var table = Table(["PATH", "SIZE", "SHA-256"])
            for artifact in artifacts {
                table.add([artifact.name, Quantity.text(bytes: artifact.byteCount), artifact.sha256])
            }
            output = table.text(width: nil, style: style)
        }
        let products = JSONValue.embedded(provenanceJSON)["products"]
        if let count = products?["artifacts_left_out"]?.integerValue {
            output += "\(count) more left out; 'dome logs \(summary.jobID)' says why\n"
        }
        if products?["artifacts_lost"]?.boolValue == true {
            output += "lost with the keeper or for want of room; 'dome logs \(summary.jobID)' says more\n"
        }
        return output
    }
}

/// The daemon's copy of an artifact, whose bytes are those of the record.
private struct ArtifactFile {
    private let artifact: Artifact
    private let file: FileDescriptor

    /// Opens it, which takes to be the daemon's user on the daemon's machine, and compares its SHA-256.
    init(_ artifact: Artifact) throws(CommandFailure) {
        self.artifact = artifact
        let found: (FileDescriptor, FileDigest)
        do throws(DomeError) {
            let file = try Files.open(artifact.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            found = (file, try SHA256.digest(ofDescriptor: file.number, what: artifact.path))
        } catch {
            throw CommandFailure(
                "\(error.message). Artifacts are read where the daemon keeps them: on its machine, as its user",
                status: ExitStatus.notFound)
        }
        file = found.0
        guard found.1.digest.hex == artifact.sha256 else {
            throw CommandFailure(
                "\(artifact.path) is not what the job left: its SHA-256 is \(found.1.digest.hex), the record says "
                    + artifact.sha256, status: ExitStatus.dataError)
        }
    }

    func print(evenToTerminal isForced: Bool) throws(CommandFailure) {
        let isCareful = Output.stdout.isTerminal && !isForced
        try eachPiece { piece throws(CommandFailure) in
            guard !isCareful || !Self.drivesTerminal(piece) else {
                throw CommandFailure(
                    "'\(artifact.name)' has bytes that can drive a terminal; save it with -O FILE, or see it with | less",
                    status: ExitStatus.failure)
            }
            try Output.stdout.write(Array(piece))
        }
    }

    private static func drivesTerminal(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.contains { byte in byte < 0x20 && ![0x09, 0x0a, 0x0d].contains(byte) || byte == 0x7f }
    }

    /// Writes to a file that was not there, or in place of one: then by a rename, so that a link is replaced and not
    /// written through, and the old bytes stay until the new ones are whole.
    func save(to path: String, replacing isForced: Bool) throws(CommandFailure) {
        let target = isForced ? "\(path).\(Files.processID).tmp" : path
        // A link that leads nowhere is there as well.
        var status = stat()
        if !isForced, lstat(path, &status) == 0 {
            throw CommandFailure("\(path) exists; --force replaces it", status: ExitStatus.dataError)
        }
        let output = try local { () throws(DomeError) in
            try Files.open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666)
        }
        do throws(CommandFailure) {
            try eachPiece { piece throws(CommandFailure) in
                try local { () throws(DomeError) in try output.writeAll(piece, what: target) }
            }
            if isForced { try local { () throws(DomeError) in try Files.rename(target, to: path) } }
        } catch {
            unlink(target)
            throw error
        }
    }

    private func eachPiece(
        _ body: (UnsafeRawBufferPointer) throws(CommandFailure) -> Void
    ) throws(CommandFailure) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        while offset < artifact.byteCount {
            let wanted = Int(min(UInt64(buffer.count), artifact.byteCount - offset))
            let count = pread(file.number, buffer.baseAddress, wanted, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = count < 0 ? String(cString: strerror(errno)) : "it ends too early"
                throw CommandFailure("cannot read \(artifact.path): \(reason)", status: ExitStatus.failure)
            }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += UInt64(count)
        }
    }
}
