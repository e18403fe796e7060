import DomeAsync
import DomeClient
import DomeModel
import DomePlatform
import Glibc

/// Where the bytes of artifacts go to: a terminal, a file, a folder.
@Core
enum ArtifactOutput {
    static func print(_ reader: ArtifactReader, evenToTerminal isForced: Bool) async throws(CommandFailure) {
        let isCareful = Output.stdout.isTerminal && !isForced
        while let piece = try await next(reader) {
            guard !isCareful || !drivesTerminal(piece) else {
                throw CommandFailure(
                    "'\(reader.artifact.name)' has bytes that can drive a terminal; save it with -O FILE, or see it "
                        + "with | less", status: ExitStatus.failure)
            }
            try Output.stdout.write(piece)
        }
    }

    private static func drivesTerminal(_ bytes: [UInt8]) -> Bool {
        bytes.contains { byte in byte < 0x20 && ![0x09, 0x0a, 0x0d].contains(byte) || byte == 0x7f }
    }

    /// Writes to a file that was not there, or in place of one: then by a rename, so that a link is replaced and not
    /// written through, and the old bytes stay until the new ones are whole. Returns how many bytes it has.
    @discardableResult
    static func save(
        _ reader: ArtifactReader, to path: String, replacing isForced: Bool, _ note: (Int) -> Void = { _ in }
    ) async throws(CommandFailure) -> UInt64 {
        let target = isForced ? "\(path).\(Files.processID).tmp" : path
        // A link that leads nowhere is there as well.
        var status = stat()
        if !isForced, lstat(path, &status) == 0 {
            throw CommandFailure("\(path) exists; --force replaces it", status: ExitStatus.dataError)
        }
        let output = try local { () throws(DomeError) in
            try Files.open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666)
        }
        var count: UInt64 = 0
        do throws(CommandFailure) {
            while let piece = try await next(reader) {
                try local { () throws(DomeError) in try Files.writeAll(output, piece, what: target) }
                count += UInt64(piece.count)
                note(piece.count)
            }
            if isForced { try local { () throws(DomeError) in try Files.rename(target, to: path) } }
        } catch {
            unlink(target)
            throw error
        }
        return count
    }

    /// Saves each under its name. The folder has to be new or empty: so no link that lies in it leads elsewhere, and
    /// nothing is mixed with what was there. Returns how many bytes they have.
    static func saveAll(
        _ artifacts: [Artifact], of jobID: String, _ client: DaemonClient, to folder: String
    ) async throws(CommandFailure) -> UInt64 {
        let isNew = try local { () throws(DomeError) in
            try Files.makeDirectories(folder, mode: 0o777)
            return try Files.list(folder).isEmpty
        }
        guard isNew else {
            throw CommandFailure(
                "\(folder) is not empty: name a folder that is, or a new one", status: ExitStatus.dataError)
        }
        let bar = ProgressBar(.stderr)
        defer { bar.close() }
        let total = artifacts.reduce(UInt64(0)) { $0 &+ $1.byteCount }
        var count: UInt64 = 0
        for artifact in artifacts {
            guard PathText.isPlainRelative(artifact.name) else {
                throw CommandFailure(
                    "domed calls a file '\(artifact.name)', which is no path below a folder",
                    status: ExitStatus.dataError)
            }
            let path = folder + "/" + artifact.name
            if let slash = path.lastIndex(of: "/") {
                try local { () throws(DomeError) in try Files.makeDirectories(String(path[..<slash]), mode: 0o777) }
            }
            let reader = try await Verb.reading { () async throws(ClientError) in
                try await ArtifactReader(client, jobID, artifact.name)
            }
            try await save(reader, to: path, replacing: false) { written in
                count += UInt64(written)
                bar.set(total == 0 ? 100 : Double(count) / Double(total) * 100)
                bar.draw()
            }
        }
        return count
    }

    private static func next(_ reader: ArtifactReader) async throws(CommandFailure) -> [UInt8]? {
        try await Verb.reading { () async throws(ClientError) in try await reader.next() }
    }
}
