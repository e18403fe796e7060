import DomeModel
import DomePlatform
import Glibc

/// The units of this stage: those of the system's installation where they name this very program, else files of the
/// user's own, filled from the templates beside it.
struct UnitFiles {
    private let directories: Directories
    /// Where this program lies.
    private let programs: String

    private static let mark = "# Written by 'dome service install'; 'dome service uninstall' removes it.\n"
    private static let templates = ["domed.service", "domed.socket", "domed-keeper@.service"]
    private static let systemFolders = ["/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"]

    init(_ directories: Directories) throws(CommandFailure) {
        self.directories = directories
        programs = try local { () throws(DomeError) in try Directories.ofExecutable() }
    }

    private var folder: String { directories.configHome + "/systemd/user" }

    /// What the folder of the user is to have: nothing but perhaps a drop-in where the system has the units already.
    func wanted() throws(CommandFailure) -> FileChanges {
        var changes = FileChanges()
        let isSystems = isInstalledWithTheSystem
        for template in Self.templates {
            let path = folder + "/" + name(template)
            let before = try FileChanges.text(path)
            guard before == nil || before?.hasPrefix(Self.mark) == true else {
                throw CommandFailure(
                    "\(path) is not dome's: move it away, or remove it, and try again", status: ExitStatus.dataError)
            }
            try changes.plan(path, isSystems ? nil : Self.mark + (try filled(template)))
        }
        try changes.plan(dropIn, folders.isEmpty ? nil : Self.mark + "[Service]\n" + folders)
        return changes
    }

    /// Away with what this program has written, and nothing else.
    func unwanted() throws(CommandFailure) -> FileChanges {
        var changes = FileChanges()
        for path in Self.templates.map({ folder + "/" + name($0) }) + [dropIn] {
            if try FileChanges.text(path)?.hasPrefix(Self.mark) == true { try changes.plan(path, nil) }
        }
        return changes
    }

    private var dropIn: String { folder + "/" + name("domed.service") + ".d/folders.conf" }

    /// The service manager knows nothing of the folders that this shell has set.
    private var folders: String {
        let names = ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DOME_REGISTRY_PATH", "DOME_PLUGIN_PATH"]
        return names.compactMap { name in
            guard let value = getenv(name).map({ String(cString: $0) }), value.hasPrefix("/") else { return nil }
            return "Environment=\"\(name)=\(Self.escaped(value))\"\n"
        }.joined()
    }

    private func name(_ template: String) -> String {
        "domed" + directories.stage.suffix + template.dropFirst("domed".count)
    }

    private var isInstalledWithTheSystem: Bool {
        let unit = name("domed.service")
        for folder in Self.systemFolders {
            guard let text = (try? FileChanges.text(folder + "/" + unit)) ?? nil else { continue }
            return text.split(separator: "\n").contains { line in
                guard line.hasPrefix("ExecStart=") else { return false }
                let program = line.dropFirst("ExecStart=".count).split(separator: " ").first ?? ""
                return Files.isSameFile(String(program), programs + "/domed")
            }
        }
        return false
    }

    private func filled(_ template: String) throws(CommandFailure) -> String {
        let path = programs + "/../share/dome/systemd/" + template + ".in"
        guard let text = try FileChanges.text(path) else {
            throw CommandFailure(
                "the template \(path) is not there: install dome again, whole", status: ExitStatus.notFound)
        }
        return text.replacing("@BINDIR@", with: Self.escaped(programs))
            .replacing("@STAGE@", with: directories.stage.rawValue)
            .replacing("@SUFFIX@", with: directories.stage.suffix)
    }

    /// For a unit's line: specifiers doubled, what would end or split a word escaped (systemd.syntax(7)).
    private static func escaped(_ path: String) -> String {
        var output = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case "%": output += "%%"
            case " ", "\t", "\n", "\"", "'", "\\", "$", ";":
                let code = String(scalar.value, radix: 16)
                output += "\\x" + (code.count < 2 ? "0" : "") + code
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
