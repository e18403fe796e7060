import DomeJail
import Glibc
import Testing

extension JailTests {
    @Suite struct End {
        @Test(arguments: Runner.available)
        func `true runs with every required layer and exits 0`(_ runner: Runner) {
            let seen = Driver.seen(runner, [], ["/bin/true"])
            #expect(seen.exit == "exited 0 true")
            let required = EnforcedLayers.required(hasHostNetwork: false, isRoot: runner == .root).layerNames
            #expect(required.allSatisfy { seen["layers"]?.contains($0) == true })
            #expect(seen["layers"] == seen["ready"])
            #expect(seen["usage"] == "true true")
        }

        @Test(arguments: Runner.available)
        func `an exit code is passed on as the raw wait status`(_ runner: Runner) {
            #expect(Driver.shell(runner, "exit 42").exit == "exited \(42 << 8) true")
        }

        @Test(arguments: Runner.available)
        func `a tool killed by signal 9 is reported as killed by signal 9`(_ runner: Runner) {
            #expect(Driver.shell(runner, "kill -9 $$").exit == "exited 9 true")
            #expect(Driver.shell(runner, "kill -SEGV $$").exit == "exited 11 true")
        }

        @Test(arguments: Runner.available)
        func `stdout is captured to its end`(_ runner: Runner) {
            #expect(Driver.shell(runner, "echo one; echo two").output == "one|two|")
        }

        @Test(arguments: Runner.available)
        func `a program that is not there fails with ENOENT and its path`(_ runner: Runner) {
            let seen = Driver.seen(runner, [], ["/bin/not-there"])
            #expect(seen["failed"] == "[exec of the tool] 2 /bin/not-there")
            #expect(seen["words"]?.contains("/bin/not-there") == true)
            #expect(seen.exit == nil)
            #expect(Driver.seen(runner, [], ["not-there"])["failed"] == "[exec of the tool] 2 not-there")
            #expect(Driver.seen(runner, [], ["/etc/passwd"])["failed"] == "[exec of the tool] 13 /etc/passwd")
        }

        @Test(arguments: Runner.available)
        func `a working directory that is not there fails by name`(_ runner: Runner) {
            let seen = Driver.seen(runner, ["--cwd", "/nowhere"], ["/bin/true"])
            #expect(seen["failed"] == "[working directory] 2 /nowhere")
        }

        @Test(arguments: Runner.available)
        func `a gated job does nothing before GO`(_ runner: Runner) {
            let seen = Driver.shell(runner, ["--gated"], "echo ran")
            #expect(seen["output_at_gate"] == "")
            #expect(seen.output == "ran|")
        }

        @Test(arguments: Runner.available)
        func `a job that lacks a required layer never passes the gate`(_ runner: Runner) {
            for options in [["--gated", "--require-missing-layer"], ["--require-missing-layer"]] {
                let seen = Driver.shell(runner, options, "echo ran")
                #expect(seen["failed"]?.hasPrefix("[sandbox layers] 1 ") == true)
                #expect(seen.output == "")
            }
        }

        @Test(arguments: Runner.available)
        func `a job killed at the gate ends without having run`(_ runner: Runner) {
            let seen = Driver.shell(runner, ["--gated", "--kill-at-gate"], "echo ran")
            #expect(seen.exit == "killed 9 false")
            #expect(seen.output == "")
        }

        @Test(arguments: Runner.available)
        func `kill ends a job that ignores every signal`(_ runner: Runner) {
            let seen = Driver.shell(runner, ["--kill-on-output"], "trap '' TERM INT HUP; echo up; sleep 1000")
            #expect(seen.exit == "killed 9 true")
        }

        @Test(arguments: Runner.available)
        func `SIGTERM reaches the tool's whole process group`(_ runner: Runner) {
            let script =
                "trap 'echo outer; exit 3' TERM; sh -c 'trap \"echo inner; exit\" TERM; echo up; sleep 1000 & wait'"
            let seen = Driver.shell(runner, ["--term-on-output"], script)
            #expect(seen.exit == "exited \(3 << 8) true")
            #expect(seen.output.contains("inner") && seen.output.contains("outer"))
        }

        @Test(arguments: Runner.available)
        func `the namespace is empty when the end is reported`(_ runner: Runner) {
            let seen = Driver.shell(runner, "setsid sleep 1000 & setsid sh -c 'trap \"\" TERM; sleep 1000' & echo left")
            #expect(seen.exit == "exited 0 true")
            // Both held stdout: it is closed, so they are dead.
            #expect(seen["stdout_pipe"] == "closed")
            #expect(seen.output == "left|")
        }

        @Test(arguments: Runner.available)
        func `a job larger than a datagram starts all the same`(_ runner: Runner) {
            #expect(Driver.shell(runner, ["--pad", "12"], "echo ${#PAD11}").output == "100000|")
        }

        @Test(arguments: Runner.available, [[], ["--eof-only"]])
        func `no job outlives a keeper killed with SIGKILL`(_ runner: Runner, _ options: [String]) {
            let (reading, writing) = Driver.makePipe()
            let command = options + ["--stdout", "9", "--", "/bin/sh", "-c", "setsid sleep 1000 & echo up; sleep 1000"]
            let pid = Driver.start(runner.prefix + [Driver.path] + command) {
                posix_spawn_file_actions_adddup2(&$0, writing, 9)
                posix_spawn_file_actions_addopen(&$0, 1, "/dev/null", O_WRONLY, 0)
            }
            close(writing)
            var byte: UInt8 = 0
            for _ in 0..<3 { #expect(read(reading, &byte, 1) == 1) }
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            // The sleepers hold the pipe for 1000 s: it ends earlier only if they die.
            var poller = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
            #expect(poll(&poller, 1, 10_000) == 1)
            #expect(read(reading, &byte, 1) == 0)
            close(reading)
        }

        @Test(arguments: Runner.available)
        func `the probe finds the whole profile enforced`(_ runner: Runner) {
            let seen = Driver.seen(runner, ["--probe"], [])
            #expect(seen["failure"] == nil)
            #expect(seen["missing"] == "")
        }
    }
}
