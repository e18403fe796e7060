internal import CLinux
package import DomeModel
internal import Glibc

/// Programs of ours and of the system, started by posix_spawn. (Jobs are never started this way: the keeper
/// forks them.)
package struct Subprocess {
    package var path: String
    /// argv, the program's own name first.
    package var arguments: [String]
    /// NAME=VALUE, complete; nil inherits.
    package var environment: [String]?
    package var workingDirectory: String?
    /// What the child has open besides /dev/null on 0, 1 and 2 (which an entry here replaces); nothing else.
    package var descriptors: [(source: FileDescriptor, target: Int32)] = []
    /// Whether it leads a session of its own, out of reach of the terminal's signals.
    package var isSessionLeader = false

    package init(_ path: String, _ arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// Starts it and returns its pid; the caller reaps it. Signals are unblocked and at their defaults.
    package func start() throws(DomeError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let moved = try Self.movedAside(descriptors)
        // The copies must be open until the child has them.
        defer { withExtendedLifetime(moved) {} }
        arrange(moved, &actions)
        if let workingDirectory { _ = dome_spawn_add_chdir(&actions, workingDirectory) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let session: Int32 = isSessionLeader ? 0x80 : 0  // POSIX_SPAWN_SETSID
        posix_spawnattr_setflags(
            &attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | session))
        var pid: pid_t = 0
        let status = withCStrings(arguments) { argv in
            guard let environment else { return posix_spawn(&pid, path, &actions, &attributes, argv, environ) }
            return withCStrings(environment) { posix_spawn(&pid, path, &actions, &attributes, argv, $0) }
        }
        guard status == 0 else { throw .system("start \(path)", status) }
        return pid
    }

    /// /dev/null where nothing else was given, each source at its target, and nothing else open: what somebody left
    /// without close-on-exec (this program's parent, a library) is not the child's.
    private func arrange(
        _ descriptors: [(source: FileDescriptor, target: Int32)], _ actions: inout posix_spawn_file_actions_t
    ) {
        let targets = Set(descriptors.map(\.target))
        for number in Int32(0)...2 where !targets.contains(number) {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        for (source, target) in descriptors { posix_spawn_file_actions_adddup2(&actions, source.number, target) }
        let highest = max(2, targets.max() ?? 2)
        for number in 2...highest where number > 2 && !targets.contains(number) {
            posix_spawn_file_actions_addclose(&actions, number)
        }
        _ = dome_spawn_add_close_from(&actions, highest + 1)
    }

    /// dup2 onto itself would leave close-on-exec set, and an early target could overwrite a later source:
    /// sources that lie among the targets move above them all first.
    private static func movedAside(
        _ descriptors: [(source: FileDescriptor, target: Int32)]
    ) throws(DomeError) -> [(source: FileDescriptor, target: Int32)] {
        let highest = max(2, descriptors.map(\.target).max() ?? 2)
        var moved: [(source: FileDescriptor, target: Int32)] = []
        for (source, target) in descriptors {
            if source.number > highest {
                moved.append((source, target))
                continue
            }
            let copy = fcntl(source.number, F_DUPFD_CLOEXEC, highest + 1)
            guard copy >= 0 else { throw .system("duplicate descriptor \(source.number)", errno) }
            moved.append((FileDescriptor(owning: copy), target))
        }
        return moved
    }

    /// What a finished program left.
    package struct Outcome: Sendable {
        /// nil when it did not exit by itself.
        package var exitCode: Int32?
        package var output: [UInt8]
        package var isTimedOut: Bool
        /// The process, if not even SIGKILL has ended it: it waits in the kernel, perhaps for a mount whose server is
        /// gone. Whoever asked reaps it, some day.
        package var survivor: Survivor?
    }

    /// A killed child that has not ended yet.
    package struct Survivor: @unchecked Sendable {
        // @unchecked: the handle is only asked, and its descriptor stays the same.
        private let process: ProcessHandle

        fileprivate init(_ process: ProcessHandle) { self.process = process }

        package var processID: Int32 { process.processID }

        /// True from its end on; it is reaped then. Does not wait.
        package func hasBeenReaped() -> Bool {
            guard process.hasEnded else { return false }
            waitpid(process.processID, nil, WNOHANG)
            return true
        }
    }

    /// How long a killed process may take to end.
    private static let endingNanoseconds: Int64 = 1_000_000_000

    /// Runs it to its end with stdout collected, at most `limitBytes` of it; kills it after `timeoutMilliseconds`,
    /// and when it writes more. What has been killed is not waited for longer than a second. Blocks the calling thread:
    /// never call it on the core's.
    package func capture(limitBytes: Int, timeoutMilliseconds: Int64) throws(DomeError) -> Outcome {
        let deadline = Clock.monotonicNanoseconds() + min(timeoutMilliseconds, 1 << 40) * 1_000_000
        let (process, reading) = try startedWithPipe()
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while output.count < limitBytes, Self.waitUntilReadable(reading, deadline) {
            let count = read(reading.number, &chunk, min(chunk.count, limitBytes - output.count))
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            output.append(contentsOf: chunk[..<count])
        }
        // It may have closed its stdout and go on, hang, or still be writing past the limit.
        let hasEnded = output.count < limitBytes && Self.waitUntilReadable(process.descriptor, deadline)
        let isTimedOut = !hasEnded && output.count < limitBytes
        if !hasEnded {
            process.send(signal: SIGKILL)
            guard Self.waitUntilReadable(process.descriptor, Clock.monotonicNanoseconds() + Self.endingNanoseconds)
            else {
                return Outcome(output: output, isTimedOut: isTimedOut, survivor: Survivor(process))
            }
        }
        var status: Int32 = 0
        while waitpid(process.processID, &status, 0) < 0, errno == EINTR {}
        return Outcome(exitCode: status & 0x7f == 0 ? status >> 8 & 0xff : nil, output: output, isTimedOut: isTimedOut)
    }

    /// Starts it with stdout in a pipe, whose writing end only the child has when this returns.
    private func startedWithPipe() throws(DomeError) -> (ProcessHandle, FileDescriptor) {
        let pipe = try Pipe()
        var program = self
        program.descriptors.append((pipe.writing, 1))
        let processID = try program.start()
        do throws(DomeError) { return (try ProcessHandle(processID), pipe.reading) } catch {
            kill(processID, SIGKILL)
            while waitpid(processID, nil, 0) < 0, errno == EINTR {}
            throw error
        }
    }

    /// False when the deadline (monotonic nanoseconds) comes first.
    private static func waitUntilReadable(_ descriptor: FileDescriptor, _ deadline: Int64) -> Bool {
        while true {
            let left = (deadline - Clock.monotonicNanoseconds()) / 1_000_000
            guard left > 0 else { return false }
            var poller = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
            let count = poll(&poller, 1, Int32(min(left, 1 << 30)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return true }
        }
    }
}

/// Calls `body` with a NULL-terminated vector of C strings that lives as long as the call.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[strings.count] = nil
    defer {
        for index in 0..<strings.count { free(pointers[index]) }
        pointers.deallocate()
    }
    return body(pointers)
}
