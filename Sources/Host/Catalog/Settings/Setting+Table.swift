extension Setting {
    /// Every key there is.
    package static let all: [Setting] = jobs + records + service

    private static let jobs = [
        Setting(
            key: "execute_wait_ms", kind: .number(\.executeWaitMilliseconds, 0...86_400_000), effect: .reload,
            help: "How long a submission waits for the job's end when the request does not say, in milliseconds."),
        Setting(
            key: "max_running_jobs", kind: .number(\.maxRunningJobs, 1...1_000_000), effect: .reload,
            help: "Jobs that run at the same time; further ones wait."),
        Setting(
            key: "max_queued_jobs", kind: .number(\.maxQueuedJobs, 1...1_000_000), effect: .reload,
            help: "Jobs that may wait; beyond it submissions are refused."),
        Setting(
            key: "disk_full_grace_seconds", kind: .number(\.diskFullGraceSeconds, 0...unlimited), effect: .restart,
            help: "How long a job may wait for space on a full disk before it is ended, in seconds; "
                + "a keeper keeps the value that it was started with."),
        Setting(
            key: "artifacts_max_files", kind: .number(\.artifactsMaxFiles, 0...10_000), effect: .reload,
            help: "Files of one job's /job/out that are kept; 0 keeps none."),
        Setting(
            key: "artifacts_max_bytes", kind: .number(\.artifactsMaxBytes, 0...unlimited), effect: .reload,
            help: "Bytes that they may have together; the tool's disk_bytes counts as well."),
    ]

    private static let records = [
        Setting(
            key: "retention_max_age_seconds", kind: .number(\.retentionMaxAgeSeconds, 0...unlimited), effect: .reload,
            help: "Ended jobs older than this are removed, in seconds; 0 keeps them."),
        Setting(
            key: "retention_max_bytes", kind: .number(\.retentionMaxBytes, 0...unlimited), effect: .reload,
            help: "The oldest ended jobs are removed while the output of all is larger, in bytes; 0 sets no limit."),
    ]

    private static let service = [
        Setting(
            key: "max_message_bytes", kind: .number(\.maxMessageBytes, 4_096...1 << 30), effect: .restart,
            help: "The largest message that a client may send, in bytes."),
        Setting(
            key: "log_level", kind: .word(\.logLevel, ["debug", "info", "warning", "error"]), effect: .reload,
            help: "What is logged: this, and what is graver."),
        Setting(
            key: "log_format", kind: .word(\.logFormat, ["auto", "text", "json", "journal"]), effect: .reload,
            help: "How: lines of text or JSON on standard error, or fields to systemd's journal. "
                + "auto: the journal where standard error leads there, else text."),
        Setting(
            key: "metrics", kind: .flag(\.hasMetrics), effect: .restart,
            help: "Whether Prometheus's metrics are served on a Unix socket beside the daemon's, domed-metrics.sock."),
        Setting(
            key: "metrics_address", kind: .loopback(\.metricsAddress), effect: .restart,
            help: "A port of the loopback where they are served, too, to every local user; empty for none."),
    ]
}
