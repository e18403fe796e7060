internal import DomeCrypto
internal import DomeModel

/// Some of what a job left, in its order.
package struct ArtifactPage: Sendable, Equatable {
    package var artifacts: [Artifact]
    /// Gets the next page; nil on the last one.
    package var nextToken: String?
    /// Of the job.
    package var total: UInt64

    /// What a page holds when nobody says, and at most.
    package static let largestSize = 1_000
}

extension Database {
    private static let columns = "kind, path, sha256, bytes"
    private static let all = Query("SELECT \(columns) FROM artifacts WHERE job = ?1 ORDER BY position")
    private static let page = Query(
        "SELECT \(columns) FROM artifacts WHERE job = ?1 AND position >= ?2 ORDER BY position LIMIT ?3")
    private static let named = Query("SELECT \(columns) FROM artifacts WHERE job = ?1 AND path = ?2")
    private static let count = Query("SELECT count(*) FROM artifacts WHERE job = ?1")

    /// Everything that the job left. `number` is that of its admission.
    func artifacts(of number: Int64) throws(DomeError) -> [Artifact] {
        try connection.all(Self.all, [.integer(number)], what: "read artifacts", Artifact.init)
    }

    /// Nil without such a job. `pageToken` is empty or a previous page's `nextToken`.
    func artifacts(of id: JobID, pageToken: String, pageSize: Int) throws(DomeError) -> ArtifactPage? {
        let first = pageToken.isEmpty ? 0 : try PageToken(parsing: pageToken).number
        guard let record = try job(id) else { return nil }
        let number = SQLValue.integer(record.admissionNumber)
        let what = "list the artifacts of \(id)"
        let size = pageSize <= 0 ? ArtifactPage.largestSize : min(pageSize, ArtifactPage.largestSize)
        let total = try connection.first(Self.count, [number], what: what) { $0.integer(0) } ?? 0
        let artifacts = try connection.all(
            Self.page, [number, .integer(first), .integer(Int64(size))], what: what, Artifact.init)
        let next = first.addingReportingOverflow(Int64(artifacts.count)).partialValue
        return ArtifactPage(
            artifacts: artifacts, nextToken: next < total && !artifacts.isEmpty ? PageToken(number: next).text : nil,
            total: UInt64(clamping: total))
    }

    /// Nil without such a job or such a name.
    func artifact(of id: JobID, named name: String) throws(DomeError) -> Artifact? {
        guard let record = try job(id) else { return nil }
        return try connection.first(
            Self.named, [.integer(record.admissionNumber), .text(name)], what: "read an artifact of \(id)",
            Artifact.init)
    }
}

extension Artifact {
    fileprivate init(_ row: Row) {
        self.init(
            kind: row.text(0), path: row.text(1), sha256: Digest(bytes: row.blob(2)),
            byteCount: UInt64(clamping: row.integer(3)))
    }
}
