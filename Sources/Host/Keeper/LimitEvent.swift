import DomeLink
import DomeModel

/// What a job's journal says when a limit has acted on it: a guard event that names the limit as the manifest does, its
/// value, what was used where that is known, and the unit of both. Nothing is said that is only likely.
enum LimitEvent {
    static func wall(_ limits: Limits, usedMilliseconds: UInt64) -> LinkEvent {
        event(
            "wall_seconds", limits.wallMilliseconds, used: usedMilliseconds, unit: "milliseconds",
            "it ran for longer than \(limits.wallMilliseconds) ms and is ended")
    }

    static func processorTime(_ limits: Limits, usedMicroseconds: UInt64) -> LinkEvent {
        event(
            "cpu_seconds", limits.cpuSeconds &* 1_000, used: usedMicroseconds / 1_000, unit: "milliseconds",
            "it was ended after \(limits.cpuSeconds) s of processor time")
    }

    static func throttled(_ limits: Limits, microseconds: UInt64) -> LinkEvent {
        event(
            "cpu_percent", limits.cpuPercent, used: limits.cpuPercent, unit: "percent",
            "it was held to \(limits.cpuPercent) % of a processor and waited \(microseconds / 1000) ms because of that")
    }

    static func memory(_ limits: Limits, used: UInt64?, kills: UInt64) -> LinkEvent {
        event(
            "memory_bytes", limits.memoryBytes, used: used, unit: "bytes",
            "\(kills == 1 ? "a process" : "\(kills) processes") of it was ended: the job was out of memory")
    }

    static func processes(_ limits: Limits, refusals: UInt64) -> LinkEvent {
        event(
            "pids", limits.processes, used: limits.processes, unit: "processes",
            "it had \(limits.processes) processes and threads at once; \(refusals) more were refused")
    }

    static func fileSize(_ limits: Limits) -> LinkEvent {
        event(
            "file_bytes", limits.fileBytes, used: nil, unit: "bytes",
            "it was ended when it wrote beyond \(limits.fileBytes) bytes into one file")
    }

    static func disk(_ limits: Limits, used: UInt64) -> LinkEvent {
        event("disk_bytes", limits.diskBytes, used: used, unit: "bytes", "/job was full at its end")
    }

    private static func event(
        _ limit: String, _ value: UInt64, used: UInt64?, unit: String, _ message: String
    ) -> LinkEvent {
        var payload: JSONObject = ["limit": .string(limit), "value": .integer(Int64(clamping: value))]
        if let used { payload["used"] = .integer(Int64(clamping: used)) }
        payload["unit"] = .string(unit)
        payload["message"] = .string(message)
        return LinkEvent(.guard, Array(JSONValue.object(payload).compact.utf8))
    }
}
