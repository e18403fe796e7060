import DomeClient
import DomeModel

extension Verb {
    /// `dome keys show`
    static let keysShow = Verb(
        words: ["keys", "show"], summary: "print the public keys that checkpoints and provenance are signed with",
        details: ["The last one signs; what the others signed stays good. Keep them where nobody can change them."],
        options: [OptionSpec("--pem", help: "print the key that signs now as PEM")],
        examples: ["dome keys show >dome-keys", "dome keys show --pem"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        let keys = try await calling { () async throws(ClientError) in try await client.keys() }
        let text =
            invocation.has("--pem")
            ? keys.last { $0.isCurrent }?.pem ?? "" : keys.map { $0.verifier + "\n" }.joined()
        try invocation.print(json: .array(keys.map(\.json)), text: text)
        return ExitStatus.success
    }

    /// `dome keys rotate`
    static let keysRotate = Verb(
        words: ["keys", "rotate"], summary: "sign with a new key from now on",
        details: ["The old private key is destroyed, its public half is kept: what it signed stays good."],
        examples: ["dome keys rotate"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        let key = try await calling { () async throws(ClientError) in try await client.rotateKey() }
        try invocation.print(json: key.json, text: key.verifier + "\n")
        return ExitStatus.success
    }
}

extension PublicKey {
    fileprivate var json: JSONValue {
        ["verifier": .string(verifier), "pem": .string(pem), "current": .bool(isCurrent)]
    }
}
