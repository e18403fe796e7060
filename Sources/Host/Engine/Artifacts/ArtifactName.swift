/// The name of an artifact as text. What a job calls its files are bytes; what is kept, shown and stored is text that
/// cannot break a line, drive a terminal or hide something: bytes that are not UTF-8, controls, and marks that hide
/// or reorder text become `%` and two hexadecimal digits. A `%` that would read as one of those becomes `%25`, so the
/// job's name can be had back.
enum ArtifactName {
    /// The longest name that file systems take.
    static let nameLimitBytes = 255
    /// The longest path below /job/out. A thousand of them fit into a gRPC message of the usual 4 MiB twice.
    static let pathLimitBytes = 512

    /// One component of a path; the bytes are without a final zero.
    static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        var index = 0
        while index < bytes.count {
            let (scalar, count) = scalar(bytes, at: index)
            if let scalar, !isHidden(scalar), !(scalar == "%" && isHexadecimal(bytes, index + 1)) {
                text.unicodeScalars.append(scalar)
            } else {
                for byte in bytes[index..<index + count] {
                    text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }
            index += count
        }
        return text
    }

    /// The scalar that starts at `index`, with its length; nil and 1 where none does.
    private static func scalar(_ bytes: [UInt8], at index: Int) -> (Unicode.Scalar?, Int) {
        let first = bytes[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard index + count <= bytes.count else { return (nil, 1) }
        var decoder = UTF8()
        var iterator = bytes[index..<index + count].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator), UTF8.width(scalar) == count else {
            return (nil, 1)
        }
        return (scalar, count)
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: true
        default: false
        }
    }

    /// Whether two hexadecimal digits stand at `index`.
    private static func isHexadecimal(_ bytes: [UInt8], _ index: Int) -> Bool {
        guard index + 1 < bytes.count else { return false }
        return bytes[index...index + 1].allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
        }
    }
}
