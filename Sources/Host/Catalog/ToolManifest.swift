package import DomeModel

/// A tool's manifest, tool.json, checked. Registry/schema/tool.schema.json describes the file.
package struct ToolManifest: Sendable, Equatable {
    /// `tool_id`: lower-case letters, digits, `.`, `-`, `_`; also the name of the tool's folder.
    package var id: String
    /// Semantic version (semver.org 2.0.0).
    package var version: String
    /// A few words for a list.
    package var title: String
    /// One sentence.
    package var shortDescription: String
    /// All that a caller should know; may have several lines.
    package var description: String
    /// A free label to group tools by, e.g. "search".
    package var kind: String
    /// What every job of the tool has, and (with `*`) what its caller may name by grant.
    package var permissions: [Permission]
    /// What a caller may ask for by grant besides; not in force without one.
    package var optionalPermissions: [Permission]
    /// What a run changes outside its sandbox, for people and agents; e.g. "writes granted folders".
    package var sideEffects: [String]
    /// Who carries it out.
    package var execution: Execution
    package var standardInput: InputSource
    /// What its output schema describes.
    package var output: OutputForm
    /// Whether the job gets a pseudo-terminal.
    package var usesTerminal: Bool
    /// Upper bounds; a request may only lower them.
    package var limits: Limits
    /// Fixed variables of every job.
    package var environment: [(name: String, value: String)]
    /// Names of files beside tool.json that every job finds in /job/.tool (mode 0555).
    package var files: [String]
    /// What it needs on the machine; a tool without it is unavailable.
    package var requirements: [ToolRequirement]
    /// For those who choose between tools.
    package var advice: ToolAdvice

    /// Who carries a job out.
    package enum Execution: Sendable, Equatable {
        /// An executor plugin, by id, with the entrypoint block that only it understands.
        case executor(id: String, entrypoint: JSONObject)
        /// The engine itself, without a process: these tools prove the daemon, not the sandbox.
        case diagnostic(Diagnostic)
    }

    /// What the engine does by itself.
    package enum Diagnostic: String, Sendable, CaseIterable {
        /// Succeeds.
        case noop
        /// One log event for every element of the task's "lines", then succeeds.
        case log
        /// An error event with the task's "reason", then fails.
        case fail
    }

    /// What a job reads on its standard input.
    package enum InputSource: String, Sendable, CaseIterable {
        case none
        /// The task's JSON text.
        case task
    }

    /// What a job writes to its standard output.
    package enum OutputForm: String, Sendable, CaseIterable {
        /// Lines; the output schema describes one of them, and nobody checks it.
        case lines
        /// One JSON text, which has to fit the output schema for the job to end well.
        case result
    }

    /// What the contract calls executor_backend.
    package var executorBackend: String {
        switch execution {
        case .executor(let id, _): id
        case .diagnostic(let diagnostic): "diagnostic:" + diagnostic.rawValue
        }
    }

    /// The permissions as clients see them; what only a grant brings into force begins with `optional:`.
    package var permissionTexts: [String] {
        permissions.map(\.description) + optionalPermissions.map { "optional:" + $0.description }
    }

    package static func == (left: ToolManifest, right: ToolManifest) -> Bool {
        left.id == right.id && left.version == right.version && left.title == right.title
            && left.shortDescription == right.shortDescription && left.description == right.description
            && left.kind == right.kind && left.permissions == right.permissions
            && left.optionalPermissions == right.optionalPermissions && left.sideEffects == right.sideEffects
            && left.execution == right.execution && left.output == right.output
            && left.standardInput == right.standardInput
            && left.usesTerminal == right.usesTerminal && left.limits == right.limits && left.files == right.files
            && left.requirements == right.requirements && left.advice == right.advice
            && left.environment.elementsEqual(right.environment, by: ==)
    }
}
