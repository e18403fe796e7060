import DomeJail
import DomeModel
import DomePlatform
import Glibc

/// One server, one job.
final class Session {
    private let options: Options
    private let server: JailServer
    private var work: FileDescriptor?
    private var output: [UInt8] = []
    private var reading: FileDescriptor?
    private var progress: FileDescriptor?
    private let gate: JailGate?
    private var isOver = false

    init(_ options: Options) throws(DomeError) {
        self.options = options
        gate = options.isGated ? try JailGate() : nil
        server = try JailServer(options.server)
    }

    func run() throws(DomeError) {
        var descriptors = JailServer.Descriptors()
        if let number = options.outputNumber {
            descriptors.standardOutput = FileDescriptor(owning: number)
        } else {
            (reading, descriptors.standardOutput) = try Self.makePipe()
            descriptors.standardError = descriptors.standardOutput
        }
        if options.usesTerminal {
            let (main, tool) = try Self.makeTerminal()
            reading = main
            descriptors.standardInput = tool
            descriptors.standardOutput = tool
            descriptors.standardError = tool
            descriptors.terminal = tool
        }
        if options.hasProgress { (progress, descriptors.progress) = try Self.makePipe() }
        if let folder = options.leakedFolder {
            let number = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard number >= 0 else { throw .system("open \(folder)", errno) }
            descriptors.progress = FileDescriptor(owning: number)
        }
        descriptors.gate = gate
        let spec = try JailSpec(
            options.plan, requiredLayers: options.requiredLayers, workSource: options.workSource)
        guard try server.start(token: 7, spec, descriptors) else { throw DomeError(.internal, "socket full") }
        descriptors = JailServer.Descriptors()
        while !isOver {
            wait()
            readOutput()
            try readReplies()
        }
        // Not waiting: whatever still held the pipe would show as "open".
        print("stdout_pipe", readOutput() ? "closed" : "open")
        if let progress { print("progress", Self.text(Self.readAll(progress).bytes)) }
        print("output", Self.text(output))
        printWork()
    }

    func kill() throws(DomeError) { _ = try server.kill(token: 7) }
    func terminate() throws(DomeError) { _ = try server.signal(SIGTERM, token: 7) }

    private func wait() {
        var polled = [pollfd(fd: server.replies.number, events: Int16(POLLIN), revents: 0)]
        if let reading { polled.append(pollfd(fd: reading.number, events: Int16(POLLIN), revents: 0)) }
        poll(&polled, UInt(polled.count), 30_000)
        if polled.count > 1, polled[1].revents & Int16(POLLHUP) != 0 { usleep(200) }
    }

    /// Whether the pipe has no writer any more.
    @discardableResult
    private func readOutput() -> Bool {
        guard let reading else { return true }
        let wasEmpty = output.isEmpty
        let (bytes, isAtEnd) = Self.readAll(reading)
        output += bytes
        if wasEmpty, !output.isEmpty { try? options.onOutput(self) }
        return isAtEnd
    }

    private func readReplies() throws(DomeError) {
        while !isOver {
            switch try server.receive() {
            case .nothing: return
            case .closed: throw DomeError(.internal, "the server closed its socket")
            case .reply(let reply): try take(reply)
            }
        }
    }

    private func take(_ reply: JailReply) throws(DomeError) {
        switch reply {
        case .ready(let layers):
            var link = [UInt8](repeating: 0, count: 256)
            let size = readlink("/proc/\(server.processID)/ns/net", &link, link.count)
            print("server_network", Self.text(Array(link.prefix(max(size, 0)))))
            print("ready", layers.layerNames.joined(separator: " "))
        case .unusable(let failure): try fail(failure)
        case .prepared(_, let layers, let work):
            self.work = work
            print("prepared", layers.layerNames.joined(separator: " "))
            if let onPrepared = options.onPrepared {
                try onPrepared(self)
            } else if options.isGated {
                print("output_at_gate", Self.text(output))
                try gate?.open()
            }
        case .executed: print("executed")
        case .failed(_, let failure): try fail(failure)
        case .exited(_, let exit):
            isOver = true
            print("exited", exit.cause, exit.rawWaitStatus, exit.hasExecuted)
            print("layers", exit.layers.layerNames.joined(separator: " "))
            print("usage", exit.userMicroseconds + exit.systemMicroseconds > 0, exit.maxResidentKilobytes > 0)
        }
    }

    private func fail(_ failure: JailFailure) throws(DomeError) {
        isOver = true
        print("failed [\(failure.stageName)] \(failure.errno) \(failure.detail)")
        print("words", failure.error)
    }

    /// Regular files at the top of /job, read through the descriptor after the job is gone.
    private func printWork() {
        guard let work else { return }
        let folder = openat(work.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0, let entries = fdopendir(folder) else { return print("work unreadable \(errno)") }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(".") { continue }
            var status = stat()
            fstatat(work.number, name, &status, AT_SYMLINK_NOFOLLOW)
            let number = openat(work.number, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
            guard number >= 0 else { continue }
            let bytes = Self.readAll(FileDescriptor(owning: number)).bytes
            print("work \(name) \(status.st_uid) \(Self.text(bytes))")
        }
        closedir(entries)
    }

    private static func makePipe() throws(DomeError) -> (reading: FileDescriptor, writing: FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("create a pipe", errno) }
        let pair = (FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        // Not close-on-exec, on purpose: the server must not inherit what it was not given.
        return pair
    }

    private static func makeTerminal() throws(DomeError) -> (main: FileDescriptor, tool: FileDescriptor) {
        let main = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        var unlocked: Int32 = 0
        // TIOCSPTLCK, then TIOCGPTPEER: macros with a size in them, which Swift does not import.
        guard main >= 0, ioctl(main, 0x4004_5431, &unlocked) == 0 else {
            throw .system("open a pseudo-terminal", errno)
        }
        let tool = ioctl(main, 0x5441, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard tool >= 0 else { throw .system("open a pseudo-terminal's other side", errno) }
        return (FileDescriptor(owning: main), FileDescriptor(owning: tool))
    }

    private static func readAll(_ file: FileDescriptor) -> (bytes: [UInt8], isAtEnd: Bool) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file.number, &chunk, chunk.count)
            if count <= 0 { return (bytes, count == 0 || errno == EIO) }
            bytes += chunk[..<count]
        }
    }

    /// On one line: line feeds as bars, a terminal's carriage returns dropped.
    private static func text(_ bytes: [UInt8]) -> String {
        let line = bytes.filter { $0 != 13 }.map { $0 == 10 ? UInt8(ascii: "|") : $0 }
        return String(decoding: line, as: UTF8.self)
    }
}
