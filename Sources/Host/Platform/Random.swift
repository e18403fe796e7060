package import DomeModel

/// Fresh identifiers from the system's random generator.
extension JobID {
    /// A new id, stamped with the wall clock; in that shard if one is named.
    package static func make(shard: UInt16? = nil) -> JobID {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = UInt64(max(0, Clock.wallNanoseconds() / 1_000_000))
        var low: UInt16 = generator.next()
        if let shard { low = low & ~(shardCount - 1) | shard & (shardCount - 1) }
        return JobID(createdMilliseconds: milliseconds, random: (generator.next(), low))
    }
}
