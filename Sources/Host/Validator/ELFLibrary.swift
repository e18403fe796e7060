package import DomeModel
internal import DomePlatform
internal import Glibc

/// A shared library as a file: what can be known of it before any of its code runs (elf(5), System V ABI). Every offset
/// in it is checked before it is followed.
package struct ELFLibrary {
    package let machine: UInt16
    /// Names of the libraries that it needs.
    package let needed: [String]
    /// Names that it exports, the loader's own left out.
    package let exports: [String]
    package let isStackExecutable: Bool
    package let hasTextRelocations: Bool
    /// The first members of its entry as they stand in the file; nil if there is no such symbol or no such bytes.
    package let entry: Entry?

    package struct Entry: Equatable {
        package var magic: UInt64
        package var abiMajor: UInt32
        package var abiMinor: UInt32
        package var structSize: UInt64
    }

    /// Larger libraries are not plugins.
    private static let limitBytes = 512 << 20
    private static let entrySymbol = "dome_plugin_entry"

    /// Reads it. E_INVALID_REQUEST naming the path and what it is not.
    package init(path: String) throws(DomeError) {
        let file = try ELFBytes(path: path, bytes: try Files.read(path, limitBytes: Self.limitBytes))
        machine = file.machine
        let segments = try file.segments()
        let dynamic = try file.dynamic(segments)
        isStackExecutable = segments.contains { $0.type == ELFBytes.gnuStack && $0.flags & 1 != 0 }
        hasTextRelocations = dynamic.contains { $0.tag == 22 || ($0.tag == 30 && $0.value & 4 != 0) }
        func value(_ tag: UInt64) -> UInt64? { dynamic.first { $0.tag == tag }?.value }
        guard let names = value(5), let symbols = value(6) else {
            throw file.refused("has no dynamic symbols", "build it with -shared")
        }
        var neededNames: [String] = []
        for item in dynamic where item.tag == 1 { neededNames.append(try file.name(names, item.value, segments)) }
        needed = neededNames
        let found = try file.exportedSymbols(
            table: symbols, names: names, gnuHash: value(0x6fff_fef5), hash: value(4), segments)
        exports = found.map(\.name).filter { !["_init", "_fini", "_edata", "_end", "__bss_start"].contains($0) }
        entry = try found.first { $0.name == Self.entrySymbol }.flatMap { symbol throws(DomeError) in
            guard let offset = file.offset(of: symbol.address, segments), file.has(offset, 24) else { return nil }
            return Entry(
                magic: try file.number(offset, 8), abiMajor: UInt32(try file.number(offset + 8, 4)),
                abiMinor: UInt32(try file.number(offset + 12, 4)), structSize: try file.number(offset + 16, 8))
        }
    }

    /// Of this machine.
    package static var ownMachine: (number: UInt16, name: String) {
        #if arch(x86_64)
            (62, "x86-64")
        #elseif arch(arm64)
            (183, "aarch64")
        #else
            (0, "unknown")
        #endif
    }

    package static func name(ofMachine number: UInt16) -> String {
        let names: [UInt16: String] = [
            3: "i386", 40: "arm", 62: "x86-64", 183: "aarch64", 243: "riscv", 21: "ppc64", 22: "s390",
        ]
        return names[number] ?? "machine \(number)"
    }
}

/// The bytes of an ELF file of 64 bits, little-endian.
struct ELFBytes {
    let path: String
    let bytes: [UInt8]
    let machine: UInt16
    static let gnuStack: UInt32 = 0x6474_e551

    init(path: String, bytes: [UInt8]) throws(DomeError) {
        func refused(_ what: String, _ remedy: String) -> DomeError {
            DomeError(.invalidRequest, "\(path) \(what); \(remedy)")
        }
        guard bytes.count >= 64, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
            throw refused("is no ELF file", "build it as a shared library for Linux")
        }
        machine = UInt16(bytes[18]) | UInt16(bytes[19]) << 8
        let own = ELFLibrary.ownMachine
        guard bytes[4] == 2, bytes[5] == 1, machine == own.number else {
            throw refused(
                "is for \(ELFLibrary.name(ofMachine: machine)), this machine is \(own.name)", "build it on this machine"
            )
        }
        guard bytes[16] == 3 else { throw refused("is no shared library", "build it with -shared") }
        (self.path, self.bytes) = (path, bytes)
    }

    func refused(_ what: String, _ remedy: String = "it is damaged: build it again") -> DomeError {
        DomeError(.invalidRequest, "\(path) \(what); \(remedy)")
    }

    func has(_ offset: UInt64, _ count: UInt64) -> Bool {
        offset <= UInt64(bytes.count) && count <= UInt64(bytes.count) - offset
    }

    /// A little-endian number of `count` bytes.
    func number(_ offset: UInt64, _ count: UInt64) throws(DomeError) -> UInt64 {
        guard has(offset, count) else { throw refused("ends before its byte \(offset)") }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[Int(offset + index)]) << (8 * index) }
        return value
    }

    struct Segment {
        var type: UInt32
        var flags: UInt32
        var offset: UInt64
        var address: UInt64
        var fileSize: UInt64
    }

    func segments() throws(DomeError) -> [Segment] {
        let (start, size, count) = (try number(32, 8), try number(54, 2), try number(56, 2))
        var segments: [Segment] = []
        guard size >= 56 else { throw refused("has program headers of \(size) bytes") }
        for index in 0..<count {
            let at = start &+ index * size
            guard has(at, 56) else { throw refused("ends before its program headers do") }
            segments.append(
                Segment(
                    type: UInt32(try number(at, 4)), flags: UInt32(try number(at + 4, 4)),
                    offset: try number(at + 8, 8),
                    address: try number(at + 16, 8), fileSize: try number(at + 32, 8)))
        }
        return segments
    }

    /// Where an address lies in the file; nil if nowhere. What is returned is at most the file's size.
    func offset(of address: UInt64, _ segments: [Segment]) -> UInt64? {
        for segment in segments where segment.type == 1 && address >= segment.address {
            let distance = address - segment.address
            let (offset, overflow) = segment.offset.addingReportingOverflow(distance)
            if distance < segment.fileSize, !overflow, offset <= UInt64(bytes.count) { return offset }
        }
        return nil
    }

    func dynamic(_ segments: [Segment]) throws(DomeError) -> [(tag: UInt64, value: UInt64)] {
        guard let segment = segments.first(where: { $0.type == 2 }) else {
            throw refused("has no dynamic section", "build it with -shared")
        }
        var items: [(tag: UInt64, value: UInt64)] = []
        for index in 0..<(segment.fileSize / 16) {
            let at = segment.offset &+ index * 16
            let tag = try number(at, 8)
            if tag == 0 { break }
            guard items.count < 10_000 else { throw refused("has a dynamic section of more than 10,000 entries") }
            items.append((tag, try number(at + 8, 8)))
        }
        return items
    }

    /// A name of the string table at address `table`.
    func name(_ table: UInt64, _ index: UInt64, _ segments: [Segment]) throws(DomeError) -> String {
        guard let start = offset(of: table, segments), has(start, index), has(start + index, 1) else {
            throw refused("has a name that lies outside")
        }
        let first = Int(start + index)
        let text = bytes[first..<min(bytes.count, first + 4096)].prefix { $0 != 0 }
        return String(decoding: text, as: UTF8.self)
    }

    /// The symbols that are defined and global or weak. Their number stands in one of the hash tables.
    func exportedSymbols(
        table: UInt64, names: UInt64, gnuHash: UInt64?, hash: UInt64?, _ segments: [Segment]
    ) throws(DomeError) -> [(name: String, address: UInt64)] {
        guard let start = offset(of: table, segments) else { throw refused("has a symbol table that lies outside") }
        let count = try symbolCount(gnuHash: gnuHash, hash: hash, segments)
        guard count <= 1 << 20, has(start, count * 24) else {
            throw refused("has \(count) symbols, more than it holds")
        }
        var found: [(name: String, address: UInt64)] = []
        // Symbols may share a name, and so come to more than the file has bytes.
        var nameBytes = 0
        for index in 0..<count {
            let at = start + index * 24
            let binding = try number(at + 4, 1) >> 4
            guard binding == 1 || binding == 2, try number(at + 6, 2) != 0 else { continue }
            let visibility = try number(at + 5, 1) & 3
            guard visibility == 0 || visibility == 3 else { continue }
            let name = try name(names, try number(at, 4), segments)
            nameBytes += name.utf8.count
            guard nameBytes <= bytes.count else { throw refused("has names of more bytes than it holds") }
            found.append((name, try number(at + 8, 8)))
        }
        return found
    }

    private func symbolCount(gnuHash: UInt64?, hash: UInt64?, _ segments: [Segment]) throws(DomeError) -> UInt64 {
        if let hash, let at = offset(of: hash, segments) { return try number(at + 4, 4) }
        guard let gnuHash, let at = offset(of: gnuHash, segments) else {
            throw refused("has no hash table of its symbols", "link it with --hash-style=gnu or both")
        }
        let (buckets, first, filters) = (try number(at, 4), try number(at + 4, 4), try number(at + 8, 4))
        let bucketsAt = at + 16 + filters * 8
        var last: UInt64 = 0
        guard has(bucketsAt, buckets * 4) else { throw refused("has a damaged hash table") }
        for index in 0..<buckets { last = max(last, try number(bucketsAt + index * 4, 4)) }
        guard last >= first else { return first }
        // The chain of the last bucket ends with an odd value.
        while try number(bucketsAt + buckets * 4 + (last - first) * 4, 4) & 1 == 0 { last += 1 }
        return last + 1
    }
}
