import DomeModel

/// A tar archive of plain files (POSIX ustar), readable by every tar.
struct TarWriter {
    private(set) var bytes: [UInt8] = []

    /// - Parameter name: ASCII, at most 100 bytes.
    mutating func add(_ name: String, _ content: [UInt8], modifiedSeconds: Int64) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int, _ length: Int) {
            for (index, byte) in text.utf8.prefix(length).enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int64, at offset: Int, _ length: Int) {
            let digits = String(max(0, number), radix: 8)
            put(String(repeating: "0", count: max(0, length - 1 - digits.count)) + digits, at: offset, length - 1)
        }
        put(name, at: 0, 100)
        octal(0o600, at: 100, 8)
        octal(0, at: 108, 8)
        octal(0, at: 116, 8)
        octal(Int64(content.count), at: 124, 12)
        octal(modifiedSeconds, at: 136, 12)
        put("0", at: 156, 1)
        put("ustar", at: 257, 6)
        put("00", at: 263, 2)
        // The sum is over the header with its own field as blanks.
        put("        ", at: 148, 8)
        let sum = header.reduce(0) { $0 + Int64($1) }
        octal(sum, at: 148, 7)
        header[154] = 0
        header[155] = 0x20
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// Two empty blocks end it.
    mutating func finish() { bytes += [UInt8](repeating: 0, count: 1024) }
}
