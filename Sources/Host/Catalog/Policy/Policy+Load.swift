internal import DomeCrypto
package import DomeModel
package import DomePlatform
import Glibc

extension Policy {
    private static let limitBytes = 1 << 20

    /// The policy of the current user. No file: the default. A file that cannot be read or understood is an
    /// error, and no job must be admitted until it is repaired: to go on without it could allow what it denies.
    package static func load(_ directories: Directories) throws(DomeError) -> Policy {
        let homes = homes()
        let path = directories.config + "/policy.json"
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .system("look at \(path)", errno) }
            return Policy(directories: directories, homes: homes, userID: geteuid())
        }
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw DomeError(
                .policyDenied, "\(path) must belong to you and be writable by nobody else: chown it, chmod go-w it")
        }
        try checkFolder(directories.config)
        let document = try JSONParser.parse(try Files.read(path, limitBytes: limitBytes), what: path)
        var policy = try Policy(document, directories: directories, homes: homes, userID: geteuid())
        policy.digest = try SHA256.digest(document.canonical).hex
        return policy
    }

    /// Whoever may rename files in the folder may replace the policy.
    private static func checkFolder(_ path: String) throws(DomeError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system("look at \(path)", errno) }
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & S_IWOTH == 0 else {
            throw DomeError(
                .policyDenied, "\(path) must belong to you and be writable by nobody else: chown it, chmod 700 it")
        }
    }

    /// The user's home folders: what HOME says, and what the system says.
    private static func homes() -> [String] {
        var homes: [String] = []
        if let value = getenv("HOME") { homes.append(String(cString: value)) }
        if let entry = getpwuid(geteuid()), let home = entry.pointee.pw_dir { homes.append(String(cString: home)) }
        return homes.filter { $0.hasPrefix("/") && $0.count > 1 }
    }
}
