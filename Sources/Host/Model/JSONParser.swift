/// A strict RFC 8259 parser for hostile bytes: UTF-8 only, duplicate member names refused (RFC 7493),
/// nesting limited, every error with its line and column. `JSONTree` keeps numbers that a `JSONValue` cannot hold.
package enum JSONParser {
    /// Deeper documents are refused, so that the recursion stays bounded.
    package static let depthLimit = 128

    /// Parses one complete document. `what` names it in the error, e.g. "task_json".
    package static func parse(_ text: String, what: String) throws(DomeError) -> JSONValue {
        try parse(Array(text.utf8), what: what)
    }

    /// Parses one complete document. `what` names it in the error.
    package static func parse(_ bytes: [UInt8], what: String) throws(DomeError) -> JSONValue {
        try JSONTree.parse(bytes, what: what).value(what: what)
    }
}

extension JSONTree {
    /// The document as a value. E_INVALID_REQUEST for a number that no double can hold.
    package func value(what: String) throws(DomeError) -> JSONValue {
        var tooLarge: Int?
        let value = value(at: 0, tooLarge: &tooLarge)
        guard let tooLarge else { return value }
        let place = JSONTreeParser.place(Int(nodes[tooLarge].start), in: text)
        throw DomeError(
            .invalidRequest,
            "\(what) is not valid JSON: the number is too large at line \(place.line), column \(place.column)")
    }
}
