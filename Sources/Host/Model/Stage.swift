/// Which of a user's daemons this is: each stage has a socket, folders and units of its own, so that a build that is being
/// worked on never touches the installed one's jobs.
package enum Stage: String, Sendable, CaseIterable {
    case dev, staging, prod

    /// Of names: `domed-dev.sock`, `dome-dev`; nothing for prod.
    package var suffix: String { self == .prod ? "" : "-" + rawValue }

    /// The stage of a program, by what says so first: its name (`domed-dev`), the variables DOME_STAGE, SOMA_STAGE and
    /// SOMA_CHANNEL, and where it lies: in a build folder (`.build`) dev, else prod.
    /// - Throws: E_INVALID_REQUEST for a variable with another word; a misspelt stage must not end up with prod's jobs.
    package static func resolve(
        programName: String, executableDirectory: String?, environment: (String) -> String?
    ) throws(DomeError) -> Stage {
        let name = programName.split(separator: "/").last ?? ""
        for stage in allCases where stage != .prod && name.hasSuffix(stage.suffix) { return stage }
        for variable in ["DOME_STAGE", "SOMA_STAGE", "SOMA_CHANNEL"] {
            guard let text = environment(variable), !text.isEmpty else { continue }
            guard let stage = Stage(rawValue: text) else {
                throw DomeError(
                    .invalidRequest, "\(variable) must be dev, staging or prod, not '\(text.prefix(64))'; or unset it")
            }
            return stage
        }
        return (executableDirectory ?? "").split(separator: "/").contains(".build") ? .dev : .prod
    }
}
