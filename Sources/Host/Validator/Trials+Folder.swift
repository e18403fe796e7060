internal import DomeCatalog
internal import DomeModel
internal import DomePlatform
internal import DomePluginHost
internal import Glibc

// plugin.json and the folder around it: read, never run.
extension Validator {
    static let folderTrials: [Trial] = [
        Trial("manifest-is-valid", "plugin.json is there and says what the host needs", isGate: true) {
            bench throws(TrialEnd) in
            if let error = bench.manifestError { throw .failed(error.message) }
            let manifest = try bench.needManifest()
            return "\(manifest.kind.rawValue) \(manifest.id) \(manifest.version)"
        },
        Trial("manifest-id", "its id is a reverse DNS name, in lower case") { bench throws(TrialEnd) in
            let id = try bench.needManifest().id
            try require(
                id.utf8.count <= 128 && id.contains(".")
                    && id.split(separator: ".", omittingEmptySubsequences: false)
                        .allSatisfy(isName),
                "\"id\" is '\(id)': write it like \"org.example.thing\", with a-z, 0-9, - and _ between dots")
            return id
        },
        Trial("manifest-version", "its version is a semantic version") { bench throws(TrialEnd) in
            let version = try bench.needManifest().version
            try require(isSemanticVersion(version), "\"version\" is '\(version)': write it like \"1.2.0\" (semver.org)")
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
        Trial("folder-is-ones-own", "nobody else can change the folder, the library or plugin.json") {
            bench throws(TrialEnd) in
            for path in [bench.folder, bench.folder + "/plugin.json", try bench.needManifest().libraryPath] {
                var status = stat()
                guard stat(path, &status) == 0 else { continue }  // the next trial says so
                try require(status.st_mode & 0o002 == 0, "\(path) can be written by anybody: chmod o-w it")
            }
            return "not writable by others"
        },
    ]

    private static func isName(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, let last = part.utf8.last else { return false }
        func isPlain(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) }
        return isPlain(first) && isPlain(last) && part.utf8.allSatisfy { isPlain($0) || $0 == 0x2d || $0 == 0x5f }
    }

    /// semver.org 2.0.0.
    private static func isSemanticVersion(_ text: String) -> Bool {
        let withoutBuild = text.prefix { $0 != "+" }
        let parts = withoutBuild.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        func isIdentifier(_ part: Substring) -> Bool {
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    byte == 0x2d || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte | 0x20 ^ 0x20)
                        || (0x61...0x7a).contains(byte)
                }
        }
        let areNumbers =
            numbers.count == 3
            && numbers.allSatisfy { part in
                !part.isEmpty && part.count <= 10 && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && (part == "0" || part.first != "0")
            }
        return areNumbers
            && parts.dropFirst().allSatisfy {
                $0.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isIdentifier)
            }
    }
}
