internal import DomeAsync
internal import DomeLink
internal import DomeModel

/// What came of asking an executor about a job that it drives.
enum DriveOutcome: Sendable {
    /// The document, foreign until checked; empty for calls that answer with none.
    case answered([UInt8])
    /// The executor's word.
    case refused(DomeError)
    /// Its worker died over it: whether the call came through is not known.
    case lost(DomeError)
    /// Nothing was asked: there is no worker, and none can be started now.
    case unreachable(DomeError)
}

extension ExecutorWorker {
    private static let driveLimitMilliseconds: UInt64 = 10_000

    /// Makes one call about a driven job, when it is its turn. A worker other than `attached` is asked to take the job up
    /// first. Answers with the worker that was asked, for the next call.
    func carryOut(
        _ call: DriveCall, of jobID: JobID, attached: UInt64?
    ) async -> (outcome: DriveOutcome, attached: UInt64?) {
        await enterLane()
        defer { leaveLane() }
        do throws(DomeError) { try start() } catch { return (.unreachable(error), nil) }
        let incarnation = incarnation
        if let handle = call.handle, attached != incarnation {
            let outcome = await one(.recover(handle: handle), jobID, incarnation)
            guard case .answered = outcome else { return (outcome, nil) }
            if case .recover = call { return (outcome, incarnation) }
        }
        let outcome = await one(call, jobID, incarnation)
        if case .lost = outcome { return (outcome, nil) }
        return (outcome, incarnation)
    }

    private func one(_ call: DriveCall, _ jobID: JobID, _ incarnation: UInt64) async -> DriveOutcome {
        guard isUp, self.incarnation == incarnation else {
            return .lost(DomeError(.internal, "executor plugin \(pluginFolder) failed: its worker ended"))
        }
        let isStart = call.handle == nil
        let limit = isStart ? Self.callLimitMilliseconds : Self.driveLimitMilliseconds
        // To be taken up again proves little: a job over which its executor crashes is taken up after each crash.
        var isProof = true
        if case .recover = call { isProof = false }
        let answer = ask(jobID, limitMilliseconds: limit, isProof: isProof) { .drive(request: $0, call) }
        switch await answer.wait() {
        case .success(.document(let document)): return .answered(document)
        case .success(.elsewhere): return .refused(DomeError(.internal, "its worker answered another question"))
        case .failure(let error):
            return isUp && self.incarnation == incarnation ? .refused(error) : .lost(error)
        }
    }
}

extension DriveCall {
    /// Of the job that it is about; nil for one that has none yet.
    var handle: String? {
        switch self {
        case .start: nil
        case .poll(let handle, _), .cancel(let handle, _), .recover(let handle), .listArtifacts(let handle),
            .readArtifact(let handle, _, _, _):
            handle
        }
    }
}
