internal import DomeAsync
internal import DomePlatform

/// When folders for jobs to come are made: what making them costs, no job is to wait for.
struct SpareTimes {
    /// When the last one was taken.
    fileprivate(set) var takenNanoseconds: Int64 = 0
    /// Whether somebody will look whether there are enough.
    fileprivate(set) var isWatched = false
    fileprivate(set) var isUrgent = false
}

extension Engine {
    private static let quietNanoseconds: Int64 = 100_000_000
    private static let pauseNanoseconds: Int64 = 20_000_000
    /// From an admission until the tool runs, most likely: before that everything waits for the processor.
    private static let untilToolRunsNanoseconds: Int64 = 800_000

    /// A folder for a new job, if there is one; and has more made in time: once nobody has asked for one for a moment,
    /// or beside running tools when they run out.
    func takeSpare() -> SpareFolders.Spare? {
        let spare = files.spares.take()
        spareTimes.takenNanoseconds = Clock.monotonicNanoseconds()
        if !spareTimes.isUrgent, files.spares.isLow {
            spareTimes.isUrgent = true
            Core.loop.schedule(afterNanoseconds: Self.untilToolRunsNanoseconds) { [self] in
                Core.task { [self] in
                    spareTimes.isUrgent = false
                    _ = await facts.refill(files.spares, whileIdle: false)
                }
            }
        }
        if !spareTimes.isWatched { watchSpares(after: Self.quietNanoseconds) }
        return spare
    }

    /// Fills up, a part at a time, when nobody has taken one for a moment.
    private func watchSpares(after nanoseconds: Int64) {
        spareTimes.isWatched = true
        Core.loop.schedule(afterNanoseconds: nanoseconds) { [self] in
            Core.task { [self] in
                var (pause, isPossible) = (Self.quietNanoseconds, true)
                if Clock.monotonicNanoseconds() - spareTimes.takenNanoseconds >= Self.quietNanoseconds {
                    isPossible = await facts.refill(files.spares, whileIdle: true)
                    pause = Self.pauseNanoseconds
                }
                // What cannot be made now is tried again with the next job.
                spareTimes.isWatched = false
                if isPossible, !files.spares.isFull { watchSpares(after: pause) }
            }
        }
    }
}
