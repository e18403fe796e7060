/// Names that every client takes as they are: `[a-z0-9_]`, at most 64 bytes, each once.
struct ToolNames {
    private static let limitBytes = 64
    private var taken: Set<String>

    init(taken: Set<String>) { self.taken = taken }

    /// The name of the tool with that id: `text.search` is text_search. One that is taken or cut gets a suffix that
    /// depends on the id alone.
    mutating func name(_ id: String) -> String {
        var bytes = Self.plain(id)
        let isCut = bytes.count > Self.limitBytes
        if isCut { bytes.removeLast(bytes.count - Self.limitBytes + 9) }
        var name = String(decoding: bytes, as: UTF8.self)
        if isCut || name.isEmpty || taken.contains(name) {
            name = name.prefix(Self.limitBytes - 9) + "_" + Self.mark(id)
        }
        taken.insert(name)
        return name
    }

    /// An id in the letters of names.
    static func plain(_ id: String) -> [UInt8] {
        id.lowercased().utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
    }

    /// Eight hexadecimal digits of FNV-1a (32 bits).
    private static func mark(_ id: String) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in id.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - text.utf8.count) + text
    }
}
