internal import DomeModel

/// What was decided about a driven job when it was started: kept with its handle, because by the time it is taken up
/// again its tool may be another one, or gone.
struct DriveLimits: Sendable, Equatable {
    /// From the first time that it is said to run.
    var wallMilliseconds: UInt64
    /// From the first request to end to the one by force.
    var graceMilliseconds: UInt64
    var outputBytes: UInt64
    var lineBytes: UInt64
    /// Of what it leaves.
    var diskBytes: UInt64

    init(_ limits: Limits) {
        wallMilliseconds = limits.wallMilliseconds
        graceMilliseconds = limits.graceMilliseconds
        outputBytes = limits.outputBytes
        lineBytes = limits.lineBytes
        diskBytes = limits.diskBytes
    }

    /// What `json` gave; a member that is missing has a job's default.
    init(parsing json: String) throws(DomeError) {
        self.init(Limits())
        let document = try JSONParser.parse(json, what: "limits of a driven job")
        func number(_ name: String, _ other: UInt64) -> UInt64 {
            document[name]?.integerValue.map { UInt64(clamping: $0) } ?? other
        }
        wallMilliseconds = number("wall_ms", wallMilliseconds)
        graceMilliseconds = number("grace_ms", graceMilliseconds)
        outputBytes = number("output_bytes", outputBytes)
        lineBytes = number("line_bytes", lineBytes)
        diskBytes = number("disk_bytes", diskBytes)
    }

    var json: String {
        let document: JSONValue = [
            "wall_ms": .integer(Int64(clamping: wallMilliseconds)),
            "grace_ms": .integer(Int64(clamping: graceMilliseconds)),
            "output_bytes": .integer(Int64(clamping: outputBytes)),
            "line_bytes": .integer(Int64(clamping: lineBytes)),
            "disk_bytes": .integer(Int64(clamping: diskBytes)),
        ]
        return document.compact
    }

    /// As an output recorder takes them.
    var recorded: Limits {
        var limits = Limits()
        (limits.outputBytes, limits.lineBytes) = (outputBytes, lineBytes)
        return limits
    }
}
