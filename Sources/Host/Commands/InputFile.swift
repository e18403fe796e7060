import DomeModel
import DomePlatform
import Glibc

/// What a command is given to read: a file, a pipe, or what is piped into it.
enum InputFile {
    /// All of `place`, "-" for standard input; more than `limitBytes` is an error. Waits for whoever writes into a pipe, also
    /// if the descriptor was handed over as one that does not wait. What is not there is status 66, what cannot be read 65.
    static func read(_ place: String, limitBytes: Int) throws(CommandFailure) -> [UInt8] {
        // Not by its name in /dev: a pipe that nobody has written into yet would look like one that cannot be read.
        guard place != "-" else { return try read(0, "standard input", limitBytes) }
        let file: FileDescriptor
        do throws(DomeError) { file = try Files.open(place, O_RDONLY) } catch { throw failure(error) }
        return try read(file.number, place, limitBytes)
    }

    private static func read(_ number: Int32, _ what: String, _ limitBytes: Int) throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(number, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count < 0 else {
                bytes.append(contentsOf: chunk[..<count])
                guard bytes.count <= limitBytes else {
                    throw CommandFailure("\(what) is larger than the \(limitBytes) bytes", status: ExitStatus.dataError)
                }
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var poller = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
                _ = poll(&poller, 1, -1)
            case let reason: throw failure(.system("read \(what)", reason))
            }
        }
    }

    /// A folder, or a file of somebody else's, is no fault of dome.
    private static func failure(_ error: DomeError) -> CommandFailure {
        var failure = CommandFailure(error)
        if error.code == .internal { failure.status = ExitStatus.dataError }
        return failure
    }
}
