import DomeCatalog
import DomeModel
import Testing

@Suite struct `Limits of a manifest` {
    private func limits(_ members: JSONObject) throws -> Limits {
        try ToolManifest(manifestDocument([("limits", .object(members))]), what: "tool.json").limits
    }

    @Test(arguments: [
        (["disk_bytes": 2_097_152, "memory_bytes": 1_048_576] as JSONObject, "disk_bytes"),
        (["disk_bytes": 8_589_934_592] as JSONObject, "memory_bytes"),
        (["line_bytes": 4096, "output_bytes": 4095] as JSONObject, "line_bytes"),
    ]) func `that contradict each other are refused`(_ members: JSONObject, _ word: String) {
        let message = refusal { _ = try limits(members) }
        for part in ["contradicts", word, "tool.json"] { #expect(message.contains(part), "\(message)") }
    }

    @Test func `that fit together hold`() throws {
        let small = try limits(["memory_bytes": 1_048_576])
        #expect(small.diskBytes == small.memoryBytes)
        let equal = try limits(["memory_bytes": 268_435_456, "disk_bytes": 268_435_456])
        #expect(equal.diskBytes == 268_435_456)
        #expect(try limits(["output_bytes": 0]).lineBytes == Limits().lineBytes)
        // The default is no wish of the author's.
        #expect(try limits(["output_bytes": 1000]).lineBytes == Limits().lineBytes)
        #expect(try limits(["output_bytes": 64, "line_bytes": 64]).outputBytes == 64)
    }
}
