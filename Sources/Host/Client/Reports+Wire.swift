internal import DomeModel
internal import DomeProto
internal import DomeWire

// From the contract's messages.

extension ToolSummary {
    init(_ message: Domed_V1_ToolSummary) {
        toolID = message.toolId
        version = message.version
        title = message.title
        shortDescription = message.shortDescription
        kind = message.kind
        unavailable = message.unavailable
        deprecated = message.deprecated
        versions = message.versions
    }
}

extension ToolDetail {
    init(_ message: Domed_V1_ToolDescriptor, _ documents: Domed_V1_GetToolSchemaResponse) {
        summary.toolID = message.toolId
        summary.version = message.version
        summary.title = message.title
        summary.shortDescription = message.shortDescription
        summary.kind = message.kind
        summary.unavailable = message.unavailable
        summary.deprecated = message.deprecated
        summary.versions = message.versions
        differences = message.differences
        materialSHA256 = message.materialSha256
        description = message.description_
        executorBackend = message.executorBackend
        permissions = message.permissions
        sideEffects = message.sideEffects
        inputSchemaRef = message.inputSchemaRef
        outputSchemaRef = message.outputSchemaRef
        inputSchemaJSON = documents.inputSchemaJson
        outputSchemaJSON = documents.outputSchemaJson
        manifestJSON = documents.manifestJson
    }
}

extension ToolDetail {
    /// From the manifest; nil if it does not say what it is the manifest of.
    init?(_ documents: Domed_V1_GetToolSchemaResponse) {
        guard let manifest = try? JSONParser.parse(documents.manifestJson, what: "the manifest"),
            let id = manifest["tool_id"]?.stringValue, !id.isEmpty
        else { return nil }
        func text(_ key: String) -> String { manifest[key]?.stringValue ?? "" }
        summary.toolID = id
        (summary.version, summary.title, summary.kind) = (text("version"), text("title"), text("kind"))
        (summary.shortDescription, description) = (text("short_description"), text("description"))
        permissions = manifest["permissions"]?.arrayValue?.compactMap(\.stringValue) ?? []
        sideEffects = manifest["side_effects"]?.arrayValue?.compactMap(\.stringValue) ?? []
        inputSchemaJSON = documents.inputSchemaJson
        outputSchemaJSON = documents.outputSchemaJson
        manifestJSON = documents.manifestJson
        summary.unavailable = documents.unavailable
        summary.deprecated = text("deprecated")
    }
}

extension JobSummary {
    init(_ message: Domed_V1_JobSummary) {
        jobID = message.jobId
        runID = message.runId
        toolID = message.toolId
        profile = message.profile
        state = JobState(message.state)
        createdAt = message.createdAt
        startedAt = message.startedAt
        endedAt = message.endedAt
        exitCode = message.exitCode
        self.message = message.message
        lastSeq = message.lastSeq
    }
}

extension JobDetail {
    init(_ reply: Domed_V1_GetJobStatusResponse) {
        summary.jobID = reply.jobId
        summary.runID = reply.runId
        summary.toolID = reply.toolId
        summary.profile = reply.profile
        summary.state = JobState(reply.state)
        summary.createdAt = reply.createdAt
        summary.startedAt = reply.startedAt
        summary.endedAt = reply.endedAt
        summary.exitCode = reply.exitCode
        summary.message = reply.message
        summary.lastSeq = reply.lastSeq
        signal = reply.signal
        reason = reply.reason
        artifacts = reply.artifacts.map(Artifact.init)
        if let message = reply.provenance { provenance = Provenance(message) }
        provenanceJSON = reply.provenanceJson
        enforcementJSON = reply.enforcementJson
        resourcesJSON = reply.resourcesJson
        resultJSON = reply.resultJson
    }
}

extension Artifact {
    init(_ reference: Domed_V1_ArtifactRef) {
        kind = reference.kind
        path = reference.path
        name = reference.name
        sha256 = reference.sha256
        byteCount = reference.bytes
        contentID = reference.cid
    }
}

extension Provenance {
    init(_ message: Domed_V1_RunProvenance) {
        repo = message.repo
        commitSHA = message.commitSha
        isDirty = message.dirtyFlag
        contractHashesJSON = message.contractHashesJson
        toolVersionsJSON = message.toolVersionsJson
        inputHash = message.inputHash
        environmentFingerprint = message.envFingerprint
    }
}

extension DaemonStatus {
    init(_ reply: Domed_V1_GetStatusResponse) {
        serverVersion = reply.serverVersion
        minSupportedVersion = reply.minSupportedVersion
        currentVersion = reply.currentVersion
        recommendedVersion = reply.recommendedVersion
        pid = reply.pid
        startedAt = reply.startedAt
        uptimeMilliseconds = reply.uptimeMs
        endpoint = reply.endpoint
        stateDirectory = reply.stateDirectory
        jobsQueued = reply.jobsQueued
        jobsRunning = reply.jobsRunning
        keepers = reply.keepers.map { message in
            var keeper = KeeperDetail()
            keeper.pid = message.pid
            keeper.generation = message.generation
            keeper.jobs = message.jobs
            keeper.version = message.version
            return keeper
        }
        isSandboxWhole = reply.sandboxOk
        sandboxReportJSON = reply.sandboxReportJson
        problems = reply.problems
    }
}
