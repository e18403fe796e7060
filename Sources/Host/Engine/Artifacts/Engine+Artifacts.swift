internal import DomeAsync
internal import DomeCatalog
internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import DomeStore

/// What a job leaves in /job/out, kept before its end is written.
extension Engine {
    /// Copies it into the job's folder. Whether it has any, the keeper has seen; one that has gets a thread of its own,
    /// so that no job waits for another's copies. Safe to repeat: the keeper holds /job until the job is released.
    func collectArtifacts(of job: LiveJob, _ exit: JobExit) async -> ArtifactOutcome {
        if let drive = job.drive { return await fetchArtifacts(of: job, drive, exit.report) }
        guard exit.report.hasOutput, let work = exit.work else {
            if exit.report.hasOutput { return .lost("its keeper is gone, and /job with it") }
            // When the keeper itself died, nobody was there to look.
            return [.keeperLost, .sessionEnded].contains(exit.report.cause) && !exit.isSeen ? .lost(nil) : .none
        }
        let target = files.artifactsPath(job.id)
        let limits = artifactLimits(of: job)
        let (id, content) = (job.id, files.content)
        return await onOwnThread("dome-artifacts") { Self.collect(job: id, work, to: target, limits, content) }
            ?? .lost("it could not be copied: there is no thread to be had")
    }

    private nonisolated static func collect(
        job: JobID, _ work: WorkFolder, to target: String, _ limits: ArtifactLimits, _ content: ContentStore
    ) -> ArtifactOutcome {
        guard let folder = work.descriptor else { return .none }
        do throws(DomeError) {
            let collection = try ArtifactCollector.collect(folder, to: target, limits, sharing: content)
            Log.debug(
                "artifacts.kept",
                [
                    "job": job.text, "files": String(collection.artifacts.count),
                    "left_out": String(collection.omissions.count),
                ])
            return .kept(collection)
        } catch {
            Log.error("artifacts.failed", ["job": job.text, "error": error.description])
            return .lost("it could not be copied: \(error.message)")
        }
    }

    /// The kept files as clients see them.
    func reports(of artifacts: [Artifact], _ job: JobID) -> [ArtifactReport] {
        let folder = files.artifactsPath(job)
        return artifacts.map { artifact in ArtifactReport(artifact, in: folder) }
    }

    /// What `body` returns, from a thread of its own: a file of a gigabyte is copied or hashed there and nobody waits for it.
    func onArtifactsThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws(DomeError) -> Value
    ) async -> Result<Value, DomeError> {
        let result = await onOwnThread("dome-artifacts") { () -> Result<Value, DomeError> in
            do throws(DomeError) { return .success(try body()) } catch { return .failure(error) }
        }
        return result ?? .failure(DomeError(.resourceExhausted, "there is no thread to be had"))
    }

    /// The tool's limit for /job and the daemon's own: the smaller one counts.
    func artifactLimits(of job: LiveJob) -> ArtifactLimits {
        let disk =
            job.plan?.limits.diskBytes ?? job.drive?.limits.diskBytes ?? job.request?.tool.manifest.limits.diskBytes
        return ArtifactLimits(
            files: Int(clamping: configuration.artifactsMaxFiles),
            bytes: min(disk ?? .max, configuration.artifactsMaxBytes))
    }
}

extension ArtifactReport {
    /// Kept in `folder`.
    init(_ artifact: Artifact, in folder: String) {
        self.init(
            kind: artifact.kind, path: folder + "/" + artifact.path, name: artifact.path,
            sha256: artifact.sha256?.hex ?? "", byteCount: artifact.byteCount)
    }
}
