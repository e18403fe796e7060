import DomeModel
import DomePlatform
import Glibc
import Testing

@Suite struct `CRC-32C` {
    /// RFC 3720, appendix B.4, and the customary check value.
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            ((0..<32).map { UInt8($0) }, 0x46dd_794e), ((0..<32).reversed().map { UInt8($0) }, 0x113f_db5c),
            (Array("123456789".utf8), 0xe306_9283), ([], 0),
        ] as [([UInt8], UInt32)])
    func `gives the published values, by either way`(_ bytes: [UInt8], _ sum: UInt32) {
        bytes.withUnsafeBytes { raw in
            #expect(CRC32C.of(raw) == sum)
            #expect(CRC32C.portable(raw) == sum)
        }
    }

    @Test func `both ways agree at every length, alignment and cut`() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) }
        bytes.withUnsafeBytes { raw in
            for start in 0..<9 {
                for end in stride(from: start, to: 300, by: 3) {
                    let part = UnsafeRawBufferPointer(rebasing: raw[start..<end])
                    let middle = (start + end) / 2
                    let head = UnsafeRawBufferPointer(rebasing: raw[start..<middle])
                    let tail = UnsafeRawBufferPointer(rebasing: raw[middle..<end])
                    let sum = CRC32C.of(part)
                    #expect(CRC32C.portable(part) == sum)
                    #expect(CRC32C.of(tail, continuing: CRC32C.of(head)) == sum)
                    #expect(CRC32C.portable(tail, continuing: CRC32C.portable(head)) == sum)
                }
            }
        }
    }
}

@Suite struct `Sealed memory` {
    @Test func `comes back as it was given, and nobody can change it`() throws {
        for size in [0, 1, 100_000] {
            let bytes = [UInt8](repeating: 9, count: size)
            let memory = try bytes.withUnsafeBytes { try SealedMemory.make(named: "test", $0) }
            #expect(try SealedMemory.read(memory, limitBytes: size) == bytes)
            #expect(write(memory.number, "x", 1) == -1 && ftruncate(memory.number, 5) == -1)
        }
    }

    @Test func `is refused when it is too large, or not sealed`() throws {
        let memory = try [UInt8](repeating: 9, count: 10).withUnsafeBytes { try SealedMemory.make(named: "test", $0) }
        #expect(throws: DomeError.self) { try SealedMemory.read(memory, limitBytes: 9) }
        let folder = try Folder()
        try Files.writeAtomically(folder.path + "/file", [1])
        let file = try Files.open(folder.path + "/file", O_RDWR)
        #expect(throws: DomeError.self) { try SealedMemory.read(file, limitBytes: 9) }
        #expect(throws: DomeError.self) { try SealedMemory.read(Pipe().reading, limitBytes: 9) }
    }
}

@Suite struct `The instance lock` {
    @Test func `is one holder's, who is named, until it goes`() throws {
        let folder = try Folder()
        let path = folder.path + "/lock"
        do {
            guard case .taken(let lock) = try InstanceLock.take(path: path) else {
                Issue.record("not taken")
                return
            }
            guard case .heldBy(let pid) = try InstanceLock.take(path: path) else {
                Issue.record("taken twice")
                return
            }
            #expect(pid == getpid())
            withExtendedLifetime(lock) {}
        }
        guard case .taken = try InstanceLock.take(path: path) else {
            Issue.record("still held")
            return
        }
    }

    @Test func `goes with its holder, however that dies, and is not inherited`() async throws {
        let folder = try Folder()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            guard case .taken = try InstanceLock.take(path: path + "/lock") else { exit(1) }
            _ = try Subprocess("/bin/sh", ["sh", "-c", "exec sleep 3"]).start()
            kill(getpid(), SIGKILL)
        }
        guard case .taken = try InstanceLock.take(path: folder.path + "/lock") else {
            Issue.record("still held")
            return
        }
    }
}

@Suite struct `Folders by the XDG rules` {
    private func directories(_ variables: [String: String]) throws -> Directories {
        try Directories { variables[$0] }
    }

    @Test func `follow the variables`() throws {
        let folder = try Folder()
        let found = try directories([
            "HOME": "/h", "XDG_STATE_HOME": "/s/", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d",
            "XDG_RUNTIME_DIR": folder.path,
        ])
        #expect(found.state == "/s/dome" && found.config == "/c/dome" && found.data == "/d/dome")
        #expect(found.socketPath == folder.path + "/dome/domed.sock")
        #expect(found.databasePath == "/s/dome/domed.sqlite" && found.jobsPath == "/s/dome/jobs")
    }

    @Test func `are of a stage, and know those of the others`() throws {
        let folder = try Folder()
        let variables = ["HOME": "/h", "XDG_RUNTIME_DIR": folder.path]
        let found = try Directories(stage: .dev) { variables[$0] }
        #expect(found.state == "/h/.local/state/dome-dev" && found.config == "/h/.config/dome-dev")
        #expect(found.data == "/h/.local/share/dome-dev" && found.configHome == "/h/.config")
        #expect(found.socketPath == folder.path + "/dome/domed-dev.sock")
        for path in ["/h/.local/state/dome", "/h/.config/dome-staging", folder.path + "/dome", found.data] {
            #expect(found.ofAllStages.contains(path))
        }
    }

    @Test func `stand below the home folder where the variables are unset, empty or relative`() throws {
        let found = try directories([
            "HOME": "/h", "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": "c", "XDG_DATA_HOME": "./d",
        ])
        #expect(found.state == "/h/.local/state/dome" && found.config == "/h/.config/dome")
        #expect(found.data == "/h/.local/share/dome")
        // Without HOME the password file is asked; not every user that a container runs programs as stands in it.
        if getpwuid(geteuid()) != nil {
            #expect(try directories([:]).state.hasSuffix("/.local/state/dome"))
        } else {
            #expect(throws: DomeError.self) { try directories([:]) }
        }
    }

    @Test func `a runtime folder that is not there is not used`() throws {
        let found = try directories(["HOME": "/h", "XDG_RUNTIME_DIR": "/no/such/folder"])
        #expect(found.runtime == "/h/.local/state/dome/run" || found.runtime == "/run/user/\(getuid())/dome")
    }
}

@Suite struct `The log` {
    @Test func `is one line an event, and no value can forge another`() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            Log.debug("test.hidden", ["a": "b"])
            Log.info(
                "test.shown",
                ["plain": "a-b/c", "empty": "", "hostile": "x\n2026 error fake\u{1b}[2J\u{9b}\"\\", "é": "é"])
            Log.setLevel(.error)
            Log.warning("test.hidden")
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        let lines = text.split(separator: "\n").filter { $0.contains("test.") }
        #expect(lines.count == 1)
        let wanted = #" info test.shown plain=a-b/c empty="" hostile="x\u{a}2026 error fake\u{1b}[2J\u{9b}\"\\" é="é""#
        #expect(lines.first?.hasSuffix(wanted) == true)
        #expect(lines.first.flatMap { Timestamp.parse(String($0.prefix(27))) } != nil)
    }
}

@Suite struct `systemd's protocol` {
    @Test func `a notification reaches the socket named, in a folder or in the abstract name space`() async throws {
        let folder = try Folder()
        for isAbstract in [false, true] {
            let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var name = Array((folder.path + "/notify").utf8)
            if isAbstract { name = [0] + name }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let size = socklen_t(2 + name.count)
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
            }
            try #require(status == 0)
            let variable = (isAbstract ? "@" : "") + folder.path + "/notify"
            await #expect(processExitsWith: .success) { [variable = variable as String] in
                setenv("NOTIFY_SOCKET", variable, 1)
                Systemd.notify("READY=1\nSTATUS=test")
            }
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = recv(listener, &buffer, 64, Int32(MSG_DONTWAIT))
            #expect(String(decoding: buffer[..<max(0, count)], as: UTF8.self) == "READY=1\nSTATUS=test")
        }
    }

    @Test func `passed sockets are taken once, and only when they are meant for this process`() async {
        await #expect(processExitsWith: .success) {
            setenv("LISTEN_PID", "1", 1)
            setenv("LISTEN_FDS", "1", 1)
            #expect(Systemd.listenDescriptors().isEmpty && getenv("LISTEN_FDS") == nil)
            for count in ["0", "-1", "17", "2147483647", "x", ""] {
                setenv("LISTEN_PID", "\(getpid())", 1)
                setenv("LISTEN_FDS", count, 1)
                #expect(Systemd.listenDescriptors().isEmpty)
            }
        }
    }
}

@Suite struct `Clocks and ids` {
    @Test func `the monotonic clock never goes back, the wall clock is of this century`() {
        var last: Int64 = 0
        for _ in 0..<1000 {
            let now = Clock.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
        #expect(Clock.wallNanoseconds() > 1_700_000_000_000_000_000)
    }

    @Test func `fresh ids are well-formed and all different`() {
        let ids = Set((0..<10_000).map { _ in JobID.make() })
        #expect(ids.count == 10_000 && ids.allSatisfy { JobID($0.text) == $0 })
    }

    @Test func `a descriptor's lock, space and duplicates`() throws {
        let folder = try Folder()
        let path = folder.path + "/file"
        var first: FileDescriptor? = try Files.open(path, O_RDWR | O_CREAT)
        let second = try Files.open(path, O_RDWR)
        #expect(try first?.lockExclusively() == true)
        #expect(try second.lockExclusively() == false)
        let copy = try first?.duplicate()
        first = nil
        #expect(try second.lockExclusively() == false)
        #expect(copy?.allocate(from: 0, to: 10_000) == 0)
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_size == 0 && status.st_blocks > 0)
    }
}
