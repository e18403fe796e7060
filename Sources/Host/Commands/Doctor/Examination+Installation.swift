import DomeCatalog
import DomeModel
import DomePlatform
import Glibc

// What is installed: programs, tools and what they call.
extension Examination {
    mutating func examineInstallation() {
        guard let programs = try? Directories.ofExecutable() else {
            return note(.failed, "programs", "cannot tell where this program lies: is /proc mounted?")
        }
        let missing = ["domed", "domed-keeper", "domed-worker"].filter { access(programs + "/" + $0, X_OK) != 0 }
        check(
            "programs", missing.isEmpty, missing.isEmpty ? programs : "\(missing.joined(separator: ", ")) not there",
            remedy: "install them beside dome, in \(programs)")
        if access(Self.jailProgram(programs), X_OK) != 0 {
            note(.remark, "domed-jail", "not in ../lib/dome: domed-keeper does its work, only slower")
        }
        guard let directories = try? Directories() else { return }
        let path = Catalog.searchPath(
            directories: directories, executableDirectory: programs,
            registryPath: getenv("DOME_REGISTRY_PATH").map { String(cString: $0) })
        let snapshot = Catalog(searchPath: path, isWatching: false).snapshot
        let shown = path.filter { $0.hasPrefix("/") && Files.isDirectory($0 + "/tools") }.joined(separator: ", ")
        let named = (getenv("DOME_REGISTRY_PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        for place in named where place.hasPrefix("/") && !Files.isDirectory(place + "/tools") {
            note(.remark, "registry", "DOME_REGISTRY_PATH names \(place), which has no folder \"tools\"")
        }
        if snapshot.tools.isEmpty {
            note(.failed, "tools", "none; looked in \(path.joined(separator: ", "))")
        } else {
            note(.good, "tools", "\(snapshot.tools.count) in \(shown)")
        }
        for problem in snapshot.problems { note(.failed, "tool", "\(problem.path) is left out: \(problem.reason)") }
        for shadow in snapshot.shadowed { note(.remark, "tool", "\(shadow.path) is hidden by \(shadow.usedPath)") }
        for tool in snapshot.tools { examineProgram(of: tool.manifest) }
        for tool in snapshot.tools {
            for missing in tool.manifest.requirements.compactMap({ $0.missing() }) {
                note(.remark, "tool", "\(tool.manifest.id) \(missing)")
            }
        }
        examinePolicy(directories, snapshot.tools.map(\.manifest.id))
        for (name, without) in [
            ("git", "provenance names no commit: install the package git"),
            ("rg", "text.search uses grep, slower: install the package ripgrep"),
        ] {
            let place = Self.placeInPath(name)
            note(place == nil ? .remark : .good, name, place ?? "not installed; " + without)
        }
    }

    /// The program that every job of a tool begins with, where the manifest names it.
    private mutating func examineProgram(of manifest: ToolManifest) {
        guard case .executor(_, let entrypoint) = manifest.execution,
            let program = entrypoint["argv"]?.arrayValue?.first?.stringValue
        else { return }
        let isThere = program.hasPrefix("/") ? access(program, X_OK) == 0 : Self.placeInPath(program) != nil
        guard !isThere, !program.hasPrefix("/job/") else { return }
        note(.remark, "tool", "\(manifest.id) cannot run: its program \(program) is not there; install it")
    }

    /// The default, or the file; a name in it that no tool has protects nothing.
    private mutating func examinePolicy(_ directories: Directories, _ tools: [String]) {
        do throws(DomeError) {
            let policy = try Policy.load(directories)
            let path = directories.config + "/policy.json"
            note(.good, "policy", Files.exists(path) ? path : "the default: there is no \(path)")
            for name in policy.namedTools where !tools.contains(name) {
                note(.remark, "policy", "\(path) has rules for \(name), and there is no tool of that name")
            }
        } catch {
            note(.failed, "policy", error.message)
        }
    }

    /// In the PATH that jobs have.
    private static func placeInPath(_ name: String) -> String? {
        ["/usr/local/bin", "/usr/bin", "/bin"].map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
    }
}
