import DomeModel
import DomePlatform
import Glibc

/// One file of a tool's folder.
enum ToolFile {
    /// All of it. E_INVALID_REQUEST for what is no regular file, is larger than `limitBytes`, can be written by every user,
    /// or lies elsewhere.
    static func read(_ folder: String, _ name: String, limitBytes: Int) throws(DomeError) -> [UInt8] {
        let path = try place(folder, name)
        let file = try Files.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .system("look at \(path)", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw DomeError(.invalidRequest, "\(name) is no regular file") }
        try refuseForeignWriters(status, path)
        return try Files.read(file, what: path, limitBytes: limitBytes)
    }

    /// Whoever can write a tool's files decides what other users' jobs do.
    static func refuseForeignWriters(_ path: String) throws(DomeError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system("look at \(path)", errno) }
        try refuseForeignWriters(status, path)
    }

    private static func refuseForeignWriters(_ status: stat, _ path: String) throws(DomeError) {
        guard status.st_mode & S_IWOTH == 0 else {
            throw DomeError(.invalidRequest, "\(path) is writable by every user of this machine: chmod o-w it")
        }
    }

    /// Where a file is read, past links. A link may lead to what belongs to the registry: its tools, and `kit`, what they
    /// share. Every job finds the tool's files without a grant, so what else a link names is nobody's to hand out: a
    /// folder that came from elsewhere could otherwise name the user's keys.
    private static func place(_ folder: String, _ name: String) throws(DomeError) -> String {
        let path = folder + "/" + name
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw DomeError(.invalidRequest, "\(name): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFLNK else { return path }
        guard let target = CatalogReader.resolved(path) else {
            throw DomeError(
                .invalidRequest, "\(name) is a link that leads nowhere: \(String(cString: strerror(errno)))")
        }
        let tools = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
        let own = [folder, tools, tools + "/../kit"].compactMap(CatalogReader.resolved)
        guard own.contains(where: { PathText.contains($0, target) }) else {
            throw DomeError(
                .invalidRequest,
                "\(name) is a link that leads to \(target), which every job of the tool would see without a grant: put the "
                    + "file itself there (or into the registry's folder kit, if several tools share it)")
        }
        if let slash = target.lastIndex(of: "/") { try refuseForeignWriters(String(target[..<slash])) }
        return target
    }
}
