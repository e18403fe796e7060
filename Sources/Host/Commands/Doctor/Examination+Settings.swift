import DomeModel
import DomePlatform
import Glibc

// Folders and the socket in them, and what domed checks of itself.
extension Examination {
    mutating func examineSettings() {
        do throws(DomeError) {
            let directories = try Directories()
            examineFolder("state", directories.state, needsSpace: true)
            examineFolder("settings", directories.config)
            examineFolder("sockets", directories.runtime)
            examineSocket(directories.socketPath)
        } catch {
            note(.failed, "folders", error.message)
        }
    }

    private mutating func examineFolder(_ name: String, _ path: String, needsSpace: Bool = false) {
        var status = stat()
        guard stat(path, &status) == 0 else { return note(.good, name, "\(path), to be made when it is needed") }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return note(.failed, name, "\(path) is no folder: move it away")
        }
        guard status.st_uid == geteuid(), access(path, R_OK | W_OK | X_OK) == 0 else {
            return note(
                .failed, name,
                "\(path) belongs to uid \(status.st_uid) or cannot be written: chown it to \(geteuid()), chmod 700 it")
        }
        guard status.st_mode & 0o022 == 0 else {
            return note(.failed, name, "\(path) can be written by others: chmod 700 it")
        }
        guard status.st_mode & 0o055 == 0 || name == "settings" else {
            return note(.remark, name, "\(path) is open to others: chmod 700 it")
        }
        guard needsSpace else { return note(.good, name, path) }
        examineSpace(name, path)
    }

    private mutating func examineSpace(_ name: String, _ path: String) {
        var space = statvfs()
        guard statvfs(path, &space) == 0 else { return note(.good, name, path) }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        let detail = "\(path), \(Quantity.text(bytes: free)) free"
        // File systems that make inodes as they go say 0 of 0.
        let areInodesLow = space.f_files > 0 && space.f_favail < 10_000
        let remedy = "; make room, e.g. dome gc --max-size 1G"
        switch free {
        case ..<(64 << 20): note(.failed, name, detail + remedy)
        case ..<(1 << 30): note(.remark, name, detail + remedy)
        default:
            note(
                areInodesLow ? .remark : .good, name,
                areInodesLow ? detail + ", but only \(space.f_favail) inodes" + remedy : detail)
        }
    }

    private mutating func examineSocket(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        let isOwn = status.st_mode & S_IFMT == S_IFSOCK && status.st_uid == geteuid()
        check(
            "socket", isOwn && status.st_mode & 0o007 == 0, path,
            remedy: isOwn ? "is open to others: chmod 600 it" : "is not a socket of yours: remove it")
    }

    /// domed has the libraries and knows the files: it checks database, configuration and plugins itself.
    mutating func examineDaemonsOwn() {
        do throws(DomeError) {
            let program = try Directories.ofExecutable() + "/domed"
            // Missing: said already.
            guard access(program, X_OK) == 0 else { return }
            var check = Subprocess(program, ["domed", "--check"])
            check.environment = environmentOfThisProgram()
            let outcome = try check.capture(limitBytes: 1 << 20, timeoutMilliseconds: 30_000)
            let document = try JSONParser.parse(outcome.output, what: "the report of domed --check")
            guard let entries = document.arrayValue else {
                throw DomeError(.internal, "domed --check ended without a report")
            }
            for entry in entries {
                let verdict = entry["verdict"]?.stringValue
                note(
                    verdict == "ok" ? .good : verdict == "note" ? .remark : .failed,
                    entry["check"]?.stringValue ?? "domed", entry["detail"]?.stringValue ?? "")
            }
        } catch {
            note(.failed, "domed", "cannot check itself: \(error.message)")
        }
    }
}
