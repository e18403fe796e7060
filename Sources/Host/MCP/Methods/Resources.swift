internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension Method {
    private static let pageSize: UInt32 = 50
    /// A log that is larger is cut in the middle; dome_follow pages through it.
    private static let logLimitBytes = 1 << 20
    private static let artifactLimitBytes = 8 << 20

    /// The logs of the jobs there are, latest first.
    static let resourcesList = Method(era: .both) { call throws(RPCError) in
        let token = call.parameters["cursor"]?.stringValue ?? ""
        let page = try await telling { () async throws(ClientError) in
            try await call.bridge.client.jobs(JobFilter(), pageSize: pageSize, pageToken: token)
        }
        var result: JSONObject = [
            "resources": .array(
                page.jobs.map { job in
                    [
                        "uri": .string(ResourceURI.log(job.jobID, .none).text), "name": .string(job.jobID + " log"),
                        "title": .string("Output of \(job.toolID), \(job.state?.name ?? "unknown")"),
                        "description": .string("What \(job.jobID) printed, started \(job.createdAt)"),
                        "mimeType": "text/plain",
                    ]
                })
        ]
        if !page.nextPageToken.isEmpty { result["nextCursor"] = .string(page.nextPageToken) }
        return .object(result.completed(for: call, cachedMilliseconds: 0))
    }

    static let resourceTemplatesList = Method(era: .both) { call throws(RPCError) in
        try Paging.refuse(call.parameters["cursor"])
        let templates: [(String, String, String)] = [
            ("dome://jobs/{job_id}/log", "job log", "What a job printed: stdout and stderr as they came"),
            ("dome://jobs/{job_id}/stdout", "job stdout", "What a job printed to its standard output"),
            ("dome://jobs/{job_id}/stderr", "job stderr", "What a job printed to its standard error"),
            ("dome://jobs/{job_id}/artifacts/{+name}", "job artifact", "A file that a job left in /job/out"),
        ]
        let result: JSONObject = [
            "resourceTemplates": .array(
                templates.map { template, name, description in
                    ["uriTemplate": .string(template), "name": .string(name), "description": .string(description)]
                })
        ]
        return .object(result.completed(for: call, cachedMilliseconds: 3_600_000))
    }

    static let resourcesRead = Method(era: .both) { call throws(RPCError) in
        guard let text = call.parameters["uri"]?.stringValue else {
            throw .invalidParameters("resources/read needs \"uri\", a string")
        }
        guard let uri = ResourceURI(text) else {
            throw .noResource(
                text, "no such resource: they look like dome://jobs/job-01k…/log; see resources/templates/list",
                call.version)
        }
        let contents: JSONValue
        switch uri {
        case .log(let id, let stream): contents = try await log(call, id, stream, text)
        case .artifact(let id, let name): contents = try await artifact(call, id, name, text)
        }
        let result: JSONObject = ["contents": [contents]]
        return .object(result.completed(for: call, cachedMilliseconds: 0))
    }

    @Core
    private static func log(
        _ call: Call, _ id: String, _ stream: OutputStream, _ uri: String
    ) async throws(RPCError) -> JSONValue {
        var output = HeadTail(limit: logLimitBytes)
        do throws(ClientError) {
            let events = try await call.bridge.client.events(id, follow: false, sinceSeq: 0)
            while let batch = try await events.next() {
                for log in batch.compactMap(\.log)
                where log.progress == nil && (stream == .none || stream == log.stream) {
                    output.append(log.isPartial ? log.line : log.line + [0x0a])
                }
            }
        } catch {
            if case .refused(let refusal) = error, refusal.code == .notFound {
                throw .noResource(uri, refusal.message, call.version)
            }
            throw .internalError(ToolFailure(error).message)
        }
        return [
            "uri": .string(uri), "mimeType": "text/plain", "text": .string(output.text(limit: 2 * logLimitBytes).0),
        ]
    }

    @Core
    private static func artifact(
        _ call: Call, _ id: String, _ name: String, _ uri: String
    ) async throws(RPCError) -> JSONValue {
        do throws(ToolFailure) {
            let file = try await ArtifactFile.open(call.bridge.client, id, name)
            guard file.artifact.byteCount <= UInt64(artifactLimitBytes) else {
                throw .invalid(
                    "the artifact has \(file.artifact.byteCount) bytes, more than a resource may",
                    hint: "dome_read_artifact reads it in pieces.")
            }
            let bytes = try await file.read(at: 0, count: artifactLimitBytes)
            if let type = try await file.imageType() {
                return ["uri": .string(uri), "mimeType": .string(type), "blob": .string(Base64.encode(bytes))]
            }
            if let text = String(validating: bytes, as: UTF8.self) {
                return ["uri": .string(uri), "mimeType": "text/plain", "text": .string(text)]
            }
            return [
                "uri": .string(uri), "mimeType": "application/octet-stream", "blob": .string(Base64.encode(bytes)),
            ]
        } catch {
            if error.code == "E_NOT_FOUND" { throw .noResource(uri, error.message, call.version) }
            throw .internalError(error.message + ". " + error.hint)
        }
    }
}

/// Calls the daemon, with its error as one of the protocol.
@Core
private func telling<Value: Sendable>(
    _ body: @Core () async throws(ClientError) -> Value
) async throws(RPCError) -> Value {
    do throws(ClientError) {
        return try await body()
    } catch {
        if case .refused(let refusal) = error, refusal.code == .invalidRequest {
            throw .invalidParameters(refusal.message)
        }
        let failure = ToolFailure(error)
        throw .internalError(failure.message + ". " + failure.hint)
    }
}
