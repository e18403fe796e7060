package import DomeModel

/// What an executor says that a driven job left (executor_drive.h), in the order of the names: foreign input, checked as
/// far as it can be before anything is read.
package struct DriveArtifacts: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        /// As the executor calls it; whether it may be called so is for whoever keeps it to say.
        package var name: String
        package var byteCount: UInt64
    }

    package var entries: [Entry] = []

    /// The bytes that one call asks for.
    package static let pieceBytes: UInt32 = 1 << 20

    /// Reads the answer to `list_artifacts`; an empty one lists nothing. Errors say what is wrong, as the rest of a
    /// sentence about the executor.
    package init(_ document: [UInt8]) throws(DomeError) {
        guard !document.isEmpty else { return }
        guard document.count <= DriveReport.documentLimitBytes else {
            throw Self.wrong("has \(document.count) bytes, the limit is \(DriveReport.documentLimitBytes)")
        }
        let list: JSONValue?
        do throws(DomeError) {
            list = try JSONParser.parse(document, what: "its answer to list_artifacts")["artifacts"]
        } catch {
            throw DomeError(.internal, error.message)
        }
        guard let array = list?.arrayValue else { throw Self.wrong("has no array \"artifacts\"") }
        for (index, element) in array.enumerated() {
            guard let name = element["name"]?.stringValue else { throw Self.wrong("has no \"name\" in entry \(index)") }
            guard let bytes = element["bytes"]?.integerValue, bytes >= 0 else {
                throw Self.wrong("has no \"bytes\" that are a whole number from 0 in entry \(index)")
            }
            entries.append(Entry(name: name, byteCount: UInt64(bytes)))
        }
        // As a walk through folders meets them: the separator comes before everything.
        let keys = entries.map { $0.name.utf8.map { $0 == UInt8(ascii: "/") ? 0 : $0 } }
        let order = entries.indices.sorted { one, other in
            keys[one] == keys[other] ? one < other : keys[one].lexicographicallyPrecedes(keys[other])
        }
        entries = order.map { entries[$0] }
    }

    private static func wrong(_ what: String) -> DomeError {
        DomeError(.internal, "its answer to list_artifacts \(what)")
    }
}
