internal import DomeCatalog
internal import DomeModel
internal import DomePlatform
internal import Glibc

// plugin.json and the folder around it: read, never run.
extension Validator {
    static let folderTrials: [Trial] = [
        Trial("manifest-is-json", "plugin.json is there and is a JSON object", isGate: true) { bench throws(TrialEnd) in
            guard let document = bench.document else {
                throw .failed(bench.manifestError?.message ?? "plugin.json cannot be read")
            }
            guard let object = document.objectValue else { throw .failed("plugin.json is JSON but no object") }
            return object.keys.joined(separator: ", ")
        },
        Trial("manifest-id", "its id is a reverse DNS name, in lower case") { bench throws(TrialEnd) in
            let id = bench.document?["id"]?.stringValue ?? ""
            try require(
                id.contains(".") && ToolManifest.isToolID(id),
                "\"id\" is '\(id)': write it like \"org.example.thing\", with a-z, 0-9, - and _ between dots")
            return id
        },
        Trial("manifest-version", "its version is a semantic version") { bench throws(TrialEnd) in
            let version = bench.document?["version"]?.stringValue ?? ""
            try require(
                ToolManifest.isSemanticVersion(version),
                "\"version\" is '\(version)': write it like \"1.2.0\" (semver.org)")
            return version
        },
        Trial("manifest-permissions", "its permissions are ones that exist") { bench throws(TrialEnd) in
            var count = 0
            for member in ["permissions", "optional_permissions"] {
                guard let value = bench.document?[member] else { continue }
                guard let list = value.arrayValue else { throw .failed("\"\(member)\" must be a list of texts") }
                for item in list {
                    guard let text = item.stringValue else { throw .failed("\"\(member)\" must be a list of texts") }
                    do throws(DomeError) { _ = try Permission(parsing: text) } catch { throw .failed(error.message) }
                    count += 1
                }
            }
            return count == 0 ? "asks for none" : "\(count)"
        },
        Trial("manifest-is-valid", "the host takes plugin.json, every member of it", isGate: true) {
            bench throws(TrialEnd) in
            if let error = bench.manifestError { throw .failed(error.message) }
            let manifest = try bench.needManifest()
            return "\(manifest.kind.rawValue) \(manifest.id) \(manifest.version)"
        },
        Trial("files-are-there", "the further files that plugin.json lists are there") { bench throws(TrialEnd) in
            let files = try bench.needManifest().files
            for path in files {
                try require(
                    Files.isRegularFile("\(bench.folder)/\(path)"),
                    "\"files\" lists '\(path)', which is no regular file in \(bench.folder)")
            }
            return files.isEmpty ? "lists none" : "\(files.count)"
        },
        Trial("folder-is-ones-own", "nobody else can change the folder, the library or plugin.json") {
            bench throws(TrialEnd) in
            for path in [bench.folder, bench.folder + "/plugin.json", try bench.libraryPath()] {
                var status = stat()
                guard stat(path, &status) == 0 else { continue }  // the next trial says so
                try require(status.st_mode & 0o002 == 0, "\(path) can be written by anybody: chmod o-w it")
            }
            return "not writable by others"
        },
    ]
}
