internal import Glibc

/// systemd's journal, by its own protocol: a datagram a record. Spoken directly, like sd_notify(3): libsystemd would be a
/// dependency for one `send`.
final class JournalSocket: Sendable {
    /// Nil where no journal is.
    static let shared = JournalSocket(path: "/run/systemd/journal/socket")

    private let socket: FileDescriptor

    init?(path: String) {
        guard let socket = UnixSocket.datagram(to: path) else { return nil }
        self.socket = socket
    }

    /// Without waiting; false if the journal did not take it.
    func send(_ record: [UInt8]) -> Bool {
        Glibc.send(socket.number, record, record.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            == record.count
    }

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
