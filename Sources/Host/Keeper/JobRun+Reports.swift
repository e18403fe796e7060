import DomeJournal
import DomeLink
import DomeModel
import DomePlatform

/// The third pipe of a job whose program is a plugin's worker, and what came through it.
final class JobReports {
    let pipe = CapturedPipe(.none)
    var reader = WorkerReportReader()
    /// Whether it said that its call succeeded.
    var isDone = false
    /// Why its call failed.
    var failure: String?
    /// Where it crashed.
    var crash: String?
    var hasToldDamage = false
}

extension JobRun {
    /// Turns what was read into events. All of it counts as output: a flood of reports ends where one of lines does.
    func recordReports(_ bytes: UnsafeRawBufferPointer) {
        guard let reports else { return }
        for report in reports.reader.take(bytes) { record(report, reports) }
        guard reports.reader.isDamaged, !reports.hasToldDamage else { return }
        reports.hasToldDamage = true
        let event: JSONValue = ["message": "the plugin wrote over its worker's reports: what follows was dropped"]
        append(LinkEvent(.guard, Array(event.compact.utf8)), number: nil)
    }

    private func record(_ report: WorkerReport, _ reports: JobReports) {
        guard let recorder else { return }
        do throws(DomeError) {
            let now = Clock.wallNanoseconds()
            switch report {
            case .result(let bytes):
                try bytes.withBytes { raw throws(DomeError) in
                    try recorder.take(raw, from: .stdout, wallNanoseconds: now)
                }
            case .log(let level, let text):
                try take(
                    ["stream": "stderr", "line": .string(text), "level": .string(WorkerReport.levels[Int(level)])], now)
            case .progress(let value, ""):
                try recorder.take(.progress, Array(value.utf8), wallNanoseconds: now)
            case .progress(let value, let message):
                let words = JSONValue.object(["message": .string(message)]).compact.dropFirst()
                try recorder.take(.report, Array(("{\"value\":\(value)," + words).utf8), wallNanoseconds: now)
            case .failed(let reason): reports.failure = reason
            case .crashed(let place):
                reports.crash = place
                try take(["stream": "stderr", "line": .string(place), "level": "error"], now)
            case .done: reports.isDone = true
            }
        } catch {
            diskRefused(error)
        }
        keeper.noteHead(self)
    }

    private func take(_ object: JSONObject, _ now: Int64) throws(DomeError) {
        try recorder?.take(.report, Array(JSONValue.object(object).compact.utf8), wallNanoseconds: now)
    }

    /// The end as the reports have it: a worker that exits without a word has not done its work, whatever its status.
    func judged(_ report: ExitReport, by reports: JobReports) -> ExitReport {
        guard report.cause == .exited, report.signal == nil || reports.crash != nil else { return report }
        var report = report
        if report.signal != nil {
            report.message = reports.crash ?? ""
        } else if let failure = reports.failure {
            (report.cause, report.message) = (.pluginFailed, failure)
        } else if !reports.isDone || report.exitCode != 0 {
            report.cause = .pluginFailed
            report.message =
                "the plugin ended its process with exit code \(report.exitCode ?? -1) before its call was over"
        }
        return report
    }
}
