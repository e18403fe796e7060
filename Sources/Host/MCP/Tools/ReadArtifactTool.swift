internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension MetaTool {
    /// `dome_read_artifact`. It has no schema of its result: an image is shown as one, beside which there must be no
    /// document.
    static let readArtifact = MetaTool(
        name: "dome_read_artifact", title: "Read a file that a job left",
        description: "Reads an artifact: a file that a job left in /job/out. Text comes as text, an image as an image, "
            + "other bytes in base 64. A long file comes in pieces: call it again with the next_offset of the answer.",
        properties: [
            "job_id": Schema.jobID,
            "name": Schema.text("The artifact's name, as the job's artifacts list it."),
            "offset": Schema.number("Where to begin, in bytes (default 0)."),
            "max_bytes": Schema.number("How much to read: 1 to 200000 bytes; the default suits the client."),
        ],
        required: ["job_id", "name"], outputSchema: nil, annotations: .looking
    ) { call, arguments throws(ToolFailure) in
        let id = try arguments.jobID()
        let name = try arguments.text("name", hint: "dome_job_status lists the artifacts of a job.")
        let offset = try arguments.number("offset", 0...Int64.max, default: 0)
        let bytes = try arguments.number("max_bytes", 0...200_000, default: 0)
        let file = try await ArtifactFile.open(call.bridge.client, id, name)
        if offset == 0, let type = try await file.imageType() {
            let data = try await file.read(at: 0, count: ArtifactFile.imageLimitBytes)
            return ToolAnswer(content: [
                ["type": "image", "data": .string(Base64.encode(data)), "mimeType": .string(type)]
            ])
        }
        let limit = bytes == 0 ? ResultBudget.bytes(call) : Int(bytes)
        return ToolAnswer(try await file.piece(at: UInt64(offset), limit: limit))
    }
}

extension ArtifactFile {
    /// A piece of the file as an answer: text where it is some, else base 64.
    fileprivate func piece(at offset: UInt64, limit: Int) async throws(ToolFailure) -> JSONObject {
        guard offset <= artifact.byteCount else {
            throw .invalid(
                "\"offset\" \(offset) is past the end of the file, which has \(artifact.byteCount) bytes",
                hint: "Begin at 0.")
        }
        var bytes = try await read(at: offset, count: limit)
        var document = JSONObject.success()
        document["name"] = .string(artifact.name)
        document["bytes"] = .count(artifact.byteCount)
        document["sha256"] = .string(artifact.sha256)
        // A character that the limit cuts apart is left for the next piece.
        let isLast = offset + UInt64(bytes.count) >= artifact.byteCount
        let whole = isLast ? bytes : Array(bytes.dropLast(UTF8Text.incompleteBytes(atEndOf: bytes)))
        if let text = String(validating: whole, as: UTF8.self), !text.unicodeScalars.contains("\0") {
            bytes = whole
            document["text"] = .string(text)
        } else {
            document["base64"] = .string(Base64.encode(bytes))
        }
        let next = offset + UInt64(bytes.count)
        document["next_offset"] = .count(next)
        document["truncated"] = .bool(next < artifact.byteCount)
        if next < artifact.byteCount { document["hint"] = .string("There is more: call it again with offset \(next).") }
        return document
    }
}

/// Where a cut through UTF-8 falls.
enum UTF8Text {
    /// How many bytes at the end begin a character that is not whole: 0 to 3.
    static func incompleteBytes(atEndOf bytes: [UInt8]) -> Int {
        for (distance, byte) in bytes.suffix(3).reversed().enumerated() {
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > distance + 1 ? distance + 1 : 0
        }
        return 0
    }
}
