internal import DomeCatalog
internal import DomeModel
internal import DomePlatform
internal import DomeStore
internal import Glibc

/// What the engine does not know and its metrics say.
package struct MetricsSurroundings: Sendable {
    package var followers: Int
    package var calls: Int
    package var stage: String

    package init(followers: Int, calls: Int, stage: String) {
        (self.followers, self.calls, self.stage) = (followers, calls, stage)
    }
}

extension Engine {
    /// Everything that is counted, in Prometheus's text format. No tool's output, task or path is in it.
    package func metricsText(_ surroundings: MetricsSurroundings) -> String {
        var output = MetricsText()
        output.family("dome_build_info", .gauge, "This daemon's version and stage; always 1.")
        output.sample("dome_build_info", ["version": version, "stage": surroundings.stage], "1")
        output.single(
            "process_start_time_seconds", .gauge, "When the daemon started, seconds since 1970.",
            "\(Double(startedNanoseconds) / 1e9)")
        writeProcess(&output)
        writeJobs(&output)
        writeDurations(&output)
        output.single("dome_followers", .gauge, "Streams of jobs' events that are open.", "\(surroundings.followers)")
        output.single("dome_calls", .gauge, "Calls in progress, followers included.", "\(surroundings.calls)")
        writeKeepersAndPlugins(&output)
        writeAudit(&output)
        return output.text
    }

    private func writeProcess(_ output: inout MetricsText) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        output.single(
            "process_cpu_seconds_total", .counter, "Processor time of the daemon, seconds.",
            "\(seconds(usage.ru_utime) + seconds(usage.ru_stime))")
        // In pages, the second number (proc_pid_statm(5)); a file of the kernel's, read without waiting.
        let pages = (try? Files.read("/proc/self/statm", limitBytes: 256)).flatMap { bytes in
            String(decoding: bytes, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
        }
        guard let pages else { return }
        output.single(
            "process_resident_memory_bytes", .gauge, "Memory of the daemon that is resident.",
            "\(pages * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))))")
    }

    private func writeJobs(_ output: inout MetricsText) {
        output.family("dome_jobs", .gauge, "Jobs that have not ended, by state.")
        output.sample("dome_jobs", ["state": "running"], "\(live.values.count { $0.state == .running })")
        output.sample("dome_jobs", ["state": "queued"], "\(queue.count)")
        output.single(
            "dome_job_places", .gauge, "Jobs that may run at the same time (max_running_jobs).",
            "\(configuration.maxRunningJobs)")
        output.family("dome_jobs_submitted_total", .counter, "Jobs admitted, by tool.")
        for (tool, count) in metrics.submitted.sorted(by: { $0.key < $1.key }) {
            output.sample("dome_jobs_submitted_total", ["tool": tool], "\(count)")
        }
        output.family("dome_submissions_refused_total", .counter, "Submissions that were refused, by code.")
        for (code, count) in metrics.refused.sorted(by: { $0.key < $1.key }) {
            output.sample("dome_submissions_refused_total", ["code": code], "\(count)")
        }
        output.family("dome_jobs_ended_total", .counter, "Jobs that have ended, by tool and outcome.")
        for (tool, outcome, count) in metrics.ends {
            output.sample("dome_jobs_ended_total", ["tool": tool, "outcome": outcome], "\(count)")
        }
        output.single(
            "dome_journal_bytes_total", .counter, "Journals and artifacts of ended jobs, bytes.",
            "\(metrics.journalBytes)")
    }

    private func writeDurations(_ output: inout MetricsText) {
        output.histogram(
            "dome_admission_seconds", "From a submission to its durable admission.", metrics.admission)
        output.histogram("dome_job_wait_seconds", "From a job's admission to its start.", metrics.waiting)
        output.histogram("dome_job_run_seconds", "From a job's start to its end.", metrics.running)
        output.histogram("dome_job_seconds", "From a job's admission to its end.", metrics.whole)
    }

    private func writeKeepersAndPlugins(_ output: inout MetricsText) {
        output.single("dome_keepers", .gauge, "Keepers that the daemon talks to.", "\(keepers.connections.count)")
        output.single(
            "dome_keeper_jobs", .gauge, "Jobs that keepers hold.",
            "\(keepers.connections.reduce(0) { $0 + $1.jobs.count })")
        output.single(
            "dome_keepers_lost_total", .counter, "Keepers that died with their jobs.", "\(metrics.keepersLost)")
        let records = plugins.snapshot.records
        output.family("dome_plugins", .gauge, "Plugins by state.")
        for state in Set(records.map(\.state.rawValue)).sorted() {
            output.sample("dome_plugins", ["state": state], "\(records.count { $0.state.rawValue == state })")
        }
        output.single(
            "dome_plugin_crashes", .gauge, "Crashes in a row of plugins, as remembered.",
            "\(records.reduce(0) { $0 + Int($1.crashes.consecutive) })")
    }

    private func writeAudit(_ output: inout MetricsText) {
        let lag = store.auditLag
        output.single("dome_audit_events", .gauge, "Events in the audit log.", "\(lag.events)")
        output.single(
            "dome_audit_unsigned_events", .gauge, "Events in the audit log that no checkpoint covers yet.",
            "\(lag.unsigned)")
        output.single(
            "dome_audit_lag_seconds", .gauge, "For how long there have been such events; usually about a second.",
            "\(Double(lag.nanoseconds(now: Clock.monotonicNanoseconds())) / 1e9)")
        output.single(
            "dome_audit_waiting_events", .gauge, "Events that could not be written to the audit log yet.",
            "\(pendingAudit.count)")
    }
}
