internal import DomeCatalog
internal import DomeModel
internal import DomeSchema
internal import PluginABI

// What a plugin says of itself.
extension Validator {
    static let descriptorTrials: [Trial] = [
        Trial("descriptor-is-whole", "get_descriptor returns a whole dome_descriptor_t", isGate: true) {
            bench throws(TrialEnd) in
            let descriptor = try bench.stage(.table).descriptor()
            try require(descriptor.address != 0, "get_descriptor returned NULL")
            let own = UInt64(MemoryLayout<dome_descriptor_t>.size)
            try require(
                descriptor.structSize >= own,
                "struct_size is \(descriptor.structSize), the host's is \(own): set it to sizeof(dome_descriptor_t)")
            try require(descriptor.fault.isEmpty, descriptor.fault)
            return "\(descriptor.structSize) bytes"
        },
        Trial("descriptor-is-utf8", "its texts are UTF-8") { bench throws(TrialEnd) in
            let descriptor = try bench.stage(.table).descriptor()
            for (name, bytes) in [
                ("id", descriptor.id), ("version", descriptor.version), ("declaration", descriptor.declaration),
            ] {
                try require(String(validating: bytes, as: UTF8.self) != nil, "\(name) is not UTF-8")
            }
            return "all three"
        },
        Trial("descriptor-fits-plugin.json", "its id and version are those of plugin.json", isGate: true) {
            bench throws(TrialEnd) in
            let (manifest, descriptor) = (try bench.needManifest(), try bench.stage(.table).descriptor())
            for (name, bytes, declared) in [
                ("id", descriptor.id, manifest.id), ("version", descriptor.version, manifest.version),
            ] {
                let text = String(decoding: bytes, as: UTF8.self)
                try require(text == declared, "\(name) is '\(text)' in the library but '\(declared)' in plugin.json")
            }
            return "\(manifest.id) \(manifest.version)"
        },
        Trial("descriptor-is-stable", "get_descriptor says the same each time, and after calls") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.instance)
            let first = try stage.descriptor()
            for example in (try? bench.examplesToCall().prefix(3)) ?? [] { _ = try stage.run(example) }
            let second = try stage.descriptor()
            try require(
                first.id == second.id && first.version == second.version && first.declaration == second.declaration,
                "it said two things: the descriptor must live unchanged until deinit")
            return "unchanged"
        },
        Trial("declaration-size", "the declaration is no larger than 1 MiB", isGate: true) { bench throws(TrialEnd) in
            let count = try bench.stage(.table).descriptor().declaration.count
            try require(count <= 1 << 20, "it has \(count) bytes: the host takes at most 1048576")
            return "\(count) bytes"
        },
        Trial("declaration-is-an-object", "the declaration is a JSON object", isGate: true) { bench throws(TrialEnd) in
            let object = try bench.declaration().objectValue
            try require(object != nil, "it is JSON but no object")
            return object?.isEmpty == true ? "empty" : (object?.keys ?? []).joined(separator: ", ")
        },
        Trial("config-schema", "config_schema is a JSON Schema that {} or a sample fits") { bench throws(TrialEnd) in
            guard let schema = try bench.declaration()["config_schema"] else {
                throw .skipped("the declaration has no config_schema")
            }
            let compiled = try compile(schema, "config_schema")
            let violations = compiled.validate((try? JSONParser.parse(bench.config, what: "the sample")) ?? .null)
            try require(
                violations.isEmpty,
                "no configuration is known that fits it (\(violations.first.map(\.description) ?? "")): give plugin.json \"x-check\": {\"config\": {…}}"
            )
            return bench.config == "{}" ? "{} fits" : "a sample fits"
        },
        Trial(
            "actions-are-declared", "the declaration lists actions, each once and well named", kind: .adapter,
            isGate: true
        ) { bench throws(TrialEnd) in
            guard let list = try bench.declaration()["actions"]?.arrayValue, !list.isEmpty else {
                throw .failed("the declaration has no \"actions\": an adapter without any is of no use")
            }
            var names: [String] = []
            for action in list {
                guard let name = action["name"]?.stringValue else { throw .failed("an action has no \"name\"") }
                try require(
                    name.utf8.count <= 31 && ToolManifest.isToolID(name),
                    "an action is called '\(name.prefix(80))': use a-z, 0-9, -, _ and ., at most 31")
                try require(!names.contains(name), "the action '\(name)' is declared twice")
                names.append(name)
            }
            return names.joined(separator: ", ")
        },
        Trial("action-schemas", "each action has an input_schema, and all schemas are valid", kind: .adapter) {
            bench throws(TrialEnd) in
            var count = 0
            for action in try bench.actions() {
                let name = action["name"]?.stringValue ?? "?"
                guard let input = action["input_schema"] else { throw .failed("'\(name)' has no input_schema") }
                _ = try compile(input, "input_schema of '\(name)'")
                count += 1
                guard let output = action["output_schema"] else { continue }
                _ = try compile(output, "output_schema of '\(name)'")
                count += 1
            }
            return "\(count)"
        },
        Trial("action-members", "what else an action declares has the right types", kind: .adapter) {
            bench throws(TrialEnd) in
            for action in try bench.actions() {
                let name = action["name"]?.stringValue ?? "?"
                for member in ["title", "description"] {
                    guard let value = action[member] else { continue }
                    try require(value.stringValue?.isEmpty == false, "\"\(member)\" of '\(name)' must be a text")
                }
                if let effects = action["side_effects"] {
                    try require(
                        effects.arrayValue?.allSatisfy { $0.stringValue != nil } == true,
                        "\"side_effects\" of '\(name)' must be a list of texts")
                }
                if let limits = action["limits"] {
                    try require(limits.objectValue != nil, "\"limits\" of '\(name)' must be an object")
                }
            }
            return "as they should be"
        },
        Trial("declaration-is-taken", "the host makes tools of what is declared") { bench throws(TrialEnd) in
            let file = try bench.needManifest()
            do throws(DomeError) {
                let declaration = try PluginDeclaration(try bench.declarationOrEmpty(), of: file)
                let tools = try file.tools(of: declaration, folder: bench.folder, librarySHA256: "")
                return tools.isEmpty ? "none" : tools.map(\.manifest.id).joined(separator: ", ")
            } catch {
                throw .failed(error.message)
            }
        },
        Trial("author-examples", "the payloads of \"x-check\" and of the schemas' examples fit", kind: .adapter) {
            bench throws(TrialEnd) in
            var count = 0
            for action in try bench.actions() {
                guard let name = action["name"]?.stringValue, let schema = action["input_schema"] else { continue }
                let compiled = try compile(schema, "input_schema of '\(name)'")
                let given = bench.examples?["actions"]?[name]?.arrayValue ?? schema["examples"]?.arrayValue ?? []
                for payload in given {
                    let violations = compiled.validate(payload)
                    try require(
                        violations.isEmpty,
                        "an example of '\(name)' does not fit its input_schema: \(violations.first.map(\.description) ?? "")"
                    )
                    count += 1
                }
            }
            guard count > 0 else { throw .skipped("there are none; payloads are made from the schemas") }
            return "\(count)"
        },
    ]

    static func compile(_ schema: JSONValue, _ what: String) throws(TrialEnd) -> JSONSchema {
        do throws(DomeError) { return try JSONSchema.compile(schema, what: what) } catch {
            throw .failed(error.message)
        }
    }
}
