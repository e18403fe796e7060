internal import DomeCatalog
internal import DomeModel
internal import DomePlatform

/// What the trials share: the plugin's files, and what was learned of it so far. Of one thread.
final class Bench {
    let folder: String
    let options: Validator.Options
    private let probe: String
    /// plugin.json as a document, and as the host reads it; nil if it cannot be.
    let document: JSONValue?
    let manifest: PluginFile?
    let manifestError: DomeError?
    private var readDeclaration: Result<JSONValue, TrialEnd>?
    private var lived: Life?

    init(folder: String, probe: String, options: Validator.Options) {
        self.folder = folder
        self.probe = probe
        self.options = options
        let path = folder + "/plugin.json"
        var (document, manifest, failure): (JSONValue?, PluginFile?, DomeError?) = (nil, nil, nil)
        do throws(DomeError) {
            document = try JSONParser.parse(try Files.read(path, limitBytes: 1 << 20), what: path)
            manifest = try PluginFile(document ?? .null, what: path)
        } catch {
            failure = error
        }
        (self.document, self.manifest, manifestError) = (document, manifest, failure)
    }

    func needManifest() throws(TrialEnd) -> PluginFile {
        guard let manifest else { throw .skipped("plugin.json cannot be read") }
        return manifest
    }

    func libraryPath() throws(TrialEnd) -> String { try folder + "/" + needManifest().library }

    /// The library, read as a file.
    func library() throws(TrialEnd) -> ELFLibrary {
        let path = try libraryPath()
        do throws(DomeError) { return try ELFLibrary(path: path) } catch { throw .failed(error.message) }
    }

    /// A fresh process with nothing in it yet.
    func start() throws(TrialEnd) -> Probe {
        let manifest = try needManifest()
        do throws(DomeError) {
            return try Probe(ProbeCommand(probe: probe, folder: folder, manifest: manifest, options: options))
        } catch {
            throw .skipped("the probe cannot be started: \(error.message)")
        }
    }

    /// A stage with the plugin as far as `point`.
    func stage(_ point: Stage.Point, _ habits: Habits = Habits(), config: String? = nil) throws(TrialEnd) -> Stage {
        let stage = Stage(try start(), kind: try needManifest().kind, config: config ?? self.config)
        try stage.reach(point, habits)
        return stage
    }

    /// The plugin's whole life, once: several trials look at it.
    func life() throws(TrialEnd) -> Life {
        if let lived { return lived }
        let life = try Life.live(self)
        lived = life
        return life
    }

    /// What the descriptor declares; {} if there is nothing. Asked once, for better or worse.
    func declaration() throws(TrialEnd) -> JSONValue {
        if let readDeclaration { return try readDeclaration.get() }
        let result: Result<JSONValue, TrialEnd>
        do throws(TrialEnd) { result = .success(try readDescriptor()) } catch { result = .failure(error) }
        readDeclaration = result
        return try result.get()
    }

    /// The same where nothing may be thrown but errors of the host.
    func declarationOrEmpty() throws(DomeError) -> JSONValue {
        (try? declaration()) ?? .object(JSONObject())
    }

    private func readDescriptor() throws(TrialEnd) -> JSONValue {
        // Not with `config`, which is made from it.
        let descriptor = try stage(.table, config: "{}").descriptor()
        do throws(DomeError) {
            return try JSONParser.parse(descriptor.declaration, what: "the declaration")
        } catch {
            throw .failed(error.message)
        }
    }

    /// The author's own examples: plugin.json's "x-check".
    var examples: JSONValue? { document?["x-check"] }

    /// The configuration to try the plugin with: the author's, else one that fits the schema, else {}.
    var config: String {
        if let given = examples?["config"] { return given.compact }
        guard let schema = try? declaration()["config_schema"], let sample = SchemaSample.make(of: schema) else {
            return "{}"
        }
        return sample.compact
    }

    /// An action with a payload that fits, or a job.
    struct Example {
        var action: String
        var payload: JSONValue
        var outputSchema: JSONValue?
    }

    /// The actions as they are declared.
    func actions() throws(TrialEnd) -> [JSONValue] { try declaration()["actions"]?.arrayValue ?? [] }

    /// One or more for each action (adapter), or each of the author's jobs (executor).
    func examplesToCall() throws(TrialEnd) -> [Example] {
        guard try needManifest().kind == .adapter else { return jobs() }
        var examples: [Example] = []
        for action in try actions() {
            guard let name = action["name"]?.stringValue else { continue }
            for payload in payloads(of: name, action["input_schema"]) {
                examples.append(Example(action: name, payload: payload, outputSchema: action["output_schema"]))
            }
        }
        guard !examples.isEmpty else {
            throw .skipped(
                "no payload fits the schemas: give plugin.json \"x-check\": {\"actions\": {NAME: [PAYLOAD]}}")
        }
        return examples
    }

    private func payloads(of action: String, _ schema: JSONValue?) -> [JSONValue] {
        if let given = examples?["actions"]?[action]?.arrayValue { return given }
        if let given = schema?["examples"]?.arrayValue, !given.isEmpty { return given }
        return schema.flatMap(SchemaSample.make).map { [$0] } ?? []
    }

    /// What an executor is asked to prepare: the author's tasks and entrypoints, in a job like the engine's.
    private func jobs() -> [Example] {
        let given = examples?["jobs"]?.arrayValue ?? []
        let wanted: [JSONValue] =
            given.isEmpty ? [["task": ["argv": ["true"]], "entrypoint": ["argv": ["true"]]]] : given
        return wanted.map { Example(action: "", payload: Self.job($0)) }
    }

    static func job(_ example: JSONValue) -> JSONValue {
        let entrypoint = example["entrypoint"] ?? .object(JSONObject())
        return [
            "job_id": "job-00000000000000000000000000", "run_id": "run-00000000000000000000000000",
            "tool_id": "check.example", "profile": "default", "task": example["task"] ?? .object(JSONObject()),
            "constraints": .object(JSONObject()),
            "manifest": ["id": "check.example", "version": "1.0.0", "entrypoint": entrypoint],
            "entrypoint": entrypoint, "work_directory": "/job", "grants": .array([]),
            "environment": ["PATH": "/usr/local/bin:/usr/bin:/bin"],
        ]
    }

    /// Whether there are jobs of the author's own, or only the guess above.
    var hasOwnJobs: Bool { examples?["jobs"]?.arrayValue?.isEmpty == false }
}
