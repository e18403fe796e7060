import DomePlatform
import Glibc

/// Input on its way into a terminal, which takes it line by line and ends it with ^D. Terminals take no line
/// beyond 4,095 bytes: that is their nature (termios(3)), not ours.
struct TerminalInput {
    private var bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes + [0x04] }

    /// Writes what fits; true when there is no more to write.
    mutating func feed(_ controller: FileDescriptor) -> Bool {
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { raw -> Int in
                guard let base = raw.baseAddress else { return 0 }
                return write(controller.number, base + offset, min(raw.count - offset, 4096))
            }
            if count < 0 { return errno != EAGAIN && errno != EINTR }
            offset += count
        }
        return true
    }
}
