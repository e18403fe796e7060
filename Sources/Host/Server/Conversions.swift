internal import DomeEngine
internal import DomeModel
internal import DomeProto

extension Domed_V1_ArtifactRef {
    init(_ report: ArtifactReport) {
        self.init()
        kind = report.kind
        path = report.path
        name = report.name
        sha256 = report.sha256
        bytes = report.byteCount
        cid = report.contentID
    }
}

/// A job id from a client; anything that is not one cannot name a job.
func jobID(_ text: String) throws(DomeError) -> JobID {
    guard !text.isEmpty else { throw DomeError(.invalidRequest, "job_id must not be empty") }
    guard let id = JobID(text) else { throw DomeError(.notFound, "job not found: \(text.prefix(128))") }
    return id
}

/// A time for a response; empty when there is none.
func timestamp(_ nanoseconds: Int64?) -> String { nanoseconds.map { Timestamp.format(nanoseconds: $0) } ?? "" }

/// A time of a request, in nanoseconds since 1970; nil for an empty one.
func time(ofField field: String, _ text: String) throws(DomeError) -> Int64? {
    guard !text.isEmpty else { return nil }
    guard let time = Timestamp.parse(text) else {
        throw DomeError(
            .invalidRequest, "\(field): '\(text.prefix(64))' is no RFC 3339 time, e.g. 2026-11-20T08:00:00Z")
    }
    return time
}
