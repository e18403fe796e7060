import Glibc
import Testing

extension JailTests {
    /// The system call filter, from inside: a Python program tries things and prints the errno names.
    @Suite struct Filter {
        private static let prelude = """
            import ctypes, errno, os, platform, signal, socket, subprocess, sys, threading
            libc = ctypes.CDLL(None, use_errno=True)
            arm = platform.machine() == 'aarch64'
            def call(name, *arguments):
                ctypes.set_errno(0)
                result = getattr(libc, name)(*arguments)
                print(name, 'ok' if result >= 0 else errno.errorcode[ctypes.get_errno()])
            def raw(name, x86, arm64, *arguments):
                ctypes.set_errno(0)
                result = libc.syscall(arm64 if arm else x86, *arguments)
                print(name, 'ok' if result >= 0 else errno.errorcode[ctypes.get_errno()])
            def attempt(name, body):
                try:
                    body()
                    print(name, 'ok')
                except OSError as error:
                    print(name, errno.errorcode[error.errno])

            """

        /// What each name came to.
        private func results(_ runner: Runner, _ options: [String], _ script: String) -> [String: String] {
            let seen = Driver.seen(runner, options, ["/usr/bin/python3", "-c", Self.prelude + script])
            var results: [String: String] = [:]
            for line in seen.output.split(separator: "|") {
                let words = line.split(separator: " ")
                if words.count == 2 { results[String(words[0])] = String(words[1]) }
            }
            return results
        }

        @Test(arguments: Runner.available)
        func `namespaces, mounts and other processes are out of reach`(_ runner: Runner) {
            let results = results(
                runner, [],
                """
                for name, flag in [('user', 0x10000000), ('mount', 0x20000), ('net', 0x40000000), ('time', 0x80)]:
                    ctypes.set_errno(0)
                    print(name, 'ok' if libc.unshare(flag) >= 0 else errno.errorcode[ctypes.get_errno()])
                call('mount', b'x', b'/tmp', b'tmpfs', 0, None); call('umount2', b'/tmp', 2)
                call('chroot', b'/tmp'); call('setns', 0, 0); call('ptrace', 0, 0, 0, 0)
                raw('clone3', 435, 435, 0, 0); raw('openat2', 437, 437, 0, 0, 0, 0); raw('fsopen', 430, 430, 0, 0)
                raw('open_tree', 428, 428, -100, b'/', 1); raw('io_uring', 425, 425, 8, 0)
                raw('keyctl', 250, 219, 0, -3, 1); raw('bpf', 321, 280, 0, 0, 0); raw('perf', 298, 241, 0, 0, -1, -1, 0)
                raw('userfaultfd', 323, 282, 1); raw('clone', 56, 220, 0x10000000 | 17, 0, 0, 0, 0)
                """)
            for name in ["clone3", "openat2"] { #expect(results[name] == "ENOSYS", "\(name)") }
            let refused = [
                "user", "mount", "net", "time", "umount2", "chroot", "setns", "ptrace", "fsopen", "open_tree",
                "io_uring", "keyctl", "bpf", "perf", "userfaultfd", "clone",
            ]
            for name in refused { #expect(results[name] == "EPERM", "\(name)") }
        }

        @Test(arguments: Runner.available)
        func `setuid and setgid files cannot be planted, plain ones can`(_ runner: Runner) {
            let results = results(
                runner, [],
                """
                os.close(os.open('f', os.O_CREAT | os.O_WRONLY, 0o755))
                attempt('plain', lambda: os.chmod('f', 0o777)); attempt('setuid', lambda: os.chmod('f', 0o4755))
                attempt('setgid', lambda: os.chmod('f', 0o2755))
                attempt('fchmod', lambda: os.fchmod(os.open('f', os.O_RDONLY), 0o4755))
                attempt('create', lambda: os.open('g', os.O_CREAT | os.O_WRONLY, 0o4755))
                attempt('unnamed', lambda: os.open('.', os.O_TMPFILE | os.O_WRONLY, 0o4755))
                attempt('mknod', lambda: os.mknod('h', 0o104755)); attempt('open', lambda: os.open('f', os.O_RDONLY, 0o4755))
                raw('fchmodat2', 452, 452, -100, b'f', 0o4755, 0)
                """)
            #expect(results["plain"] == "ok" && results["open"] == "ok")
            for name in ["setuid", "setgid", "fchmod", "create", "unnamed", "mknod", "fchmodat2"] {
                #expect(results[name] == "EPERM", "\(name)")
            }
        }

        @Test(arguments: Runner.available)
        func `only Unix, IPv4 and IPv6 sockets exist`(_ runner: Runner) {
            let script = """
                for family in ['AF_INET', 'AF_INET6', 'AF_UNIX', 'AF_NETLINK', 'AF_PACKET', 'AF_VSOCK', 'AF_ALG']:
                    attempt(family, lambda: socket.socket(getattr(socket, family), socket.SOCK_DGRAM if family !=
                        'AF_NETLINK' else socket.SOCK_RAW))
                raw('disguised', 41, 198, 0x100000010, 3, 0)
                attempt('stream_pair', lambda: socket.socketpair()); attempt('datagram_pair',
                    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
                """
            let alone = results(runner, [], script)
            for name in ["AF_INET", "AF_UNIX", "stream_pair", "datagram_pair"] {
                #expect(alone[name] == "ok", "\(name)")
            }
            for name in ["AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "disguised"] {
                #expect(alone[name] == "EAFNOSUPPORT", "\(name)")
            }
            // A granted folder may have a socket in it, the host's network has abstract ones.
            for options in [["--read", Scratch.make(owner: runner.uid)], ["--full"]] {
                let reaching = results(runner, options, script)
                #expect(reaching["AF_UNIX"] == "EPERM" && reaching["datagram_pair"] == "EPERM")
                #expect(reaching["AF_INET"] == "ok" && reaching["stream_pair"] == "ok")
            }
        }

        @Test(arguments: Runner.available)
        func `threads, children and pipes work, terminal input cannot be faked`(_ runner: Runner) {
            let results = results(
                runner, [],
                """
                import fcntl
                thread = threading.Thread(target=lambda: print('thread', 'ok')); thread.start(); thread.join()
                print('child', subprocess.run(['/bin/echo', 'ok'], capture_output=True, text=True).stdout.strip())
                attempt('inject', lambda: fcntl.ioctl(0, 0x5412, b'x')); attempt('size', lambda: fcntl.ioctl(0, 0x5413, b'x' * 8))
                """)
            #expect(results["thread"] == "ok" && results["child"] == "ok")
            #expect(results["inject"] == "EPERM" && results["size"] == "ENOTTY")
        }

        @Test(arguments: Runner.available)
        func `no abstract socket of the host or of another job is reached`(_ runner: Runner) throws {
            let name = "dome-jail-test-\(getpid())-\(runner)"
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.dropFirst().copyBytes(from: name.utf8) }
            let size = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
            let isBound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
            }
            try #require(isBound == 0 && listen(listener, 4) == 0)
            let connect = "attempt('connect', lambda: socket.socket(socket.AF_UNIX).connect('\\0\(name)'))"
            // By permission of `unix` and with the host's network the name is there: only the scope stops it.
            #expect(results(runner, ["--full", "--unix"], connect)["connect"] == "EPERM")
            #expect(results(runner, ["--full", "--unix", "--landlock", "5"], connect)["connect"] == "ok")
            #expect(results(runner, [], connect)["connect"] == "ECONNREFUSED")
            // Where there are no scopes, jobs do not share a network namespace; otherwise they do: it is cheaper.
            let print = ["/usr/bin/readlink", "/proc/self/ns/net"]
            let old = Driver.seen(runner, ["--landlock", "5"], print)
            #expect(old["layers"]?.split(separator: " ").contains("landlock") == false)
            #expect(old.output.hasPrefix("net:") && old.output != (old["server_network"] ?? "") + "|")
            let new = Driver.seen(runner, [], print)
            #expect(new["layers"]?.split(separator: " ").contains("landlock") == true)
            #expect(runner == .user || new.output == (new["server_network"] ?? "") + "|")
        }

        #if arch(x86_64)
            @Test(arguments: Runner.available)
            func `the i386 system call table kills who enters it`(_ runner: Runner) {
                let script = """
                    import mmap
                    page = mmap.mmap(-1, 4096, prot=7)
                    page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))  # getpid, int 0x80
                    entry = ctypes.addressof(ctypes.c_char.from_buffer(page))
                    print('before', 'ok', flush=True); ctypes.CFUNCTYPE(ctypes.c_int)(entry)(); print('after', 'ok')
                    """
                let seen = Driver.seen(runner, [], ["/usr/bin/python3", "-c", Self.prelude + script])
                // SIGSYS with a core flag that RLIMIT_CORE does not clear everywhere; SIGSEGV where the kernel has no i386.
                let status = seen.exit.flatMap { Int32($0.split(separator: " ")[1]) } ?? 0
                #expect([31, 11].contains(status & 0x7f))
                #expect(seen.output == "before ok|")
            }
        #endif
    }
}
