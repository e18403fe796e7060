internal import Glibc

/// systemd's journal, by its own protocol: a datagram a record. Spoken directly, like sd_notify(3): libsystemd would be a
/// dependency for one datagram.
package enum SystemJournal {
    private static let path = "/run/systemd/journal/socket"

    static var isThere: Bool { Files.exists(path) }

    /// Without waiting; false if the journal did not take it: it is not there, is full, or the record is too large.
    package static func send(_ record: [UInt8]) -> Bool { Datagram.send(record, to: path, mayWait: false) }

    /// Whether standard error is a stream that the service manager connected to the journal (systemd.exec(5),
    /// $JOURNAL_STREAM); one that was redirected since is not.
    static var isBehindStandardError: Bool {
        guard let variable = getenv("JOURNAL_STREAM") else { return false }
        let numbers = String(cString: variable).split(separator: ":").map { UInt64($0) }
        var status = stat()
        guard numbers.count == 2, fstat(2, &status) == 0 else { return false }
        return numbers[0] == UInt64(status.st_dev) && numbers[1] == UInt64(status.st_ino)
    }
}
