import Glibc
import Testing

extension JailTests {
    @Suite struct Boundary {
        @Test(arguments: Runner.available)
        func `a path that was not granted is invisible`(_ runner: Runner) {
            let folder = Scratch.make(mode: 0o755, owner: runner.uid)
            Scratch.write(folder + "/secret", "s", owner: runner.uid)
            let seen = Driver.shell(runner, "cat \(folder)/secret; ls \(folder) /home /root /opt; ls /tmp")
            #expect(!seen.output.contains("dome-jail-") || !seen.output.contains("s|"))
            #expect(seen.output.contains("cannot access '\(folder)'"))
            #expect(seen.output.contains("cannot access '/home'"))
            #expect(seen.output.contains("cannot access '/opt'"))
        }

        @Test(arguments: Runner.available)
        func `a path granted for reading can be read and not written`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            Scratch.write(folder + "/file", "content", owner: runner.uid)
            let seen = Driver.shell(
                runner, ["--read", folder], "cat \(folder)/file; echo x > \(folder)/file; touch \(folder)/new")
            #expect(seen.output.hasPrefix("content"))
            #expect(seen.output.components(of: "Read-only file system") == 2)
            #expect(Scratch.owner(folder + "/new") == nil)
        }

        @Test(arguments: Runner.available)
        func `what a job writes to a granted path belongs to the path's owner`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            Scratch.write(folder + "/old", "content", owner: runner.uid)
            let seen = Driver.shell(runner, ["--write", folder], "cd \(folder) && cat old && echo x > new && mkdir d")
            #expect(seen.exit == "exited 0 true")
            #expect(Scratch.owner(folder + "/new") == runner.uid)
            #expect(Scratch.owner(folder + "/d") == runner.uid)
        }

        @Test(.enabled(if: geteuid() == 0))
        func `root's jobs write another user's granted path as that user`() {
            let folder = Scratch.make(owner: 54321)
            let seen = Driver.shell(
                .root, ["--write", folder], "echo x > \(folder)/new; id -u; stat -c %u \(folder)/new")
            #expect(seen.output == "65534|65534|")
            #expect(Scratch.owner(folder + "/new") == 54321)
            #expect(seen["layers"]?.contains("idmapped_grants") == true)
        }

        @Test(.enabled(if: geteuid() == 0))
        func `root's grant on a file system without id maps is refused by name`() {
            let seen = Driver.seen(.root, ["--read", "/proc/sys"], ["/bin/true"])
            #expect(seen["failed"]?.hasPrefix("[granted path: id-mapped mount] 22 proc /proc/sys") == true)
        }

        @Test(arguments: Runner.available)
        func `a granted path that was swapped for a symbolic link is refused`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            symlink("/etc", folder + "/link")
            let atEnd = Driver.seen(runner, ["--read", folder + "/link"], ["/bin/true"])
            #expect(atEnd["failed"] == "[granted path: open] 40 \(folder)/link")
            let onTheWay = Driver.seen(runner, ["--read", folder + "/link/ssl"], ["/bin/true"])
            #expect(onTheWay["failed"] == "[granted path: open] 40 \(folder)/link/ssl")
        }

        @Test(arguments: Runner.available)
        func `a granted path at which another file lies than was checked is refused`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            let seen = Driver.seen(runner, ["--read-replaced", folder], ["/bin/true"])
            #expect(seen["failed"] == "[granted path: replaced since it was checked] 116 \(folder)")
        }

        @Test(arguments: Runner.available)
        func `a link inside a granted tree does not lead a later mount astray`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            symlink("/etc", folder + "/link")
            let options = ["--read", folder, "--at", "\(folder)=\(folder)/link/passwd"]
            let seen = Driver.seen(runner, options, ["/bin/true"])
            #expect(seen["failed"] == "[granted path: place in the jail] 40 \(folder)/link/passwd")
        }

        @Test(arguments: Runner.available)
        func `one job does not see where another's grants lie`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            let seen = Driver.shell(
                runner, ["--at", "\(folder)=/srv/deep/place"], "ls /srv/deep; touch /srv/x /srv/deep/y; ls -A /var /run"
            )
            #expect(seen.output.contains("place"))
            #expect(seen.output.components(of: "Read-only file system") == 2)
        }

        @Test(arguments: Runner.available)
        func `job folder is the tool's, sized, and the keeper's after the end`(_ runner: Runner) {
            let script = "pwd; echo kept > out; head -c 2000000 /dev/zero > big; wc -c < big"
            let seen = Driver.shell(runner, script)
            #expect(seen.lines.contains { $0.hasPrefix("work out \(runner.jobUID) kept") })
            #expect(seen.output.hasPrefix("/job|"))
            #expect(seen.output.contains("No space left on device"))
        }

        @Test(arguments: Runner.available)
        func `a host folder can be the job folder`(_ runner: Runner) {
            let folder = Scratch.make(owner: runner.uid)
            let seen = Driver.shell(runner, ["--work", folder], "echo x > out")
            #expect(seen.exit == "exited 0 true")
            #expect(Scratch.owner(folder + "/out") == runner.uid)
        }

        @Test(arguments: Runner.available)
        func `planned files are there before the tool and are its own`(_ runner: Runner) {
            let script = "cat .dome/task.json; stat -c '%a %u' .dome/task.json; echo more >> .dome/task.json"
            let seen = Driver.shell(runner, ["--file", ".dome/task.json=planned"], script)
            #expect(seen.output == "planned640 \(runner.jobUID)|")
            #expect(seen.exit == "exited 0 true")
        }

        @Test(arguments: Runner.available)
        func `nothing is open but the three, and progress when asked`(_ runner: Runner) {
            // ls itself has the folder open: one more.
            #expect(Driver.shell(runner, "ls /proc/self/fd").output == "0|1|2|3|")
            let seen = Driver.shell(runner, ["--progress"], "echo 50 >&3; ls /proc/self/fd")
            #expect(seen.output == "0|1|2|3|4|")
            #expect(seen["progress"] == "50|")
        }

        @Test(arguments: Runner.available)
        func `a job has no rights over its mounts`(_ runner: Runner) {
            let seen = Driver.shell(
                runner,
                """
                umask; grep -c '^Cap.*:.0000000000000000$' /proc/self/status; grep NoNewPrivs /proc/self/status
                mount -t tmpfs x /tmp && echo MOUNTED; mount -o remount,rw /usr && echo REMOUNTED
                umount /tmp && echo UMOUNTED; umount -l /proc && echo UMOUNTED; for f in /x /usr/x /etc/x /dev/x; do touch $f && echo WRITTEN; done
                echo core > /proc/sys/kernel/core_pattern && echo ESCAPED
                """)
            #expect(seen.output.hasPrefix("0022|5|NoNewPrivs:\t1|"))
            for bad in ["MOUNTED", "REMOUNTED", "WRITTEN", "ESCAPED"] { #expect(!seen.output.contains(bad + "|")) }
        }

        @Test(arguments: Runner.available)
        func `our PID 1 can be neither read nor killed by its job`(_ runner: Runner) {
            let seen = Driver.shell(
                runner,
                "cat /proc/1/environ /proc/1/mem | head -c 1; ls /proc/1/fd; kill -9 1; kill -TERM 1; echo alive")
            #expect(seen.output.components(of: "Permission denied") == 3)
            #expect(seen.output.hasSuffix("alive|"))
            #expect(seen.exit == "exited 0 true")
        }

        @Test(arguments: Runner.available)
        func `the process limit counts the job alone`(_ runner: Runner) {
            // The shell is one, so seven more may run.
            let fork = "for i in 1 2 3 4 5 6 7 $1; do sleep 0.01 & done; wait; echo forked"
            #expect(Driver.shell(runner, ["--processes", "8"], fork).output == "forked|")
            #expect(Driver.shell(runner, ["--processes", "7"], fork).output.contains("Cannot fork"))
        }

        @Test(arguments: Runner.available)
        func `the network is empty unless more was granted`(_ runner: Runner) {
            let list = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; cat /etc/resolv.conf"
            let none = Driver.shell(runner, list)
            #expect(none.output.hasPrefix("lo|") && none.output.contains("No such file"))
            let connect = "exec 5<>/dev/tcp/127.0.0.1/9"
            #expect(Driver.seen(runner, [], ["/bin/bash", "-c", connect]).output.contains("unreachable"))
            let loopback = Driver.seen(runner, ["--loopback"], ["/bin/bash", "-c", connect])
            #expect(loopback.output.contains("refused"))
            #expect(Driver.shell(runner, ["--full"], list)["layers"]?.contains("network_namespace") == false)
        }

        @Test(arguments: Runner.available)
        func `the environment is what was given and nothing else`(_ runner: Runner) {
            let seen = Driver.seen(runner, ["--env", "A=b"], ["/usr/bin/env"])
            #expect(seen.output == "PATH=/usr/bin:/bin|A=b|")
        }

        @Test(arguments: Runner.available)
        func `a job on a terminal has it as its controlling terminal, and no other job sees one`(_ runner: Runner) {
            let script = "test -t 0 && test -t 1 && echo tty; echo direct > /dev/tty; ls -x /dev; touch /dev/x"
            let seen = Driver.shell(runner, ["--terminal"], script + "; script -qc 'echo inner' /dev/null; exit 5")
            #expect(seen.exit == "exited \(5 << 8) true")
            #expect(seen.output.hasPrefix("tty|direct|"))
            #expect(seen.output.contains("Read-only file system"))
            #expect(seen.output.contains("inner"))
            let without = Driver.shell(runner, "test -t 0 || echo none; ls /dev/tty /dev/ptmx /dev/pts")
            #expect(without.output.hasPrefix("none|"))
            #expect(without.output.components(of: "cannot access") == 3)
        }

        @Test(arguments: Runner.available)
        func `a system path is shared read-only`(_ runner: Runner) {
            // Below /tmp it would be covered by the job's own.
            let seen = Driver.shell(
                runner, ["--system", "/var/lib/dpkg"], "ls -d /var/lib/dpkg/info; touch /var/lib/dpkg/x")
            #expect(seen.output.hasPrefix("/var/lib/dpkg/info|"))
            #expect(seen.output.contains("Read-only file system") || seen.output.contains("Permission denied"))
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
