// Unit tests of the room Validator: what is read of foreign bytes, and what is made for plugins. That each trial can
// pass and fail is shown on real plugins: Tests/System/test_plugin_check.py.

import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeValidator

struct ELFLibraryTests {
    /// libc is a shared library that every machine has, and a big one.
    private static let libc: String = {
        let maps = (try? Files.read("/proc/self/maps", limitBytes: 1 << 20)) ?? []
        let lines = String(decoding: maps, as: UTF8.self).split(separator: "\n")
        return lines.compactMap { $0.split(separator: " ").last.map(String.init) }.first { $0.hasSuffix("/libc.so.6") }
            ?? ""
    }()

    @Test func `exports and needs of a real library are read`() throws {
        let library = try ELFLibrary(path: Self.libc)
        #expect(library.machine == ELFLibrary.ownMachine.number)
        #expect(library.exports.contains("malloc") && library.exports.contains("fopen"))
        #expect(library.needed.contains { $0.hasPrefix("ld-linux") })
        #expect(!library.isStackExecutable && !library.hasTextRelocations)
        #expect(library.entry == nil)
    }

    @Test func `no damage of one traps`() throws {
        let path = "/tmp/dome-elf-\(getpid())"
        let source = path + ".c"
        defer { for file in [path, source] { unlink(file) } }
        try Files.writeAtomically(source, Array("int answer(void) { return 42; }\n".utf8))
        let compiler = Subprocess(
            "/usr/bin/cc", ["cc", "-shared", "-fPIC", "-Wl,--hash-style=both", "-o", path, source])
        let built = try compiler.capture(limitBytes: 1 << 16, timeoutMilliseconds: 60_000)
        #expect(built.exitCode == 0)
        var whole = try Files.read(path, limitBytes: 1 << 20)
        #expect(try exports(whole).contains("answer"))
        // Where the tables begin and what they say: the header, the program headers, the dynamic section, the hash table.
        let file = try ELFBytes(path: path, bytes: whole)
        let segments = try file.segments()
        let dynamic = try #require(segments.first { $0.type == 2 })
        let hash = try #require(try file.dynamic(segments).first { $0.tag == 0x6fff_fef5 })
        let hashOffset = Int(try #require(file.offset(of: hash.value, segments)))
        let places =
            Array(stride(from: 16, to: 64 + 56 * segments.count, by: 4))
            + Array(stride(from: Int(dynamic.offset), to: Int(dynamic.offset + dynamic.fileSize), by: 8))
            + Array(stride(from: hashOffset, to: hashOffset + 40, by: 4))
        // Such, too, that an address comes to lie just before the end of all numbers.
        let addresses = try file.dynamic(segments).filter { [4, 5, 6, 0x6fff_fef5].contains($0.tag) }.map(\.value)
        var values: [UInt64] = [0, 1, 0xffff, 0xffff_ffff, .max, .max - 7, 1 << 63, UInt64(whole.count)]
        for address in addresses { values += [.max - address, .max - 2 - address, .max - 19 - address] }
        var (accepted, refused) = (0, 0)
        for place in places {
            let old = Array(whole[place..<(place + 8)])
            for value in values {
                for index in 0..<8 { whole[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
                do throws(DomeError) {
                    _ = try exports(whole)
                    accepted += 1
                } catch {
                    #expect(error.code == .invalidRequest)
                    refused += 1
                }
            }
            whole.replaceSubrange(place..<(place + 8), with: old)
        }
        #expect(accepted > 100 && refused > 100)
    }

    private func exports(_ bytes: [UInt8]) throws(DomeError) -> [String] {
        let file = try ELFBytes(path: "it", bytes: bytes)
        let segments = try file.segments()
        let dynamic = try file.dynamic(segments)
        func value(_ tag: UInt64) -> UInt64? { dynamic.first { $0.tag == tag }?.value }
        return try file.exportedSymbols(
            table: value(6) ?? 0, names: value(5) ?? 0, gnuHash: value(0x6fff_fef5), hash: value(4), segments
        ).map(\.name)
    }

    @Test func `what is no library is refused by what it is`() throws {
        let path = "/tmp/dome-elf-refused-\(getpid())"
        defer { unlink(path) }
        for (bytes, reason) in [
            (Array("#!/bin/sh\n".utf8), "no ELF file"), ([], "no ELF file"), (try header(machine: 183), "is for"),
            (try header(type: 2), "no shared library"),
        ] {
            try Files.writeAtomically(path, bytes)
            let error = #expect(throws: DomeError.self) { _ = try ELFLibrary(path: path) }
            #expect(error?.message.contains(reason) == true, "\(reason)")
        }
    }

    private func header(machine: UInt8? = nil, type: UInt8? = nil) throws -> [UInt8] {
        var bytes = Array(try Files.read(Self.libc, limitBytes: 64 << 20).prefix(4096))
        // The other of the two machines that dome is built for.
        if machine != nil { bytes[18] = ELFLibrary.ownMachine.number == 183 ? 62 : 183 }
        if let type { bytes[16] = type }
        return bytes
    }
}
