import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// What domed asks for.
extension Keeper {
    /// Takes one message. A malformed one ends the connection: domed is broken, not the jobs.
    func take(_ raw: UnsafeRawBufferPointer) {
        do throws(DomeError) {
            guard let request = try KeeperRequest.decode(raw) else { return }
            handle(request)
        } catch {
            channel?.close()
            disconnected(error)
        }
    }

    private func handle(_ request: KeeperRequest) {
        switch request {
        case .hello(let oldest, let current): welcome(oldest, current)
        case .launch(let launch): self.launch(launch)
        case .go(let jobID): jobs[jobID]?.go()
        case .abort(let jobID): jobs[jobID]?.abort()
        case .cancel(let jobID, let event): jobs[jobID]?.cancel(event)
        case .appendEvent(let jobID, let number, let event):
            guard let job = jobs[jobID] else { return send(.appended(jobID, number: number, seq: nil)) }
            job.append(event, number: number)
        case .release(let jobID): release(jobID)
        case .list: sendList()
        case .retire: retire()
        }
    }

    private func welcome(_ oldest: UInt16, _ current: UInt16) {
        guard let version = LinkVersion.common(peerOldest: oldest, peerCurrent: current) else {
            channel?.close()
            return disconnected(DomeError(.internal, "domed speaks versions \(oldest) to \(current), unknown here"))
        }
        send(
            .hello(
                KeeperHello(
                    version: version, generation: configuration.generation, processID: getpid(),
                    isRetired: isRetired)))
        servers?.isolated.announce()
        servers?.hostNetwork.announce()
        sendList()
    }

    private func sendList() {
        for job in jobs.values {
            send(.job(job.status))
            job.sendExited()
        }
        send(.listEnd)
    }

    private func launch(_ launch: KeeperLaunch) {
        let jobID = launch.plan.jobID
        do throws(DomeError) {
            guard !isRetired else { throw DomeError(.lockConflict, "this keeper is retired: ask a newer one") }
            guard jobs[jobID] == nil else { throw DomeError(.lockConflict, "job \(jobID) is here already") }
            guard let servers else { throw DomeError(.internal, "the keeper is not started") }
            let server = launch.plan.network == .full ? servers.hostNetwork : servers.isolated
            if server.state == .unusable {
                throw DomeError(.policyDenied, "the sandbox cannot be enforced: \(server.message)")
            }
            let job = JobRun(self, launch, server, token: makeToken())
            if !launch.isGated { try job.openJournal() }
            jobs[jobID] = job
            job.start(launch.plan)
        } catch {
            Log.warning("keeper.launch_refused", ["job": jobID.text, "error": error.description])
            send(.refused(jobID, code: error.code, message: error.message))
        }
    }

    private func release(_ jobID: JobID) {
        guard let job = jobs[jobID], job.phase == .exited else { return }
        forget(job)
    }

    /// Drops a job, its journal and its /job.
    func forget(_ job: JobRun) {
        jobs[job.jobID] = nil
        if job.isWorkLarge { FileDescriptor.closeElsewhere(&job.work) }
        leaveIfIdle()
    }
}
