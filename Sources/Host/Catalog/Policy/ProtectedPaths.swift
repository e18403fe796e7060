import DomeModel
import DomePlatform
import Glibc

/// Paths that no grant may reach, whoever asks: dome's own folders (a job that can write them is the daemon),
/// credential stores, and the kernel's interfaces. Neither they, nor what is below, nor a folder above.
struct ProtectedPaths: Sendable {
    private let paths: [String]

    /// Below a home folder.
    private static let credentialStores = [
        ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".authinfo", ".authinfo.gpg", ".pgpass",
        ".my.cnf", ".npmrc", ".yarnrc.yml", ".pypirc", ".git-credentials", ".gitcookies", ".vault-token",
        ".terraform.d", ".terraformrc", ".password-store", ".pki", ".krb5", ".s3cfg", ".boto", ".databricks.cfg",
        ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml",
        ".m2/settings-security.xml", ".gradle/gradle.properties", ".composer/auth.json", ".nuget/NuGet/NuGet.Config",
        ".config/gcloud", ".config/gh", ".config/glab-cli", ".config/hub", ".config/git/credentials", ".config/op",
        ".config/rclone", ".config/doctl", ".config/heroku", ".config/hcloud", ".config/containers/auth.json",
        ".config/sops", ".config/age", ".config/pip/pip.conf", ".config/google-chrome", ".config/chromium",
        ".config/BraveSoftware", ".config/microsoft-edge", ".config/Signal", ".mozilla", ".thunderbird",
        ".local/share/keyrings", ".local/share/kwalletd", ".local/share/pass", ".step", ".electrum", ".bitcoin",
        ".codex/auth.json", ".claude/.credentials.json", ".claude.json", ".huggingface/token",
        ".cache/huggingface/token", ".openai", ".anthropic", ".bash_history", ".zsh_history", ".python_history",
    ]

    /// Of the system.
    private static let systemPaths = [
        "/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/etc/shadow", "/etc/shadow-", "/etc/gshadow",
        "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh", "/etc/ssl/private", "/etc/krb5.keytab",
        "/etc/pam.d", "/etc/security", "/var/lib/docker", "/var/lib/containerd", "/var/lib/sss",
        "/var/lib/NetworkManager", "/etc/NetworkManager/system-connections", "/etc/wireguard", "/etc/ld.so.preload",
    ]

    init(directories: Directories, homes: [String], extra: [String]) {
        let own = [directories.state, directories.config, directories.runtime, directories.data]
        // A home that is a link is known under both names, also for what does not exist in it yet.
        let allHomes = Set(homes + homes.compactMap(CatalogReader.resolved)).sorted()
        let stores = allHomes.flatMap { home in Self.credentialStores.map { home + "/" + $0 } }
        paths = own + extra + Self.systemPaths + stores
    }

    /// The protected path that granting `path` would open, or nil. `path` is absolute and resolved. Looks at the
    /// disk, so that neither a symbolic link, a bind mount nor another spelling gets round the list. Costs a stat
    /// for each path of the list, more for those that exist.
    func opened(by path: String) -> String? {
        let granted = Self.ancestors(of: path).map { FileIdentity(path: $0) }
        guard let target = granted.last ?? nil else { return path }
        var compared: Set<String> = []
        for protected in paths {
            if Self.overlap(path, protected) { return protected }
            guard let identity = FileIdentity(path: protected, followsLinks: true) else { continue }
            if granted.contains(identity) { return protected }
            guard let resolved = CatalogReader.resolved(protected) else { continue }
            if Self.overlap(path, resolved) { return protected }
            for folder in Self.ancestors(of: resolved) where compared.insert(folder).inserted {
                if FileIdentity(path: folder) == target { return protected }
            }
        }
        return nil
    }

    private static func overlap(_ left: String, _ right: String) -> Bool {
        contains(left, right) || contains(right, left)
    }

    /// Whether `inner` is `outer` or lies below it. By bytes, as the kernel compares: String's own comparison takes
    /// a combining character after a slash for another character, and composed for decomposed letters.
    static func contains(_ outer: String, _ inner: String) -> Bool {
        guard inner.utf8.starts(with: outer.utf8) else { return false }
        let rest = inner.utf8.dropFirst(outer.utf8.count)
        return rest.isEmpty || outer == "/" || rest.first == UInt8(ascii: "/")
    }

    /// `/a`, `/a/b`, `/a/b/c`.
    private static func ancestors(of path: String) -> [String] {
        var ancestors: [String] = []
        var current = ""
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            current += "/" + String(Substring(part))
            ancestors.append(current)
        }
        return ancestors
    }
}

/// A file or folder, however it is called.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64

    init?(path: String, followsLinks: Bool = false) {
        var status = stat()
        guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
