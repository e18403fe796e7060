package import DomeModel
import DomePlatform
import Glibc

/// Making a journal, and taking one over from a writer who is gone.
extension JournalWriter {
    /// What to do with a journal that is damaged before its tail.
    package enum Damage: Sendable {
        /// Throw, and change nothing.
        case refuse
        /// Copy everything from the damage on to `<path>.damaged-<byte>`, cut it from the journal, go on.
        case setAside
    }

    /// Creates the journal of a new job, and the folders down to it. `keepsReserve` costs a system call or two
    /// and is for whoever will write the EXIT record.
    package static func create(
        path: String, _ jobID: JobID, keepsReserve: Bool = false
    ) throws(DomeError) -> JournalWriter {
        let flags = O_RDWR | O_CREAT | O_EXCL
        let number = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        let file: FileDescriptor
        if number >= 0 {
            file = FileDescriptor(owning: number)
        } else {
            guard errno == ENOENT, let slash = path.lastIndex(of: "/") else { throw .system("create \(path)", errno) }
            try Files.makeDirectories(String(path[..<slash]))
            file = try Files.open(path, flags)
        }
        try lock(file, jobID)
        let salt = try writeHeader(file, jobID)
        return JournalWriter(file, jobID, salt: salt, state: JournalSummary(), keepsReserve: keepsReserve)
    }

    /// Takes over an existing journal: checks every frame, cuts a torn tail, knows the next seq and whether
    /// the EXIT record and the terminal event are there.
    ///
    /// - Throws: E_NOT_FOUND without a file; E_LOCK_CONFLICT while another writer has it; E_INTERNAL naming
    ///   job and byte if it is damaged before its tail and `damage` is `.refuse`.
    package static func open(
        path: String, _ jobID: JobID, keepsReserve: Bool = false, damage: Damage = .refuse,
        scratch: JournalScratch? = nil
    ) throws(DomeError) -> JournalWriter {
        let file = try Files.open(path, O_RDWR)
        try lock(file, jobID)
        let size = try JournalSummary.size(of: file, jobID)
        // Made ahead. There is nothing to read, and nothing to cut: ext4 starts writing a file back when it is closed
        // that was ever cut to nothing [measured: 50 us].
        guard size > 0 else {
            let salt = try writeHeader(file, jobID)
            return JournalWriter(file, jobID, salt: salt, state: JournalSummary(), keepsReserve: keepsReserve)
        }
        let scratch = scratch ?? JournalScratch(forFileOf: size)
        var state: JournalSummary
        do throws(DomeError) {
            state = try JournalSummary.scan(file, jobID, scratch)
        } catch {
            guard damage == .setAside else { throw error }
            state = try setAside(file, path, jobID)
        }
        guard state.byteLength > 0, let reader = try FrameReader(file, jobID, scratch) else {
            // Its creator died before the header was whole.
            guard ftruncate(file.number, 0) == 0 else { throw .system("cut \(path)", errno) }
            let salt = try writeHeader(file, jobID)
            return JournalWriter(file, jobID, salt: salt, state: JournalSummary(), keepsReserve: keepsReserve)
        }
        if state.fileByteLength != state.byteLength {
            guard ftruncate(file.number, off_t(state.byteLength)) == 0 else { throw .system("cut \(path)", errno) }
        }
        return JournalWriter(file, jobID, salt: reader.salt, state: state, keepsReserve: keepsReserve)
    }

    private static func lock(_ file: FileDescriptor, _ jobID: JobID) throws(DomeError) {
        guard try file.lockExclusively() else {
            throw DomeError(.lockConflict, "journal of \(jobID) is being written by another process")
        }
    }

    private static func writeHeader(_ file: FileDescriptor, _ jobID: JobID) throws(DomeError) -> UInt32 {
        var generator = SystemRandomNumberGenerator()
        let salt: UInt32 = generator.next()
        let bytes = FileHeader.make(jobID, salt: salt)
        let count = pwrite(file.number, bytes, bytes.count, 0)
        guard count == bytes.count else {
            throw .system("write the journal of \(jobID)", count < 0 ? errno : ENOSPC)
        }
        return salt
    }

    /// Copies what the damage reaches and returns the state before it.
    private static func setAside(
        _ file: FileDescriptor, _ path: String, _ jobID: JobID
    ) throws(DomeError) -> JournalSummary {
        let sound = JournalSummary.scanUntilDamage(file, jobID)
        let target = "\(path).damaged-\(sound.byteLength)"
        let copy = try Files.open(target, O_WRONLY | O_CREAT | O_TRUNC)
        var offset = sound.byteLength
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = pread(file.number, &chunk, chunk.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read \(path)", errno) }
            if count == 0 { break }
            try Files.writeAll(copy, Array(chunk[..<count]), what: target)
            offset += count
        }
        Log.warning("journal.damaged", ["job": jobID.text, "byte": "\(sound.byteLength)", "kept_in": target])
        return sound
    }
}
