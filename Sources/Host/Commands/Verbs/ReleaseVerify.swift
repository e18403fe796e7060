import DomeCrypto
import DomeModel
import DomePlatform

extension Verb {
    /// `dome release verify`
    static let releaseVerify = Verb(
        words: ["release", "verify"], summary: "check a release's files against its manifest and its signature",
        details: [
            "Every artifact of the manifest must lie beside it with the size, the SHA-256 and the Ed25519 signature "
                + "that it says. The key is what you trust: take it from where you trusted dome's makers, not from "
                + "beside the files.",
            "Exits with 0 if all is well, with 1 if anything is not.",
        ],
        positionals: [PositionalSpec("MANIFEST", help: "daemons-release-manifest.json", completion: .files)],
        options: [
            OptionSpec("--key", value: "FILE", help: "the public key, PEM or Base64", completion: .files),
            OptionSpec("--unsigned", help: "compare sizes and digests alone: tells damage, not forgery"),
        ],
        examples: ["dome release verify daemons-release-manifest.json --key release-key.pub"]
    ) { invocation throws(CommandFailure) in
        guard invocation.has("--key") != invocation.has("--unsigned") else {
            throw .usage("say whose signature counts with --key FILE, or that none does with --unsigned")
        }
        let path = invocation.argument(0)
        let (manifest, findings) = try local { () throws(DomeError) in
            let schema = try Directories.ofExecutable() + "/../share/dome/registry/schema/release-manifest.schema.json"
            let manifest = try ReleaseManifest(path: path, schemaPath: schema)
            let key =
                if let file = invocation.value("--key") { try ReleaseManifest.publicKey(path: file) } else {
                    nil as Ed25519PublicKey?
                }
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            return (manifest, manifest.verify(folder: folder.isEmpty ? "/" : folder, key: key))
        }
        let isGood = findings.allSatisfy(\.problem.isEmpty)
        let checked = invocation.has("--key") ? "signed, " : "not checked for a signature, "
        var text = findings.map { finding in
            let word = finding.problem.isEmpty ? invocation.style.green("ok    ") : invocation.style.red("FAILED")
            return "\(word)  \(finding.name)" + (finding.problem.isEmpty ? "" : ": \(Rendered.line(finding.problem))")
                + "\n"
        }.joined()
        text += isGood ? "version \(manifest.version) is whole, \(checked)\(findings.count) files\n" : ""
        try invocation.print(
            json: [
                "version": .string(manifest.version), "valid": .bool(isGood),
                "signatures_checked": .bool(invocation.has("--key")),
                "artifacts": .array(
                    findings.map { ["name": .string($0.name), "problem": .string($0.problem)] }),
            ],
            text: text)
        return isGood ? ExitStatus.success : ExitStatus.failure
    }
}
