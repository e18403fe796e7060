package import DomeModel

/// The environment that every process job gets: complete, nothing inherited.
package enum JobEnvironment {
    /// Where the task always lies for the job to read.
    package static let taskFile = "/job/.dome/task.json"
    /// A variable longer than this (name, `=` and NUL included) makes execve fail: MAX_ARG_STRLEN is 128 KiB.
    static let variableLimitBytes = 128 << 10

    /// Name and value pairs, later ones of the same name having replaced earlier ones.
    /// - Parameters:
    ///   - fixed: what the manifest sets.
    ///   - passed: what the policy lets through from the daemon's own environment.
    package static func make(
        jobID: JobID, toolID: String, profile: String, taskJSON: String, constraintsJSON: String,
        usesTerminal: Bool, fixed: [(name: String, value: String)], passed: [(name: String, value: String)],
        trace: TraceContext? = nil
    ) -> [(name: String, value: String)] {
        var variables: [(name: String, value: String)] = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/job"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8"),
            ("PYTHONUNBUFFERED", "1"),
        ]
        if usesTerminal { variables.append(("TERM", "xterm-256color")) }
        for variable in passed + fixed {
            if let index = variables.firstIndex(where: { $0.name == variable.name }) {
                variables[index].value = variable.value
            } else {
                variables.append(variable)
            }
        }
        // As OpenTelemetry's programs look for it.
        if let trace, !variables.contains(where: { $0.name == "TRACEPARENT" }) {
            variables.append(("TRACEPARENT", trace.text))
        }
        // Ours come last and cannot be overridden: programs rely on them.
        variables.removeAll { $0.name.hasPrefix("DOMED_") }
        variables += [
            ("DOMED_RUN_ID", jobID.runID), ("DOMED_JOB_ID", jobID.text), ("DOMED_TOOL_ID", toolID),
            ("DOMED_PROFILE", profile), ("DOMED_TASK_FILE", taskFile),
        ]
        for (name, value) in [("DOMED_TASK_JSON", taskJSON), ("DOMED_CONSTRAINTS_JSON", constraintsJSON)] {
            if name.utf8.count + value.utf8.count + 2 <= variableLimitBytes, !value.utf8.contains(0) {
                variables.append((name, value))
            }
        }
        return variables
    }
}
