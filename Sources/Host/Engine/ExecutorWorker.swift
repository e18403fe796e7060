package import DomeAsync
internal import DomeCatalog
internal import DomeLink
package import DomeModel
internal import DomePlatform

/// The worker process of one executor plugin: started when first needed, started again with growing pauses when it
/// dies. What the plugin does wrong costs the calls that were under way, nothing else.
@Core
package final class ExecutorWorker {
    package let pluginFolder: String
    private var plan: LaunchPlan
    private let workerPath: String
    private let keeperPath: String
    private let words: WorkerWords
    private var link: WorkerLink?
    private var process: ProcessHandle?
    private var registration: EventLoop.Registration?
    private var waiting: [UInt64: Call] = [:]
    private var outbox: [WorkerMessage] = []
    private var nextRequest: UInt64 = 1
    private var consecutiveFailures = 0
    private var blockedUntilNanoseconds: Int64 = 0
    /// What the worker said of itself.
    package private(set) var identity: (id: String, version: String)?
    private var lastFailure = "it ended"
    /// Where the plugin crashed, as the worker said on its way down.
    private var crashPlace: String?
    private var hasToldSuccess = false
    /// Told of each crash, with the job over which it happened; and, once for each start, of the first call that
    /// succeeded (nil).
    var onEnded: ((_ crash: String?, _ jobID: String) -> Void)?

    /// Counts the processes of all workers: who is at work now is told from who was before.
    private(set) var incarnation: UInt64 = 0
    private static var incarnations: UInt64 = 0
    private(set) var isRetired = false
    /// Calls about driven jobs go one at a time, so that the time limit of each is its own.
    private var isLaneTaken = false
    private var laneQueue: [UnsafeContinuation<Void, Never>] = []

    /// What a worker answers.
    package enum Answer: Sendable, Equatable {
        /// A launch plan's document, or what a call about a driven job brought: foreign until checked.
        case document([UInt8])
        /// There is no plan: the executor drives the job itself.
        case elsewhere
    }

    private struct Call {
        let jobID: JobID
        let answer: OneShot<Result<Answer, DomeError>>
        let timer: LoopTimer
        /// Whether an answer shows that the plugin works.
        let isProof: Bool
    }

    static let callLimitMilliseconds: UInt64 = 30_000
    private static let textLimitBytes = 8 << 10

    /// - Parameters:
    ///   - workerPath: domed-worker, links resolved.
    ///   - keeperPath: domed-keeper, which confines it.
    package init(_ plugin: PluginRecord, workerPath: String, keeperPath: String) {
        pluginFolder = plugin.folder
        (self.workerPath, self.keeperPath) = (workerPath, keeperPath)
        words = WorkerWords(pluginID: plugin.id)
        plan = Self.plan(of: plugin, workerPath)
    }

    /// What its next process is started with, where the library is the same and only its file has another date or
    /// another link: no reason to take the present one away from its callers.
    func renew(_ plugin: PluginRecord) { plan = Self.plan(of: plugin, workerPath) }

    private static func plan(of plugin: PluginRecord, _ workerPath: String) -> LaunchPlan {
        var plan = ConfinedLaunch.workerPlan(
            arguments: [
                "--plugin", AdapterJob.pluginFolder, "--fd", "3", "--config", JSONValue.object(plugin.config).compact,
                "--identity", plugin.libraryIdentity?.text ?? "",
            ], workerPath: workerPath, pluginMounts: plugin.mounts)
        plugin.give(to: &plan)
        return plan
    }

    /// Asks the plugin for a launch plan. The question is on its way when this returns; the answer is the plan's
    /// document, or what the plugin says (E_INVALID_REQUEST for a task that does not fit), or E_INTERNAL when its
    /// worker dies over it. Throws when the worker cannot be started.
    package func prepare(_ job: [UInt8], for jobID: JobID) throws(DomeError) -> OneShot<Result<Answer, DomeError>> {
        try start()
        return ask(jobID, limitMilliseconds: Self.callLimitMilliseconds) { .prepare(request: $0, job: job) }
    }

    /// Sends a question to the worker that is there.
    func ask(
        _ jobID: JobID, limitMilliseconds: UInt64, isProof: Bool = true, _ message: (UInt64) -> WorkerMessage
    ) -> OneShot<Result<Answer, DomeError>> {
        let request = nextRequest
        nextRequest += 1
        let timer = Core.loop.schedule(afterMilliseconds: limitMilliseconds) { [weak self] in
            Core.assumeIsolated {
                guard let self else { return }
                let hang = "a call took longer than \(limitMilliseconds / 1000) s"
                self.crashPlace = hang
                self.end(hang)
            }
        }
        let answer = OneShot<Result<Answer, DomeError>>()
        waiting[request] = Call(jobID: jobID, answer: answer, timer: timer, isProof: isProof)
        outbox.append(message(request))
        flush()
        return answer
    }

    private func finish(_ request: UInt64, _ result: Result<Answer, DomeError>) {
        guard let call = waiting.removeValue(forKey: request) else { return }
        call.timer.cancel()
        call.answer.set(result)
    }

    /// Starts the worker ahead of the first call, so that it does not pay for it.
    package func warmUp() {
        do throws(DomeError) { try start() } catch {
            Log.warning("worker.start_failed", ["plugin_folder": pluginFolder, "error": error.description])
        }
    }

    /// Starts the worker and waits until its plugin is loaded; says why it is not, or nil. Ends it again.
    package func failureToStart() async -> String? {
        do throws(DomeError) { try start() } catch { return error.message }
        let deadline = Clock.monotonicNanoseconds() + 10_000_000_000
        while identity == nil, link != nil {
            guard Clock.monotonicNanoseconds() < deadline else { return "its worker does not answer" }
            await Core.sleep(milliseconds: 2)
        }
        defer { end("not needed any more") }
        return identity == nil ? lastFailure : nil
    }

    /// How it is, without asking it.
    var health: PluginHealth {
        guard isUp else { return PluginHealth(isOK: false, message: "its worker is not running: \(lastFailure)") }
        return PluginHealth(isOK: true, message: identity == nil ? "its worker is starting" : "its worker is running")
    }

    /// Ends the worker for good: its plugin is gone, or is another one now.
    func retire() {
        onEnded = nil
        isRetired = true
        end("its plugin was taken away")
    }

    /// Whether a process is at work, as far as is known.
    var isUp: Bool { link != nil }

    func start() throws(DomeError) {
        guard !isRetired else { throw DomeError(.internal, "executor plugin \(pluginFolder) was taken away") }
        guard link == nil else { return }
        guard Clock.monotonicNanoseconds() >= blockedUntilNanoseconds else {
            throw DomeError(
                .internal,
                "executor plugin \(pluginFolder) failed \(consecutiveFailures) times in a row (\(lastFailure)); "
                    + "it is tried again in a moment, see the daemon's log")
        }
        let (ours, theirs) = try UnixSocket.packetPair()
        try ours.setNonblocking(true)
        var program = try ConfinedLaunch(plan, channel: theirs).command(keeperPath: keeperPath)
        let pipe = try Pipe()
        try words.hear(pipe.reading)
        program.descriptors.append((pipe.writing, 2))
        let process = try ProcessHandle(try program.start())
        try process.whenEnded(on: Core.loop) { [weak self, weak process] in
            Core.assumeIsolated {
                // One that was given up may end when its successor is at work.
                guard let self, let process, self.process === process else { return }
                self.endAfterLastWords("its worker ended")
            }
        }
        self.process = process
        let link = WorkerLink(ours)
        self.link = link
        Self.incarnations += 1
        incarnation = Self.incarnations
        registration = try Core.loop.register(ours, interest: .readable) { [weak self] ready in
            Core.assumeIsolated { self?.serve(ready) }
        }
        Log.debug("worker.started", ["plugin_folder": pluginFolder, "pid": String(process.processID)])
    }

    private func serve(_ ready: EventLoop.Readiness) {
        if ready.contains(.writable) { flush() }
        while let link {
            do throws(DomeError) {
                switch try link.receive() {
                case .message(let message): take(message)
                case .wouldBlock: return
                case .closed: return end("its worker closed the link")
                }
            } catch {
                return end(error.message)
            }
        }
    }

    private func take(_ message: WorkerMessage) {
        switch message {
        case .hello(let hello):
            identity = (hello.pluginID, hello.pluginVersion)
        case .plan(let request, let document), .driven(let request, let document):
            succeed(request, .document(document))
        case .elsewhere(let request): succeed(request, .elsewhere)
        // Whatever the plugin makes its worker say: bounded, like what an honest one passes on.
        case .failed(0, _, let message):
            end(message.cut(toBytes: Self.textLimitBytes).replacing(AdapterJob.pluginFolder, with: pluginFolder))
        case .crashed(let place): crashPlace = place.cut(toBytes: Self.textLimitBytes)
        case .failed(let request, let code, let message):
            finish(request, .failure(DomeError(code, message.cut(toBytes: Self.textLimitBytes))))
        case .prepare, .cancel, .drive: end("its worker sent a message that only domed may send")
        }
    }

    private func succeed(_ request: UInt64, _ answer: Answer) {
        let isProof = waiting[request]?.isProof ?? false
        finish(request, .success(answer))
        guard isProof else { return }
        consecutiveFailures = 0
        if !hasToldSuccess { onEnded?(nil, "") }
        hasToldSuccess = true
    }

    // MARK: The lane

    /// Waits for its turn to speak about driven jobs.
    func enterLane() async {
        await withUnsafeContinuation { continuation in
            guard isLaneTaken else {
                isLaneTaken = true
                return continuation.resume()
            }
            laneQueue.append(continuation)
        }
    }

    func leaveLane() {
        if laneQueue.isEmpty { isLaneTaken = false } else { laneQueue.removeFirst().resume() }
    }

    private func flush() {
        guard let link else { return }
        do throws(DomeError) {
            while let message = outbox.first {
                guard try link.send(message) else { break }
                outbox.removeFirst()
            }
            registration?.setInterest(outbox.isEmpty ? .readable : [.readable, .writable])
        } catch {
            endAfterLastWords(error.message)
        }
    }

    /// What a worker said before it went is still in the socket, and says more than that it is gone.
    private func endAfterLastWords(_ why: String) {
        while let link {
            guard let received = try? link.receive(), case .message(let message) = received else { return end(why) }
            take(message)
        }
    }

    /// Gives the worker up; whoever waits gets an error.
    private func end(_ why: String) {
        guard link != nil else { return }
        registration?.cancel()
        process?.send(signal: 9)
        (link, process, registration) = (nil, nil, nil)
        outbox.removeAll()
        let crash = crashPlace
        (crashPlace, hasToldSuccess) = (nil, false)
        lastFailure = crash ?? why
        // Answers come in order: the crash was over the oldest question.
        if let crash { onEnded?(crash, waiting.min { $0.key < $1.key }?.value.jobID.text ?? "") }
        consecutiveFailures += 1
        // The first failure may be a crash over one odd job: try again at once. Then 0.2 s, 0.4 s … 30 s.
        let pause = consecutiveFailures < 2 ? 0 : min(30_000, 100 << min(consecutiveFailures, 9))
        blockedUntilNanoseconds = Clock.monotonicNanoseconds() + Int64(pause) * 1_000_000
        Log.warning("worker.lost", ["plugin_folder": pluginFolder, "reason": lastFailure])
        let error = DomeError(.internal, "executor plugin \(pluginFolder) failed: \(lastFailure)")
        for request in waiting.keys.sorted() { finish(request, .failure(error)) }
    }
}
