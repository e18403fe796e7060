import DomeAsync
import DomeClient
import DomeModel
import DomePlatform
import Glibc

extension Invocation {
    /// A client for this invocation's daemon; nothing is opened yet.
    @Core
    func client() throws(CommandFailure) -> DaemonClient {
        let directories = try local { () throws(DomeError) in try Directories() }
        let endpoint = try local { () throws(DomeError) in
            try Endpoint.resolve(directories: directories) { getenv($0).map { String(cString: $0) } }
        }
        let usual = directories.state + "/tcp-token"
        let tokenFile = getenv("DOMED_TOKEN_FILE").map { String(cString: $0) } ?? (Files.exists(usual) ? usual : nil)
        guard mayStart else { return DaemonClient(endpoint: endpoint, launcher: nil, tokenFile: tokenFile) }
        let programs = try local { () throws(DomeError) in try Directories.ofExecutable() }
        return DaemonClient(
            endpoint: endpoint,
            launcher: DaemonLauncher(directories: directories, executableDirectory: programs), tokenFile: tokenFile)
    }

    /// Prints a document for programs, or text for people.
    @Core
    func print(json: @autoclosure () -> JSONValue, text: @autoclosure () -> String) throws(CommandFailure) {
        try Output.stdout.write(isJSON ? json().indented : text())
    }

    var style: Style { Style(isOn: Output.stdout.hasColour) }
}

/// A job id as people may give it: the run's id means its job.
func jobID(_ text: String) throws(CommandFailure) -> String {
    if let job = JobID(text) ?? JobID.ofRun(text) { return job.text }
    throw .usage("'\(text)' is no job id; they look like job-01k…, and 'dome jobs' lists them")
}
