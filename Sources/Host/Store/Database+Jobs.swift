internal import DomeModel

extension Database {
    private static let byID = Query("SELECT \(JobRecord.columns) FROM jobs WHERE job_id = ?1")
    private static let unfinished = Query(
        "SELECT \(JobRecord.columns) FROM jobs WHERE state IN (1, 2) AND state <> 3 ORDER BY id")
    private static let counts = Query("SELECT state, count(*) FROM jobs WHERE state <> 3 GROUP BY state")
    private static let count = Query("SELECT count(*) FROM jobs")
    private static let request = Query(
        "SELECT task_json, constraints_json, grants_json, provenance_json FROM job_requests WHERE job = ?1")
    private static let outcome = Query(
        "SELECT provenance_json, plan_json, enforcement_json, resources_json FROM job_outcomes WHERE job = ?1")

    func job(_ id: JobID) throws(DomeError) -> JobRecord? {
        try connection.first(Self.byID, [.text(id.text)], what: "read \(id)") { row throws(DomeError) in
            try JobRecord(row, path: path)
        }
    }

    func unfinishedJobs() throws(DomeError) -> [JobRecord] {
        try connection.all(Self.unfinished, what: "list unfinished jobs") { row throws(DomeError) in
            try JobRecord(row, path: path)
        }
    }

    func countsByState() throws(DomeError) -> [JobState: Int] {
        var counts: [JobState: Int] = [:]
        var succeeded = try connection.first(Self.count, what: "count jobs") { row in Int(row.integer(0)) } ?? 0
        let rows = try connection.all(Self.counts, what: "count jobs") { row in (row.integer(0), row.integer(1)) }
        for (number, count) in rows {
            guard let state = JobState(rawValue: Int32(clamping: number)) else { continue }
            counts[state] = Int(count)
            succeeded -= Int(count)
        }
        if succeeded > 0 { counts[.succeeded] = succeeded }
        return counts
    }

    func detail(_ id: JobID) throws(DomeError) -> JobDetail? {
        guard let record = try job(id) else { return nil }
        let number: [SQLValue] = [.integer(record.admissionNumber)]
        let what = "read \(id)"
        let documents = { (row: Row) in (row.text(0), row.text(1), row.text(2), row.text(3)) }
        guard let request = try connection.first(Self.request, number, what: what, documents) else {
            throw .damagedDatabase(path, cause: "\(id) has no request")
        }
        let outcome = try connection.first(Self.outcome, number, what: what, documents)
        return JobDetail(
            record: record, taskJSON: request.0, constraintsJSON: request.1, grantsJSON: request.2,
            provenanceJSON: outcome?.0 ?? request.3, planJSON: outcome?.1 ?? "{}",
            enforcementJSON: outcome?.2 ?? "{}", resourcesJSON: outcome?.3 ?? "{}",
            artifacts: try artifacts(of: record.admissionNumber))
    }
}

// Lists.
extension Database {
    func jobs(_ filter: JobFilter, pageToken: String, pageSize: Int) throws(DomeError) -> JobPage {
        let size = pageSize <= 0 ? JobPage.defaultSize : min(pageSize, JobPage.largestSize)
        var conditions = JobConditions()
        if !pageToken.isEmpty {
            conditions.require("id <", .integer(try PageToken(parsing: pageToken).number))
        }
        if let toolID = filter.toolID { conditions.require("tool_id =", .text(toolID)) }
        if let profile = filter.profile { conditions.require("profile =", .text(profile)) }
        if let since = filter.createdSinceNanoseconds { conditions.require("created_ns >=", .integer(since)) }
        if let before = filter.createdBeforeNanoseconds { conditions.require("created_ns <", .integer(before)) }
        // One more than asked tells whether there is a next page.
        let sql = conditions.select(filter.states, limit: size + 1)
        var records = try connection.all(composed: sql, conditions.values, what: "list jobs") { row throws(DomeError) in
            try JobRecord(row, path: path)
        }
        guard records.count > size else { return JobPage(records: records, nextToken: nil) }
        records.removeLast()
        let last = records.last?.admissionNumber ?? 0
        return JobPage(records: records, nextToken: PageToken(number: last).text)
    }
}

/// The conditions of a list, ANDed, with the values they bind.
private struct JobConditions {
    private var texts: [String] = []
    private(set) var values: [SQLValue] = []

    /// `comparison` is ours, e.g. "id <"; `value` may be foreign.
    mutating func require(_ comparison: String, _ value: SQLValue) {
        values.append(value)
        texts.append("\(comparison) ?\(values.count)")
    }

    /// The newest `limit` jobs. Of several states each is searched by itself and the findings merged: asked for
    /// `state IN (…)`, SQLite sorts every job in any of them.
    func select(_ states: Set<JobState>, limit: Int) -> String {
        let order = "ORDER BY id DESC LIMIT \(limit)"
        guard !states.isEmpty else { return "SELECT \(JobRecord.columns) FROM jobs \(condition(texts)) \(order)" }
        let searches = states.map { state in
            // As the index has it, so that SQLite sees that it fits.
            let indexed = state == .succeeded ? [] : ["state <> \(JobState.succeeded.rawValue)"]
            let both = condition(texts + ["state = \(state.rawValue)"] + indexed)
            return "SELECT * FROM (SELECT \(JobRecord.columns) FROM jobs \(both) \(order))"
        }
        return searches.joined(separator: " UNION ALL ") + " " + order
    }

    private func condition(_ texts: [String]) -> String {
        texts.isEmpty ? "" : "WHERE " + texts.joined(separator: " AND ")
    }
}
