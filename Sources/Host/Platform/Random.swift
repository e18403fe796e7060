package import DomeModel

/// Fresh identifiers from the system's random generator.
extension JobID {
    /// A new id, stamped with the wall clock.
    package static func make() -> JobID {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = UInt64(max(0, Clock.wallNanoseconds() / 1_000_000))
        return JobID(createdMilliseconds: milliseconds, random: (generator.next(), generator.next()))
    }
}
