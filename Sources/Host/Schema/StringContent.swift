internal import DomeModel

/// What a text holds, by `contentEncoding` and `contentMediaType`: Base64, JSON, or JSON in Base64. Others constrain nothing.
struct StringContent: Sendable {
    private(set) var isBase64 = false
    private(set) var isJSON = false

    var isEmpty: Bool { !isBase64 && !isJSON }

    /// Names of encodings and media types do not mind case.
    mutating func note(_ keyword: String, _ name: String) {
        switch (keyword, name.lowercased()) {
        case ("contentEncoding", "base64"): isBase64 = true
        case ("contentMediaType", "application/json"): isJSON = true
        default: break
        }
    }

    /// The keyword that `text` does not fit, with what it must be; nil if it fits.
    func objection(to text: ArraySlice<UInt8>) -> (keyword: StaticString, message: String)? {
        var bytes = Array(text)
        if isBase64 {
            guard let decoded = Base64.decode(bytes) else { return ("contentEncoding", "must be Base64") }
            bytes = decoded
        }
        guard isJSON else { return nil }
        do throws(DomeError) {
            _ = try JSONTree.parse(bytes, what: "", refusesTwins: false)
            return nil
        } catch {
            return ("contentMediaType", isBase64 ? "must be JSON in Base64" : "must be JSON")
        }
    }
}
