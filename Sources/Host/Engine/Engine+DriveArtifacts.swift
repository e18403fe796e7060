internal import DomeAsync
internal import DomeLink
internal import DomeModel
internal import DomePlatform

// What a job that ran elsewhere left: its executor is asked for it once the job has ended.
extension Engine {
    /// How long the executor is waited for while it cannot be asked, and how long it has for all; nanoseconds. Somebody
    /// who has asked for the job's end is not kept waiting for its files.
    private static func patience(_ job: LiveJob) -> (each: Int64, all: Int64) {
        job.isCancelRequested ? (10_000_000_000, 60_000_000_000) : (60_000_000_000, 600_000_000_000)
    }

    private static let refusalLimit = 5

    /// Copies what the job left into its folder. Safe to repeat: it begins anew.
    func fetchArtifacts(of job: LiveJob, _ drive: Drive, _ exit: ExitReport) async -> ArtifactOutcome {
        // Nobody is left to ask, or to believe; the end says why.
        guard exit.hasOutput else { return exit.startedNanoseconds == 0 ? .none : .lost(nil) }
        drive.note = "its artifacts are being fetched"
        let began = Clock.monotonicNanoseconds()
        let document: [UInt8]
        switch await ask(.listArtifacts(handle: drive.handle), of: job, drive, since: began) {
        case .success(let answer): document = answer
        case .failure(let error): return lost(job, error.message)
        }
        guard !document.isEmpty else { return .none }
        let (target, limits, content) = (files.artifactsPath(job.id), artifactLimits(of: job), files.content)
        let copying = await onArtifactsThread { () throws(DomeError) in
            Copying(try DrivenCopies(DriveArtifacts(document), to: target, limits, sharing: content))
        }
        switch copying {
        case .failure(let error): return lost(job, error.message)
        case .success(let copying): return await fetch(copying, job, drive, since: began)
        }
    }

    private func fetch(_ copying: Copying, _ job: LiveJob, _ drive: Drive, since began: Int64) async -> ArtifactOutcome
    {
        var wish = copying.first
        while let wanted = wish {
            let read = DriveCall.readArtifact(
                handle: drive.handle, name: wanted.name, offset: wanted.offset, size: wanted.size)
            let answer = await ask(read, of: job, drive, since: began)
            let step = await onArtifactsThread { () throws(DomeError) -> DrivenCopies.Wish? in
                switch answer {
                case .success(let bytes): copying.copies.take(bytes)
                case .failure(let error) where error.code == .notFound || error.code == .internal:
                    copying.copies.leaveOut(.unreadable)
                case .failure: copying.copies.leaveOutRest(.late)
                }
                return copying.copies.next()
            }
            switch step {
            case .success(let next): wish = next
            case .failure(let error): return lost(job, error.message)
            }
        }
        return .kept(copying.copies.collection)
    }

    private func lost(_ job: LiveJob, _ why: String) -> ArtifactOutcome {
        Log.warning("artifacts.lost", ["job": job.id.text, "error": why])
        return .lost(why)
    }

    /// One question, asked again while that makes sense. E_RESOURCE_EXHAUSTED: there is no more time for it; any other
    /// error: the executor's word.
    private func ask(
        _ call: DriveCall, of job: LiveJob, _ drive: Drive, since began: Int64
    ) async -> Result<[UInt8], DomeError> {
        let asked = Clock.monotonicNanoseconds()
        var (tries, refusals) = (0, 0)
        while true {
            let now = Clock.monotonicNanoseconds()
            guard now - began < Self.patience(job).all else {
                return .failure(DomeError(.resourceExhausted, "its executor took too long over them"))
            }
            let trouble: DomeError
            switch await self.call(call, of: job, drive) {
            case .answered(let answer):
                drive.trouble = ""
                return .success(answer)
            case .refused(let error) where error.code == .notFound: return .failure(error)
            case .refused(let error) where error.code != .resourceExhausted:
                refusals += 1
                guard refusals < Self.refusalLimit else { return .failure(DomeError(.internal, error.message)) }
                trouble = error
            case .refused(let error): trouble = error
            case .lost(let error), .unreachable(let error):
                if tries > 2 { await refreshPlugins() }
                trouble = error
            }
            drive.trouble = "its executor cannot be asked: \(trouble.message)"
            guard now - asked < Self.patience(job).each else {
                return .failure(DomeError(.resourceExhausted, drive.trouble))
            }
            tries += 1
            await drive.pause(milliseconds: Drive.backOff(tries))
        }
    }
}

/// Goes from thread to thread, a step each, one after the other: hence unchecked.
private final class Copying: @unchecked Sendable {
    let copies: DrivenCopies
    let first: DrivenCopies.Wish?

    init(_ copies: DrivenCopies) { (self.copies, first) = (copies, copies.next()) }
}
