import DomePlatform

/// Which paths a policy protects, from what is known of the user. Paths that do not exist do no harm.
struct SensitivePaths {
    let directories: Directories
    /// The user's home folders: what HOME says, and what the system says.
    let homes: [String]
    /// Looks up a variable of the daemon's environment, by which credential stores are moved elsewhere.
    let environment: (String) -> String?
    /// Where the running program lies; nil if it is not known.
    let executableDirectory: String?

    /// What no grant may reach, whoever asks: dome's own folders (a job that can write them is the daemon),
    /// credential stores, and the kernel's interfaces.
    func secrets(extra: [String]) -> ProtectedPaths {
        let own =
            [directories.state, directories.config, directories.runtime, directories.data] + directories.ofAllStages
        return ProtectedPaths(own + extra + Self.system + below(Self.credentialStores) + moved)
    }

    /// What no grant may write unless the policy names it: programs and settings that run outside the sandbox. A job
    /// that writes them only has to wait.
    var startup: ProtectedPaths {
        var paths = below(Self.startupFiles)
        if let executableDirectory {
            paths += ["", "/../lib/dome", "/../share/dome"].map { executableDirectory + $0 }
        }
        for variable in ["DOME_REGISTRY_PATH", "DOME_PLUGIN_PATH"] {
            paths += (environment(variable) ?? "").split(separator: ":").map(String.init)
        }
        return ProtectedPaths(paths.filter { $0.hasPrefix("/") })
    }

    /// Each below each home; a home that is a link is known under both names, also for what does not exist in it yet.
    private func below(_ names: [String]) -> [String] {
        let allHomes = Set(homes + homes.compactMap(CatalogReader.resolved)).sorted()
        var paths = allHomes.flatMap { home in names.map { home + "/" + $0 } }
        for (folder, variable) in [
            (".config/", "XDG_CONFIG_HOME"), (".local/share/", "XDG_DATA_HOME"), (".cache/", "XDG_CACHE_HOME"),
        ] {
            guard let base = environment(variable), base.hasPrefix("/"), base != "/" else { continue }
            paths += names.filter { $0.hasPrefix(folder) }.map { base + "/" + $0.dropFirst(folder.count) }
        }
        return paths
    }

    /// Where variables say that a store is; several may be in one, separated by colons.
    private var moved: [String] {
        Self.storeVariables.flatMap { (environment($0) ?? "").split(separator: ":").map(String.init) }
            .filter { $0.hasPrefix("/") && $0 != "/" }
    }

    private static let storeVariables = [
        "SSH_AUTH_SOCK", "GNUPGHOME", "XAUTHORITY", "ICEAUTHORITY", "KRB5CCNAME", "DOCKER_CONFIG", "KUBECONFIG",
        "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_CONFIG_DIR",
        "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "NETRC", "PGPASSFILE",
        "PASSWORD_STORE_DIR", "NPM_CONFIG_USERCONFIG", "PIP_CONFIG_FILE", "REGISTRY_AUTH_FILE", "HISTFILE",
        "SOPS_AGE_KEY_FILE", "CODEX_HOME", "CLAUDE_CONFIG_DIR",
    ]

    /// Below a home folder.
    private static let credentialStores = [
        ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".authinfo", ".authinfo.gpg", ".pgpass",
        ".my.cnf", ".mylogin.cnf", ".npmrc", ".yarnrc.yml", ".pypirc", ".git-credentials", ".gitcookies",
        ".vault-token", ".terraform.d", ".terraformrc", ".password-store", ".pki", ".krb5", ".s3cfg", ".boto",
        ".databrickscfg", ".oci", ".fly", ".netlify", ".cloudflared", ".wrangler", ".snowflake", ".android", ".cert",
        ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml",
        ".m2/settings-security.xml", ".gradle/gradle.properties", ".composer/auth.json", ".nuget/NuGet/NuGet.Config",
        ".config/gcloud", ".config/gh", ".config/glab-cli", ".config/hub", ".config/git/credentials", ".config/op",
        ".config/rclone", ".config/doctl", ".config/heroku", ".config/hcloud", ".config/containers/auth.json",
        ".config/sops", ".config/age", ".config/pip/pip.conf", ".config/google-chrome", ".config/chromium",
        ".config/BraveSoftware", ".config/microsoft-edge", ".config/Signal", ".config/1Password",
        ".config/Bitwarden", ".config/github-copilot", ".mozilla", ".thunderbird", ".Xauthority",
        ".local/share/keyrings", ".local/share/kwalletd", ".local/share/pass", ".step", ".electrum", ".bitcoin",
        ".codex/auth.json", ".claude/.credentials.json", ".claude.json", ".gemini/oauth_creds.json",
        ".huggingface/token", ".cache/huggingface/token", ".openai", ".anthropic", ".bash_history", ".zsh_history",
        ".python_history", ".psql_history", ".mysql_history", ".node_repl_history",
        ".local/share/fish/fish_history",
    ]

    /// Below a home folder: what a shell, a login, an editor, git or a package manager executes.
    private static let startupFiles = [
        ".profile", ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".zshrc", ".zshenv",
        ".zprofile", ".zlogin", ".zlogout", ".kshrc", ".cshrc", ".tcshrc", ".login", ".xprofile", ".xinitrc",
        ".xsession", ".xsessionrc", ".pam_environment", ".tmux.conf", ".screenrc", ".gdbinit", ".lldbinit", ".vimrc",
        ".vim", ".emacs", ".emacs.d", ".gitconfig", ".direnvrc", ".oh-my-zsh", ".nvm", ".pyenv", ".rbenv", ".asdf",
        ".config/git", ".config/fish", ".config/zsh", ".config/nvim", ".config/emacs", ".config/tmux",
        ".config/direnv", ".config/systemd", ".config/autostart", ".config/environment.d", ".local/bin", ".local/lib",
        ".local/share/applications", ".local/share/systemd", ".local/share/dbus-1", ".local/share/bash-completion",
        "bin", "go/bin", ".cargo/bin", ".cargo/config", ".cargo/config.toml", ".cargo/env", ".npm-global", ".bun/bin",
        ".deno/bin", ".vscode", ".claude", ".codex", ".gemini",
    ]

    /// Of the system.
    private static let system = [
        "/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/etc/shadow", "/etc/shadow-", "/etc/gshadow",
        "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh", "/etc/ssl/private", "/etc/krb5.keytab",
        "/etc/pam.d", "/etc/security", "/var/lib/docker", "/var/lib/containerd", "/var/lib/sss",
        "/var/lib/NetworkManager", "/etc/NetworkManager/system-connections", "/etc/wireguard", "/etc/ld.so.preload",
    ]
}
