// Unit tests of the room Catalog: manifests and registries on a real disk, the policy against real paths.

import DomeCatalog
import DomeModel
import DomePlatform
import Glibc
import Testing

/// A folder of its own, removed with the last reference.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/dome-catalog-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return nil }
            return String(cString: made)
        }
        path = try #require(made)
    }

    deinit { try? Files.removeTree(path) }

    func write(_ name: String, _ text: String, mode: UInt32 = 0o644) throws {
        let target = path + "/" + name
        let slash = try #require(target.lastIndex(of: "/"))
        try Files.makeDirectories(String(target[..<slash]), mode: 0o755)
        try Files.writeAtomically(target, Array(text.utf8), mode: mode)
    }
}

extension Scratch {
    func link(_ name: String, to target: String) throws { #expect(symlink(target, path + "/" + name) == 0) }
    func remove(_ name: String) throws { #expect(unlink(path + "/" + name) == 0) }
    func setMode(_ name: String, _ mode: UInt32) throws { #expect(chmod(path + "/" + name, mode) == 0) }
}

func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text, what: "test") }

/// A manifest that is in order, with some members replaced (or removed: nil).
func manifestDocument(_ changes: [(String, JSONValue?)] = []) -> JSONValue {
    var object: JSONObject = [
        "tool_id": "a.tool", "version": "1.0.0", "title": "A tool", "short_description": "Does it.",
        "description": "Does it.\nWell.", "kind": "test", "permissions": [], "side_effects": [],
        "executor": "dome.local-process", "entrypoint": ["argv": ["/bin/true"]],
    ]
    for (name, value) in changes { object[name] = value }
    return .object(object)
}

func writeTool(
    _ scratch: Scratch, _ id: String, registry: String = "registry", changes: [(String, JSONValue?)] = [],
    input: String = #"{"type":"object"}"#
) throws {
    let folder = "\(registry)/tools/\(id)"
    let document = manifestDocument([("tool_id", .string(id))] + changes)
    try scratch.write("\(folder)/tool.json", document.indented)
    try scratch.write("\(folder)/input.schema.json", input)
}

/// The message of the error that `body` throws; fails the test if there is none.
func refusal(_ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> String {
    do {
        try body()
        Issue.record("nothing was refused", sourceLocation: location)
    } catch let error as DomeError {
        return error.message
    } catch {
        Issue.record("not a DomeError: \(error)", sourceLocation: location)
    }
    return ""
}
