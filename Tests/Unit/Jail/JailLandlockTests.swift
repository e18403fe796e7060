import Glibc
import Testing

extension JailTests {
    /// The second lock behind the mounts. 0 stands for the kernel's own ABI, -1 for a kernel without Landlock: what
    /// is stopped with the first must succeed with the second, or it was not Landlock that stopped it.
    @Suite struct Landlock {
        private static let abis = ["0", "1", "2", "3", "4", "5"]

        @Test(arguments: Runner.available, abis)
        func `through a hole in the mounts nothing is read, run or written`(_ runner: Runner, _ abi: String) {
            let folder = Scratch.make(mode: 0o755, owner: runner.jobUID)
            Scratch.write(folder + "/secret", "s3cret", owner: runner.jobUID)
            Scratch.write(folder + "/run", "#!/bin/sh\necho RAN\n", owner: runner.jobUID)
            chmod(folder + "/run", 0o755)
            let script = """
                cd /proc/self/fd/3; cat secret; ls | grep run; ./run; (echo x >> secret) && echo WROTE
                (echo x > new) && echo MADE; mkdir d && echo FOLDER; ln -s / l && echo LINKED; rm -f run && echo REMOVED
                """
            let stopped = Driver.shell(runner, ["--landlock", abi, "--leak", folder], script)
            #expect(stopped.exit != nil)
            for seen in ["s3cret", "RAN", "WROTE", "MADE", "FOLDER", "LINKED", "REMOVED"] {
                #expect(!stopped.output.contains(seen), "ABI \(abi)")
            }
            #expect(Scratch.owner(folder + "/run") != nil && Scratch.owner(folder + "/new") == nil)
            guard abi == "0" else { return }
            let open = Driver.shell(runner, ["--landlock", "-1", "--leak", folder], script)
            #expect(open.output == "s3cretrun|RAN|WROTE|MADE|FOLDER|LINKED|REMOVED|")
            #expect(open["layers"]?.contains("landlock") == false)
        }

        @Test(arguments: Runner.available, abis)
        func `proc is read-only, a thread's own name is not`(_ runner: Runner, _ abi: String) {
            let script = """
                echo 500 > /proc/self/oom_score_adj && echo ADJUSTED; echo x > /proc/self/comm && echo NAMED
                echo core > /proc/sys/kernel/core_pattern && echo ESCAPED
                grep -c MemTotal /proc/meminfo; python3 -c 'import ctypes
                ctypes.CDLL(None).prctl(15, b"renamed"); print(open("/proc/self/comm").read().strip())'
                """
            let stopped = Driver.shell(runner, ["--landlock", abi], script)
            #expect(stopped.output.hasSuffix("1|renamed|"), "\(stopped.output)")
            for seen in ["ADJUSTED", "NAMED", "ESCAPED"] { #expect(!stopped.output.contains(seen)) }
            guard abi == "0" else { return }
            let open = Driver.shell(runner, ["--landlock", "-1"], script)
            #expect(open.output.contains("ADJUSTED|NAMED|"))
        }

        @Test(arguments: Runner.available, abis)
        func `in its own folders a job does what any program does`(_ runner: Runner, _ abi: String) {
            let script = """
                set -e
                for d in /job /tmp /dev/shm; do
                  cd $d; mkdir -p a b; echo one > a/f; cp a/f a/g; mv a/f a/h; mv a/h b/h; ln a/g a/l; ln -s g a/s
                  mkfifo p; truncate -s 0 a/g; : > b/h; rm -r a b p
                done
                cd /job; printf '#!/bin/sh\\necho ran\\n' > x; chmod +x x; ./x; cp /bin/true t; ./t
                echo x > /dev/null; : > /dev/null; head -c 1 /dev/urandom > /dev/full || true
                echo shown > /dev/stdout; cat /dev/stdin; cat <(echo substituted) ; sort <<< here; ls / /dev > /dev/null
                python3 - <<END
                import ctypes, multiprocessing, os, socket, tempfile
                with tempfile.TemporaryFile() as file: file.write(b'x')
                unnamed = os.open('.', os.O_TMPFILE | os.O_RDWR)
                assert ctypes.CDLL(None).linkat(-100, b'/proc/self/fd/%d' % unnamed, -100, b'named', 0x400) == 0
                memory = os.memfd_create('m'); open(f'/proc/self/fd/{memory}', 'w').write('x')
                listener = socket.socket(socket.AF_UNIX); listener.bind('/tmp/s'); listener.listen()
                socket.socket(socket.AF_UNIX).connect('/tmp/s')
                multiprocessing.Lock(); multiprocessing.Queue()
                print('python')
                END
                """
            let seen = Driver.seen(runner, ["--landlock", abi], ["/bin/bash", "-c", script])
            #expect(seen.exit == "exited 0 true", "ABI \(abi): \(seen.output)")
            let tail = "shown|substituted|here|python|"
            #expect(seen.output.hasPrefix("ran|") && seen.output.hasSuffix(tail), "ABI \(abi): \(seen.output)")
        }

        @Test(arguments: Runner.available, abis)
        func `a grant is for what it says, whatever the ABI`(_ runner: Runner, _ abi: String) {
            let (reading, writing) = (Scratch.make(owner: runner.uid), Scratch.make(owner: runner.uid))
            let single = Scratch.make(owner: runner.uid) + "/single"
            for path in [reading + "/f", writing + "/f", single] { Scratch.write(path, "old|", owner: runner.uid) }
            let script = """
                cat \(reading)/f \(writing)/f \(single); ls \(reading); echo x > \(reading)/f && echo WROTE
                cd \(writing) && mkdir -p d/e && echo y > d/n && mv d/n d/e/n && mv f g && : > g && rm -r d && echo good
                echo new > \(single); cat \(single)
                """
            let options = ["--landlock", abi, "--read", reading, "--write", writing, "--write", single]
            let seen = Driver.shell(runner, options, script)
            #expect(seen.output.hasPrefix("old|old|old|f|") && seen.output.hasSuffix("good|new|"), "\(seen.output)")
            #expect(!seen.output.contains("WROTE"))
        }

        @Test(arguments: Runner.available)
        func `a terminal can be opened again by every name it has`(_ runner: Runner) {
            let names = "/dev/tty /dev/stdin /proc/self/fd/1"
            let script = "for t in \(names); do stty size < $t > /dev/null && echo opened > $t; done"
            let seen = Driver.shell(runner, ["--terminal"], script)
            #expect(seen.output == String(repeating: "opened|", count: 3))
        }

        @Test(arguments: Runner.available)
        func `what holds is recorded as what it is`(_ runner: Runner) {
            func layers(_ abi: String) -> [Substring] {
                Driver.seen(runner, ["--landlock", abi], ["/bin/true"])["layers"]?.split(separator: " ") ?? []
            }
            #expect(layers("0").contains("landlock_files") && layers("0").contains("landlock"))
            for abi in ["1", "5"] {
                // No scopes: the namespaces stand in for them and are named.
                #expect(layers(abi).contains("landlock_files") && !layers(abi).contains("landlock"))
                #expect(layers(abi).contains("network_namespace") && layers(abi).contains("pid_namespace"))
            }
            #expect(!layers("-1").contains("landlock_files"))
        }

        @Test(arguments: Runner.available)
        func `a kernel without Landlock is refused by that name`(_ runner: Runner) {
            let refused = Driver.seen(runner, ["--landlock", "-1", "--probe"], [])
            #expect(refused["missing"] == "landlock_files")
            let old = Driver.seen(runner, ["--landlock", "1", "--probe"], [])
            #expect(old["missing"] == "" && old["failure"] == nil)
            let job = Driver.shell(runner, ["--landlock", "-1", "--require-all"], "echo ran")
            #expect(job["failed"]?.hasPrefix("[sandbox layers] 1 landlock_files") == true)
            #expect(job["words"]?.contains("lsm=") == true)
            #expect(job.output.isEmpty)
        }

        /// Elsewhere a namespace stands in for what Landlock cannot do before ABI 6; here nothing does.
        @Test(arguments: Runner.available)
        func `the host's network and Unix sockets together need the scopes`(_ runner: Runner) {
            let options = ["--full", "--unix", "--require-all"]
            #expect(Driver.shell(runner, options, "echo ran").output == "ran|")
            let refused = Driver.shell(runner, options + ["--landlock", "5"], "echo ran")
            #expect(refused["failed"] == "[sandbox layers] 1 landlock" && refused.output.isEmpty)
            #expect(refused["words"]?.contains("6.12") == true)
            for fewer in [["--full", "--require-all"], ["--unix", "--require-all"]] {
                #expect(Driver.shell(runner, fewer + ["--landlock", "5"], "echo ran").output == "ran|")
            }
        }
    }
}
