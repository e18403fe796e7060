internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// One process of domed-plugin-probe, with the plugin in it. A step that the process does not survive, or that takes too
/// long, fails the trial with what is known about the end.
final class Probe {
    private let channel: FileDescriptor
    private let process: ProcessHandle
    private let output: Pipe
    private let errors: Pipe
    private let limitMilliseconds: Int64
    private var inbox: [UInt8] = []
    /// What of it has been taken: a flood of small answers is not moved for each of them.
    private var taken = 0
    private var crashNote: String?
    private var waitStatus: Int32?
    /// What the plugin wrote to stdout and stderr: the first bytes.
    private(set) var printed: [UInt8] = []
    private(set) var complained: [UInt8] = []
    private static let keptBytes = 4096

    private let isConfined: Bool

    init(_ command: ProbeCommand) throws(DomeError) {
        var ends: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { numbers in
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, numbers)
            }
        }
        guard status == 0 else { throw .system("make a channel for the probe", errno) }
        channel = FileDescriptor(owning: ends.0)
        let theirs = FileDescriptor(owning: ends.1)
        (output, errors) = (try Pipe(), try Pipe())
        (limitMilliseconds, isConfined) = (command.options.stepMilliseconds, command.options.isConfined)
        var program = try command.subprocess(theirs)
        program.descriptors += [(output.writing, 1), (errors.writing, 2)]
        program.isSessionLeader = true
        process = try ProcessHandle(try program.start())
        for pipe in [output.reading, errors.reading, channel] { try pipe.setNonblocking(true) }
    }

    deinit {
        // Whatever the plugin started and did not end is of its session.
        kill(-process.processID, SIGKILL)
        process.send(signal: SIGKILL)
        if waitStatus == nil { while waitpid(process.processID, nil, 0) < 0, errno == EINTR {} }
    }

    /// Takes one step. `doing` says in messages what the plugin was asked for, e.g. "in execute of 'say'".
    func step(
        _ letter: Character, _ fields: [ProbeField] = [], doing: String, limit: Int64? = nil
    ) throws(TrialEnd) -> ProbeAnswer {
        let deadline = Clock.monotonicNanoseconds() + (limit ?? limitMilliseconds) * 1_000_000
        try send(ProbeField.request(letter, fields), deadline, doing)
        while true {
            if let answer = nextAnswer() {
                if answer.letter == UInt8(ascii: "!") {
                    crashNote = answer.text(0)
                    continue
                }
                return answer
            }
            try wait(Int16(POLLIN), deadline, doing)
            try receive(doing)
        }
    }

    /// Has the process exit, with all that a library does then; fails unless it exits with 0.
    func exit() throws(TrialEnd) {
        let deadline = Clock.monotonicNanoseconds() + limitMilliseconds * 1_000_000
        try send(ProbeField.request("Q", []), deadline, "at its process's exit")
        while true {
            try wait(Int16(POLLIN), deadline, "at its process's exit")
            guard let status = end() else {
                readChannel()
                continue
            }
            guard status == 0 else { throw .failed(describe(status, "at its process's exit")) }
            return
        }
    }

    /// Lets time pass.
    func pause(microseconds: UInt32) { usleep(microseconds) }

    /// What it has printed by now.
    func readOutput() {
        Self.drain(output.reading, &printed)
        Self.drain(errors.reading, &complained)
    }

    private func send(_ bytes: [UInt8], _ deadline: Int64, _ doing: String) throws(TrialEnd) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(channel.number, raw.baseAddress.map { $0 + offset }, raw.count - offset, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                try wait(Int16(POLLOUT), deadline, doing)
            } else if errno != EINTR {
                throw ended(doing)
            }
        }
    }

    /// Waits for the channel, reading meanwhile what is printed. The process's end is the channel's too, unless a child
    /// of the plugin's holds it; so that is watched as well.
    private func wait(_ events: Int16, _ deadline: Int64, _ doing: String) throws(TrialEnd) {
        while true {
            let left = (deadline - Clock.monotonicNanoseconds()) / 1_000_000
            guard left > 0 else {
                throw .failed("\(doing): did not return within \(limitMilliseconds) ms, and was killed")
            }
            var watched = [
                pollfd(fd: channel.number, events: events, revents: 0),
                pollfd(fd: process.descriptor.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output.reading.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors.reading.number, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&watched, nfds_t(watched.count), Int32(clamping: left))
            if watched[2].revents & Int16(POLLIN) != 0 { Self.drain(output.reading, &printed) }
            if watched[3].revents & Int16(POLLIN) != 0 { Self.drain(errors.reading, &complained) }
            if watched[0].revents != 0 || watched[1].revents != 0 { return }
        }
    }

    private func receive(_ doing: String) throws(TrialEnd) {
        if readChannel() { return }
        // Nothing came, and waiting is over: the process has ended.
        throw ended(doing)
    }

    /// False if nothing was there.
    @discardableResult
    private func readChannel() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var isAny = false
        while true {
            let count = recv(channel.number, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0, inbox.count < 128 << 20 else { return isAny }
            inbox.append(contentsOf: chunk[..<count])
            isAny = true
        }
    }

    private func nextAnswer() -> ProbeAnswer? {
        let rest = inbox[taken...]
        let size = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard rest.count >= 4 + size else {
            inbox.removeSubrange(..<taken)
            taken = 0
            return nil
        }
        taken += 4 + size
        return ProbeAnswer(rest.dropFirst(4).prefix(size))
    }

    private func ended(_ doing: String) -> TrialEnd {
        readChannel()
        while let answer = nextAnswer() {
            if answer.letter == UInt8(ascii: "!") { crashNote = answer.text(0) }
        }
        readOutput()
        var status = end()
        if status == nil {
            kill(process.processID, SIGKILL)
            status = end(isBlocking: true)
        }
        return .failed(describe(status ?? 0, doing))
    }

    private func end(isBlocking: Bool = false) -> Int32? {
        if let waitStatus { return waitStatus }
        // The channel may close a moment before the process is gone.
        var poller = pollfd(fd: process.descriptor.number, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, isBlocking ? -1 : 200) > 0 else { return nil }
        var status: Int32 = 0
        while waitpid(process.processID, &status, 0) < 0 {
            guard errno == EINTR else { return nil }
        }
        waitStatus = status
        return status
    }

    private func describe(_ status: Int32, _ doing: String) -> String {
        let code = status >> 8 & 0xff
        if isConfined, code == ConfinedLaunch.failureStatus {
            return "the sandbox could not be made: 'dome doctor' says why; --unconfined tries the plugin without"
        }
        // What makes the sandbox ends as a shell would.
        let signal = isConfined && code > 128 && code < 128 + 65 ? code - 128 : status & 0x7f
        guard signal != 0 else {
            return "\(doing): ended the whole process, with exit status \(code)"
        }
        let words = crashNote.map { $0.isEmpty ? "" : ": " + $0 } ?? ""
        let said = String(decoding: complained.suffix(200), as: UTF8.self).split(separator: "\n").last ?? ""
        return "\(doing): killed by \(Self.name(ofSignal: signal))\(words)\(said.isEmpty ? "" : "; it said: \(said)")"
    }

    static func name(ofSignal number: Int32) -> String {
        let names: [Int32: String] = [
            SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGILL: "SIGILL",
            SIGTRAP: "SIGTRAP", SIGKILL: "SIGKILL", SIGTERM: "SIGTERM", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM",
            SIGSYS: "SIGSYS", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
        ]
        return names[number] ?? "signal \(number)"
    }

    private static func drain(_ pipe: FileDescriptor, _ kept: inout [UInt8]) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        // Bounded: a plugin that prints without end is met again at the next wait.
        for _ in 0..<256 {
            let count = read(pipe.number, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            kept.append(contentsOf: chunk[..<min(count, max(0, keptBytes - kept.count))])
        }
    }
}
