import DomeCrypto
import DomeModel
import Glibc
import Testing

@Suite struct `Hashing a file` {
    /// A fresh folder, removed with what the tests put there.
    private func inFolder(_ body: (String) throws -> Void) throws {
        var template = "/tmp/dome-crypto-XXXXXX".utf8CString.map { $0 }
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { rmdir(path) }
        try body(path)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    @Test(arguments: [0, 1, 131_071, 131_072, 131_073, 400_000]) func `equals hashing its bytes`(_ size: Int) throws {
        try inFolder { folder in
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let path = folder + "/file"
            try write(bytes, to: path)
            defer { unlink(path) }
            let found = try SHA256.digest(ofFileAt: path)
            #expect(found.digest == (try SHA256.digest(bytes)))
            #expect(found.byteCount == UInt64(size))
        }
    }

    @Test func `the descriptor's position does not matter and does not move`() throws {
        try inFolder { folder in
            let path = folder + "/file"
            try write(Array("position".utf8), to: path)
            defer { unlink(path) }
            let descriptor = open(path, O_RDONLY)
            defer { close(descriptor) }
            lseek(descriptor, 3, SEEK_SET)
            let found = try SHA256.digest(ofDescriptor: descriptor, what: path)
            #expect(found.digest == (try SHA256.digest("position")))
            #expect(lseek(descriptor, 0, SEEK_CUR) == 3)
        }
    }

    @Test func `a file over the limit, a folder and a missing file are refused by name`() throws {
        try inFolder { folder in
            let path = folder + "/file"
            try write([1, 2, 3, 4], to: path)
            defer { unlink(path) }
            #expect(try SHA256.digest(ofFileAt: path, limitBytes: 4).byteCount == 4)
            let tooLarge = #expect(throws: DomeError.self) { try SHA256.digest(ofFileAt: path, limitBytes: 3) }
            #expect(tooLarge?.code == .invalidRequest && tooLarge?.message.contains(path) == true)
            let isFolder = #expect(throws: DomeError.self) { try SHA256.digest(ofFileAt: folder) }
            #expect(isFolder?.code == .invalidRequest)
            let missing = #expect(throws: DomeError.self) { try SHA256.digest(ofFileAt: folder + "/none") }
            #expect(missing?.code == .notFound)
        }
    }

    @Test func `a FIFO is refused at once instead of waited for`() throws {
        try inFolder { folder in
            let path = folder + "/fifo"
            try #require(mkfifo(path, 0o600) == 0)
            defer { unlink(path) }
            let refused = #expect(throws: DomeError.self) { try SHA256.digest(ofFileAt: path) }
            #expect(refused?.code == .invalidRequest)
        }
    }
}
