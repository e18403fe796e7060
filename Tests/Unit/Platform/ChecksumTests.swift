import DomeModel
import DomePlatform
import Glibc
import Testing

struct ChecksumTests {
    private func of(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32C.of($0) } }

    @Test func `the checksums are those of RFC 3720`() {
        #expect(of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(of([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(of(Array(0..<32)) == 0x46dd_794e)
        #expect(of(Array("123456789".utf8)) == 0xe306_9283)
        #expect(of([]) == 0)
    }

    @Test func `instruction, tables and pieces agree`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ ($0 >> 3)) }
        bytes.withUnsafeBytes { raw in
            for count in 0...100 {
                for start in 0..<9 {
                    let part = UnsafeRawBufferPointer(rebasing: raw[start..<(start + count)])
                    #expect(CRC32C.of(part) == CRC32C.portable(part))
                    let (head, tail) = (part.prefix(count / 3), part.dropFirst(count / 3))
                    let first = CRC32C.of(UnsafeRawBufferPointer(rebasing: head))
                    #expect(CRC32C.of(UnsafeRawBufferPointer(rebasing: tail), continuing: first) == CRC32C.of(part))
                }
            }
        }
    }

    @Test func `sealed memory is what was put in, and nobody can change it`() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        let memory = try bytes.withBytes { raw throws(DomeError) in try SealedMemory.make(named: "test", raw) }
        #expect(try SealedMemory.read(memory, limitBytes: 100_000) == bytes)
        #expect(throws: DomeError.self) { try SealedMemory.read(memory, limitBytes: 99_999) }
        #expect(write(memory.number, [1], 1) == -1)
        #expect(ftruncate(memory.number, 1) == -1)
        let file = try Files.open("/dev/null", O_RDWR)
        #expect(throws: DomeError.self) { try SealedMemory.read(file, limitBytes: 1) }
    }
}
