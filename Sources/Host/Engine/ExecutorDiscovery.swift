internal import DomeModel
package import DomePlatform

/// The executor plugins on this machine. Only their plugin.json is read here: the libraries are loaded by workers,
/// never by domed.
package enum ExecutorDiscovery {
    /// An executor plugin's folder.
    package struct Found: Sendable {
        package var id: String
        package var folder: String
    }

    /// Where plugins are looked for, first come first served: `$DOME_PLUGIN_PATH` (colon-separated), the user's data
    /// folder, beside the executables, the system's.
    package static func searchPath(
        directories: Directories, executableDirectory: String, variable: String?
    ) -> [String] {
        (variable ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") } + [
            directories.data + "/plugins", executableDirectory + "/../lib/dome/plugins", "/usr/local/lib/dome/plugins",
            "/usr/lib/dome/plugins",
        ]
    }

    /// The executors below `searchPath`, and what is wrong with folders that look like plugins and are none.
    package static func find(_ searchPath: [String]) -> (found: [Found], problems: [String]) {
        var found: [Found] = []
        var problems: [String] = []
        for folder in searchPath where Files.isDirectory(folder) {
            for name in (try? Files.list(folder)) ?? [] where Files.exists("\(folder)/\(name)/plugin.json") {
                do throws(DomeError) {
                    let path = "\(folder)/\(name)/plugin.json"
                    let document = try JSONParser.parse(try Files.read(path, limitBytes: 1 << 20), what: path)
                    guard let id = document["id"]?.stringValue, let kind = document["kind"]?.stringValue else {
                        throw DomeError(.invalidRequest, "\(path) needs \"id\" and \"kind\"")
                    }
                    guard kind == "executor", !found.contains(where: { $0.id == id }) else { continue }
                    found.append(Found(id: id, folder: "\(folder)/\(name)"))
                } catch {
                    problems.append("plugin left out: \(error.message)")
                }
            }
        }
        return (found, problems)
    }
}
