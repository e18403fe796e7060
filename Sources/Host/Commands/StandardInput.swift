import Glibc

/// What is piped into the command.
enum StandardInput {
    /// All of it; more than `limitBytes` is an error. Waits for whoever writes, also if the descriptor was handed over
    /// as one that does not wait.
    static func read(limitBytes: Int) throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(0, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count < 0 else {
                bytes.append(contentsOf: chunk[..<count])
                guard bytes.count <= limitBytes else {
                    throw CommandFailure(
                        "standard input is larger than the \(limitBytes) bytes", status: ExitStatus.dataError)
                }
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var poller = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
                _ = poll(&poller, 1, -1)
            case let reason:
                throw CommandFailure(
                    "cannot read standard input: \(String(cString: strerror(reason)))", status: ExitStatus.dataError)
            }
        }
    }
}
