import DomeAsync
import DomeClient
import DomeModel

extension Verb {
    /// `dome artifacts`
    static let artifacts = Verb(
        words: ["artifacts"], summary: "list the files that a job left in /job/out, print or save them",
        details: [
            "Without PATH the files are listed. With it that file is printed, or saved with -O, or a range of it. --to "
                + "saves all of them. Nothing is passed on but bytes that were found to be those that the job left.",
            "In PATH, as in the list, bytes of a name that are not UTF-8, controls and hidden characters are %XX.",
        ],
        positionals: [
            PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs),
            PositionalSpec("PATH", help: "what the job called the file, below /job/out", isOptional: true),
        ],
        options: [
            OptionSpec("--save", short: "-O", value: "FILE", help: "save to this file", completion: .files),
            OptionSpec("--offset", value: "SIZE", help: "begin there, e.g. 4096 or 1MiB"),
            OptionSpec("--length", value: "SIZE", help: "no more than that of it"),
            OptionSpec(
                "--to", value: "DIR", help: "save all files below this folder, which is new or empty",
                completion: .files),
            OptionSpec("--sums", help: "list SHA-256 and path as sha256sum(1) does, which then checks them"),
            OptionSpec("--force", help: "replace FILE, or print bytes that can drive a terminal to one"),
        ],
        examples: [
            "dome artifacts job-01k…", "dome artifacts job-01k… report/index.html -O index.html",
            "dome artifacts job-01k… log.txt --offset 1MiB --length 64KiB",
            "dome artifacts job-01k… --to results", "dome artifacts job-01k… --sums | (cd results && sha256sum -c)",
        ]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let name = invocation.argument(1)
        try check(invocation, hasName: !name.isEmpty)
        let client = try invocation.client()
        if name.isEmpty { return try await all(of: id, client, invocation) }
        let offset = try size(invocation, "--offset") ?? 0
        let length = try size(invocation, "--length")
        if length == 0 { throw .usage("--length must be at least 1") }
        let reader = try await reading { () async throws(ClientError) in
            try await ArtifactReader(client, id, name, offset: offset, length: length ?? 0)
        }
        guard let path = invocation.value("--save") else {
            try await ArtifactOutput.print(reader, evenToTerminal: invocation.has("--force"))
            return ExitStatus.success
        }
        let saved = try await ArtifactOutput.save(reader, to: path, replacing: invocation.has("--force"))
        try invocation.print(
            json: ["saved": .string(path), "bytes": .count(saved), "artifact": reader.artifact.json],
            text: "saved \(Rendered.line(path)), \(Quantity.text(bytes: saved))\n")
        return ExitStatus.success
    }

    private static func check(_ invocation: Invocation, hasName: Bool) throws(CommandFailure) {
        let ofOne = ["--save", "--offset", "--length"]
        let ofAll = ["--to", "--sums"]
        for option in hasName ? ofAll : ofOne where invocation.has(option) || invocation.value(option) != nil {
            throw .usage(
                hasName ? "\(option) is about all files: leave PATH out" : "\(option) needs PATH: which file is meant")
        }
    }

    private static func size(_ invocation: Invocation, _ option: String) throws(CommandFailure) -> UInt64? {
        guard let text = invocation.value(option) else { return nil }
        guard let bytes = Quantity.bytes(text) else {
            throw .usage("\(option) must be a size such as 4096 or 1MiB, not '\(text)'")
        }
        return bytes
    }

    /// Lists them or saves them.
    @Core
    private static func all(
        of id: String, _ client: DaemonClient, _ invocation: Invocation
    ) async throws(CommandFailure) -> Int32 {
        let job = try await calling { () async throws(ClientError) in try await client.job(id) }
        if let folder = invocation.value("--to") {
            guard !job.artifacts.isEmpty else {
                throw CommandFailure(
                    "there is nothing to save: " + job.artifactsText(style: Style(isOn: false)).dropLast(),
                    status: ExitStatus.notFound)
            }
            let saved = try await ArtifactOutput.saveAll(job.artifacts, of: id, client, to: folder)
            let count = Rendered.count(job.artifacts.count, "file")
            let left = job.omissionsText.map { "\($0)\n" } ?? ""
            try invocation.print(
                json: [
                    "saved": .string(folder), "bytes": .count(saved), "artifacts": .array(job.artifacts.map(\.json)),
                ],
                text: "saved \(Rendered.line(folder)): \(count), \(Quantity.text(bytes: saved))\n" + left)
        } else if invocation.has("--sums") {
            for artifact in job.artifacts { try Output.stdout.write(artifact.sumLine) }
        } else {
            try invocation.print(json: job.artifactsJSON, text: job.artifactsText(style: invocation.style))
        }
        return ExitStatus.success
    }

    /// Nothing is lost on the way: what fails says whether a file or the connection is at fault.
    @Core
    static func reading<Value: Sendable>(
        _ body: @Core () async throws(ClientError) -> Value
    ) async throws(CommandFailure) -> Value {
        do throws(ClientError) {
            return try await body()
        } catch {
            if case .refused(let refusal) = error, refusal.code == .internal {
                throw CommandFailure(refusal.message, status: ExitStatus.dataError)
            }
            throw CommandFailure(error)
        }
    }
}

extension Artifact {
    /// As sha256sum(1) prints and reads it: a backslash first if the name has one.
    fileprivate var sumLine: String {
        guard name.contains("\\") else { return "\(sha256)  \(name)\n" }
        let escaped = name.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
        return "\\\(sha256)  \(escaped)\n"
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
            var table = Table(["PATH", "SIZE", "SHA-256", "CID"])
            for artifact in artifacts {
                table.add([
                    artifact.name, Quantity.text(bytes: artifact.byteCount), artifact.sha256, artifact.contentID,
                ])
            }
            output = table.text(width: nil, style: style)
        }
        return output + (omissionsText.map { "\($0)\n" } ?? "")
    }

    /// What is not there and why; nil if nothing was left out.
    fileprivate var omissionsText: String? {
        let products = JSONValue.embedded(provenanceJSON)["products"]
        if products?["artifacts_lost"]?.boolValue == true {
            return "lost with the keeper or for want of room; 'dome logs \(summary.jobID)' says more"
        }
        return products?["artifacts_left_out"]?.integerValue.map {
            "\($0) more left out; 'dome logs \(summary.jobID)' says why"
        }
    }
}
