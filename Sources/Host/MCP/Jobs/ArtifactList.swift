internal import DomeClient
internal import DomeModel

/// The files that a job left, as many as a result may hold: a job can leave thousands.
struct ArtifactList {
    let json: JSONValue
    /// How to get the others; empty if there are none.
    let hint: String

    /// Those from number `first` on, of about `limitBytes` of JSON; one at least.
    init(_ artifacts: [Artifact], of jobID: String, from first: Int, limitBytes: Int) {
        var listed: [JSONValue] = []
        var bytes = 0
        for artifact in artifacts.dropFirst(first) {
            let one = Self.json(artifact, jobID)
            bytes += JSONSize.of(artifact.name) * 2 + 160
            if bytes > limitBytes, !listed.isEmpty { break }
            listed.append(one)
        }
        json = .array(listed)
        let next = min(first, artifacts.count) + listed.count
        hint =
            next >= artifacts.count
            ? ""
            : "It left \(artifacts.count) files; dome_job_status with job_id \"\(jobID)\" and offset \(next) lists more."
    }

    private static func json(_ artifact: Artifact, _ jobID: String) -> JSONValue {
        [
            "name": .string(artifact.name), "bytes": .count(artifact.byteCount), "sha256": .string(artifact.sha256),
            "uri": .string(ResourceURI.artifact(jobID, artifact.name).text),
        ]
    }
}
