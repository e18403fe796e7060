internal import DomeAsync
internal import DomeCatalog
package import DomeModel
internal import DomePlatform
internal import DomeStore

extension Engine {
    /// Removes ended jobs with their output; their audit rows stay. 0 means the configured limit.
    package func collectGarbage(
        olderThanSeconds: UInt64, maxBytes: UInt64, isDryRun: Bool
    ) async throws(DomeError) -> GarbageReport {
        var policy = RetentionPolicy()
        let age = olderThanSeconds > 0 ? olderThanSeconds : configuration.retentionMaxAgeSeconds
        let bytes = maxBytes > 0 ? maxBytes : configuration.retentionMaxBytes
        if age > 0 {
            policy.endedBeforeNanoseconds = Clock.wallNanoseconds() - Int64(clamping: min(age, 1 << 33)) * 1_000_000_000
        }
        if bytes > 0 { policy.keepBytes = bytes }
        let expired = try await store.expiredJobs(policy)
        var report = GarbageReport(jobs: 0, bytes: 0)
        for start in stride(from: 0, to: expired.count, by: 200) {
            let batch = Array(expired[start..<min(start + 200, expired.count)])
            report.jobs += batch.count
            // Journal and artifacts, as the job's end found them.
            for id in batch { report.bytes += try await store.job(id)?.outputBytes ?? 0 }
            if !isDryRun { try await remove(batch) }
        }
        if report.jobs > 0, !isDryRun { await removeUnusedContent() }
        return report
    }

    /// What those left that are gone, unless another job left the same.
    private func removeUnusedContent() async {
        let content = files.content
        _ = await onOwnThread("dome-artifacts") {
            do throws(DomeError) {
                let bytes = try content.removeUnused()
                if bytes > 0 { Log.info("retention.content", ["bytes": String(bytes)]) }
            } catch {
                Log.warning("retention.failed", ["error": error.description])
            }
        }
    }

    /// Rows first: a folder without a row is litter, a row without a folder would be a job that lost its output.
    private func remove(_ batch: [JobID]) async throws(DomeError) {
        let details: JSONObject = ["jobs": .integer(Int64(batch.count))]
        _ = try await store.deleteJobs(batch, audit: Self.ownEntry(.retention, details: details))
        for id in batch {
            do throws(DomeError) { try await files.remove(id) } catch {
                Log.warning("job.folder_left", ["job": id.text, "error": error.description])
            }
        }
    }

    /// Removes the folders of jobs that never came to be: a daemon died between making one and the admission's
    /// commit. Only an earlier life's: this one clears up after itself, and a folder of its own without a row is most
    /// likely a job that is just being admitted.
    private func removeLitter() async throws(DomeError) {
        var count = 0
        for shard in try await files.shards() where !isDraining {
            for id in try await files.jobs(in: shard) where id.text < firstID.text && live[id] == nil {
                guard try await store.job(id) == nil, live[id] == nil else { continue }
                try await files.remove(id)
                count += 1
            }
        }
        if count > 0 { Log.info("retention.litter", ["folders": String(count)]) }
    }

    /// Tidies up after the last daemon, then applies the configured limits now and every hour.
    package func keepHouse() {
        Core.task { [self] in
            do throws(DomeError) { try await recordAuditState() } catch {
                Log.warning("audit.state_unknown", ["error": error.description])
            }
            do throws(DomeError) { try await removeLitter() } catch {
                Log.warning("retention.failed", ["error": error.description])
            }
            await removeUnusedContent()
            while !isDraining {
                do throws(DomeError) {
                    let report = try await collectGarbage(olderThanSeconds: 0, maxBytes: 0, isDryRun: false)
                    if report.jobs > 0 {
                        Log.info("retention", ["jobs": String(report.jobs), "bytes": String(report.bytes)])
                    }
                } catch {
                    Log.warning("retention.failed", ["error": error.description])
                }
                await Core.sleep(milliseconds: 3_600_000)
            }
        }
    }
}
