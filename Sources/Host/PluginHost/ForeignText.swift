internal import PluginABI

/// Text across the boundary: UTF-8 with a size, believed only after a look.
enum ForeignText {
    /// A plugin's text, or why it is none: a negative or absurd size, NULL with a size, or bytes that are not UTF-8.
    static func read(_ text: dome_text_t, limitBytes: Int) -> Result<String, Defect> {
        switch bytes(text.data, text.size, limitBytes: limitBytes) {
        case .failure(let defect): return .failure(defect)
        case .success(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .failure(Defect(reason: "is not UTF-8"))
            }
            return .success(text)
        }
    }

    /// A plugin's buffer. It is the plugin's memory: use it before the call in hand returns.
    static func bytes(
        _ data: UnsafePointer<CChar>?, _ size: Int, limitBytes: Int
    ) -> Result<UnsafeRawBufferPointer, Defect> {
        // size_t arrives as Int: what was beyond its range is negative.
        guard size >= 0, size <= limitBytes else {
            return .failure(Defect(reason: "has size \(UInt(bitPattern: size)), the limit is \(limitBytes) bytes"))
        }
        guard size == 0 || data != nil else { return .failure(Defect(reason: "is NULL with size \(size)")) }
        return .success(UnsafeRawBufferPointer(start: data, count: size))
    }

    struct Defect: Error {
        var reason: String
    }

    /// Lends `text` to a C function as pointer and size, for the duration of `body`.
    static func withText<Value>(_ text: String, _ body: (UnsafePointer<CChar>?, Int) -> Value) -> Value {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
        }
    }
}
