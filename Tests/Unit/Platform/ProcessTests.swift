import DomeModel
import DomePlatform
import Glibc
import Testing

@Suite struct `Programs` {
    private func shell(_ script: String) -> Subprocess { Subprocess("/bin/sh", ["sh", "-c", script]) }

    private func text(_ outcome: Subprocess.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    @Test func `their output and exit code are collected`() throws {
        let outcome = try shell("echo out; echo err >&2; exit 3").capture(limitBytes: 100, timeoutMilliseconds: 10_000)
        #expect(text(outcome) == "out\n" && outcome.exitCode == 3 && !outcome.isTimedOut)
    }

    @Test func `one that writes too much is cut off and killed`() throws {
        let outcome = try shell("while :; do echo yyyyyyyyyyyyyyyy; done").capture(
            limitBytes: 100_000, timeoutMilliseconds: 60_000)
        #expect(outcome.output.count == 100_000 && !outcome.isTimedOut && outcome.exitCode == nil)
    }

    @Test(arguments: ["sleep 60", "exec >/dev/null; sleep 60", "exec >&-; exec sleep 60", "sleep 60 & exit 0"])
    func `one that hangs is not waited for longer than agreed`(_ script: String) throws {
        let start = Clock.monotonicNanoseconds()
        let outcome = try shell("echo begun; \(script)").capture(limitBytes: 1000, timeoutMilliseconds: 200)
        #expect(outcome.isTimedOut || outcome.exitCode == 0)
        #expect(text(outcome) == "begun\n")
        #expect(Clock.monotonicNanoseconds() - start < 50_000_000_000)
    }

    @Test func `one that is not there is an error with its path`() {
        let error = #expect(throws: DomeError.self) { try Subprocess("/no/such/program", ["x"]).start() }
        #expect(error?.code == .notFound && error?.message.contains("/no/such/program") == true)
    }

    @Test func `they get the environment, folder and descriptors named, and nothing else`() throws {
        let (first, second) = (try Pipe(), try Pipe())
        let forgotten = dup(first.reading.number)
        defer { close(forgotten) }
        var program = shell("printf %s \"$A\" >&3; pwd >&4; env | sort >&4; ls /proc/self/fd | sort -n >&4")
        program.environment = ["A=é b", "PATH=/usr/bin:/bin"]
        program.workingDirectory = "/usr"
        // Each source lies where the other shall go.
        program.descriptors = [(try moved(first.writing, to: 40), 3), (try moved(second.writing, to: 41), 4)]
        let pid = try program.start()
        program.descriptors = []
        waitpid(pid, nil, 0)
        #expect(contents(first.reading) == "é b")
        let lines = contents(second.reading).split(separator: "\n").map(String.init)
        #expect(lines.first == "/usr" && lines.contains("A=é b") && !lines.contains { $0.hasPrefix("HOME=") })
        // 0, 1, 2, the two given, and the folder that ls reads (5): not the one that was left open for children.
        #expect(Array(lines.suffix(6)) == ["0", "1", "2", "3", "4", "5"])
    }

    @Test func `descriptors whose numbers cross arrive where they were meant to`() async {
        await #expect(processExitsWith: .success) {
            let (first, second) = (try Pipe(), try Pipe())
            // dash takes only one digit after >&.
            let folder = "/proc/self/fd/"
            let script =
                "printf one >\(folder)\(second.writing.number); printf two >\(folder)\(first.writing.number)"
            var program = Subprocess("/bin/sh", ["sh", "-c", script])
            program.descriptors = [(first.writing, second.writing.number), (second.writing, first.writing.number)]
            let pid = try program.start()
            waitpid(pid, nil, 0)
            var buffer = [UInt8](repeating: 0, count: 8)
            try #require(read(first.reading.number, &buffer, 8) == 3)
            #expect(buffer[..<3] == [UInt8]("one".utf8)[...])
            try #require(read(second.reading.number, &buffer, 8) == 3)
            #expect(buffer[..<3] == [UInt8]("two".utf8)[...])
        }
    }

    private func moved(_ descriptor: FileDescriptor, to number: Int32) throws -> FileDescriptor {
        let copy = fcntl(descriptor.number, F_DUPFD_CLOEXEC, number)
        try #require(copy >= 0)
        return FileDescriptor(owning: copy)
    }

    /// What is in a pipe now.
    private func contents(_ descriptor: FileDescriptor) -> String {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor.number, &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    @Test func `one held by pidfd is seen to end, once, and reaped`() throws {
        let loop = try EventLoop()
        let pid = try shell("read line; exit 5").start()
        let process = try ProcessHandle(pid)
        // Its stdin is /dev/null: it ends by itself.
        var calls = 0
        try process.whenEnded(on: loop) {
            calls += 1
            loop.schedule(afterMilliseconds: 5) { loop.stop() }
        }
        loop.run()
        #expect(calls == 1 && process.hasEnded)
        #expect(waitpid(pid, nil, WNOHANG) == -1)
        process.send(signal: SIGKILL)
        #expect(ProcessHandle.startTicks(of: pid) == nil)
    }

    @Test func `a signal reaches it, and its start can be told`() throws {
        let pid = try shell("exec sleep 60").start()
        let process = try ProcessHandle(pid)
        #expect(!process.hasEnded)
        let ticks = try #require(ProcessHandle.startTicks(of: pid))
        #expect(ticks >= (try #require(ProcessHandle.startTicks(of: getpid()))))
        process.send(signal: SIGTERM)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        #expect(status & 0x7f == SIGTERM && process.hasEnded)
        #expect(throws: DomeError.self) { try ProcessHandle(pid) }
    }
}
