import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// Reading what the tool prints: one read per readable pipe and turn, so that no job starves another.
extension JobRun {
    func watchPipes() {
        guard report == nil, phase == .running else { return }
        watch(standardOutput)
        watch(standardError)
        if let reports { watch(reports.pipe) }
    }

    private func watch(_ pipe: CapturedPipe) {
        guard let descriptor = pipe.descriptor, pipe.registration == nil else { return }
        let isInput = terminalInput != nil && pipe.stream == .stdout
        do throws(DomeError) {
            pipe.registration = try keeper.loop.register(
                descriptor, interest: isInput ? [.readable, .writable] : .readable
            ) { [weak self] ready in
                guard let self else { return }
                if ready.contains(.writable) { feedTerminal() }
                if ready.contains(.readable) { _ = readOnce(pipe) }
            }
        } catch {
            Log.error("keeper.pipe_unwatched", ["job": jobID.text, "error": error.description])
            end(.launchFailed, "its output cannot be read: \(error.message)")
        }
    }

    func unwatchPipes() {
        standardOutput.unwatch()
        standardError.unwatch()
        reports?.pipe.unwatch()
    }

    enum ReadResult {
        case some
        case nothingNow
        case end
    }

    /// Reads once. At the end of the pipe it is closed; the job goes on (a tool may close its stdout).
    func readOnce(_ pipe: CapturedPipe) -> ReadResult {
        guard let descriptor = pipe.descriptor else { return .end }
        let buffer = keeper.readBuffer
        let count = read(descriptor.number, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { return .some }
        if count < 0, errno == EAGAIN { return .nothingNow }
        guard count > 0 else {
            // EIO: a terminal that nobody holds any more.
            pipe.close()
            return .end
        }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if pipe.stream == .none { recordReports(bytes) } else { record(bytes, pipe) }
        return .some
    }

    private func record(_ bytes: UnsafeRawBufferPointer, _ pipe: CapturedPipe) {
        guard let recorder else { return }
        let stream = pipe.stream
        do throws(DomeError) {
            try recorder.take(bytes, from: stream, wallNanoseconds: Clock.wallNanoseconds())
        } catch {
            diskRefused(error)
        }
        keeper.noteHead(self)
        guard !recorder.isBlocked, recorder.hasUnterminatedLine(stream) else { return }
        pipe.lastReadNanoseconds = Clock.monotonicNanoseconds()
        if pipe.idleTimer == nil { flushLater(pipe, limits.idleFlushMilliseconds) }
    }

    /// One timer runs per stream while it has an unfinished line; a read in between only moves its end.
    private func flushLater(_ pipe: CapturedPipe, _ milliseconds: UInt64) {
        pipe.idleTimer = keeper.loop.schedule(afterMilliseconds: milliseconds) { [weak self] in
            guard let self else { return }
            pipe.idleTimer = nil
            guard let recorder, report == nil, recorder.hasUnterminatedLine(pipe.stream) else { return }
            let silence = (Clock.monotonicNanoseconds() - pipe.lastReadNanoseconds) / 1_000_000
            let rest = Int64(clamping: limits.idleFlushMilliseconds) - silence
            if rest > 0 { return flushLater(pipe, UInt64(rest)) }
            do throws(DomeError) {
                try recorder.flushIdle(pipe.stream)
                keeper.noteHead(self)
            } catch {
                diskRefused(error)
            }
        }
    }

    private func feedTerminal() {
        guard let descriptor = standardOutput.descriptor else { return }
        if terminalInput?.feed(descriptor) ?? true {
            terminalInput = nil
            standardOutput.registration?.setInterest(.readable)
        }
    }

    // MARK: A full disk

    /// The journal took nothing: the pipes are left alone (the tool waits, nothing is lost), and it is tried again.
    func diskRefused(_ error: DomeError) {
        unwatchPipes()
        if diskFullSince == 0 {
            diskFullSince = Clock.monotonicNanoseconds()
            Log.error("keeper.journal_blocked", ["job": jobID.text, "error": error.description])
        }
        guard diskTimer == nil, report == nil else { return }
        retryLater { $0.retryDisk() }
    }

    func retryLater(_ body: @escaping (JobRun) -> Void) {
        diskTimer?.cancel()
        diskTimer = keeper.loop.schedule(afterMilliseconds: keeper.configuration.diskRetryMilliseconds) { [weak self] in
            guard let self else { return }
            diskTimer = nil
            body(self)
        }
    }

    var isDiskGraceOver: Bool {
        let waited = Clock.monotonicNanoseconds() - diskFullSince
        return diskFullSince != 0
            && waited / 1_000_000 >= Int64(clamping: keeper.configuration.diskFullGraceMilliseconds)
    }

    private func retryDisk() {
        guard let recorder, report == nil else { return }
        do throws(DomeError) {
            try recorder.retry()
            guard appendWaiting() else { return }
            diskFullSince = 0
            Log.info("keeper.journal_unblocked", ["job": jobID.text])
            keeper.noteHead(self)
            watchPipes()
        } catch {
            if isDiskGraceOver { end(.diskFull, "the disk of its journal stayed full", immediately: true) }
            retryLater { $0.retryDisk() }
        }
    }
}
