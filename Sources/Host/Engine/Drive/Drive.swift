internal import DomeAsync
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore

/// A job that an executor drives elsewhere, while this daemon looks after it.
@Core
final class Drive {
    /// The executor's plugin id.
    let executor: String
    let limits: DriveLimits
    /// The executor's name for it; empty until `start` has answered.
    var handle: String
    /// As last written to the journal.
    var head = DrivenJournal.Head(lastSeq: 1)
    /// The worker process that knows the handle: another one is asked to recover it first.
    var attached: UInt64?
    /// Counts reports, so that one that the disk refused is known when it comes again.
    var reports: UInt64 = 0
    /// Why the executor cannot be asked just now; empty if it can.
    var trouble = ""
    /// What it waits for where it is queued, as its executor says; empty otherwise.
    var note = ""
    /// Calls in a row that the executor refused, and calls in a row that never reached it.
    var refusals = 0
    var failures = 0
    /// When its time is over, monotonic nanoseconds; nil until it runs.
    var deadlineNanoseconds: Int64?
    /// Set when it is to end before it ends by itself.
    var ending: Ending?
    private var alarm = OneShot<Bool>()

    /// An end that was asked for, and how far the asking has come.
    struct Ending {
        var cause: EndCause
        var message: String
        /// Monotonic nanoseconds.
        var forceNanoseconds: Int64
        var surrenderNanoseconds: Int64
        var hasAsked = false
        var hasForced = false
    }

    init(executor: String, limits: DriveLimits, handle: String = "") {
        (self.executor, self.limits, self.handle) = (executor, limits, handle)
    }

    /// One that an earlier life of the daemon started.
    convenience init(_ driven: DrivenJob) throws(DomeError) {
        self.init(
            executor: driven.executor, limits: try DriveLimits(parsing: driven.limitsJSON), handle: driven.handle)
    }

    /// How long the executor has between being told to end the job by force and being given up.
    private static let forcedMilliseconds: UInt64 = 10_000

    /// Has it ended; the first reason counts.
    func end(_ cause: EndCause, _ message: String) {
        guard ending == nil else { return }
        let now = Clock.monotonicNanoseconds()
        let grace = Int64(clamping: min(limits.graceMilliseconds, 86_400_000)) * 1_000_000
        let surrender = now + grace + Int64(clamping: Self.forcedMilliseconds) * 1_000_000
        ending = Ending(cause: cause, message: message, forceNanoseconds: now + grace, surrenderNanoseconds: surrender)
    }

    /// Takes the journal's word for where it stands.
    func take(_ head: DrivenJournal.Head) {
        self.head = head
        guard deadlineNanoseconds == nil, let started = head.startedNanoseconds else { return }
        let wall = Int64(clamping: min(limits.wallMilliseconds, 1 << 40)) * 1_000_000
        let spent = max(0, Clock.wallNanoseconds() - started)
        deadlineNanoseconds = Clock.monotonicNanoseconds() + max(0, wall - spent)
    }

    /// Waits, until somebody wakes it at the longest.
    func pause(milliseconds: UInt64) async {
        if await alarm.wait(milliseconds: max(1, milliseconds)) != nil { alarm = OneShot() }
    }

    /// Ends the pause under way, or the next one.
    func wake() { alarm.set(true) }

    /// How long to wait before the next call, if the executor wishes `milliseconds`: no longer than until the next
    /// thing that is to be done whatever it says.
    func pauseMilliseconds(_ milliseconds: UInt64) -> UInt64 {
        var moments: [Int64] = []
        if let ending {
            moments = [ending.hasForced ? ending.surrenderNanoseconds : ending.forceNanoseconds]
        } else if let deadlineNanoseconds {
            moments = [deadlineNanoseconds]
        }
        let wish = ending == nil ? milliseconds : min(milliseconds, 200)
        guard let next = moments.first else { return wish }
        return min(wish, UInt64(clamping: max(0, next - Clock.monotonicNanoseconds()) / 1_000_000) + 1)
    }

    /// A pause that grows with `times` in a row.
    static func backOff(_ times: Int) -> UInt64 { min(5_000, 50 << UInt64(min(max(times, 1), 8) - 1)) }
}
