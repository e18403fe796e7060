/// Which of the daemon's tools are listed by themselves where the settings name none. A model finds and runs all others
/// with dome_search_tools and dome_run.
enum UsualTools {
    /// With dome's own tools that is below twenty, where models choose well.
    static let count = 12

    /// What models reach for in any work.
    private static let first = [
        "text.search", "shell.run", "fs.read", "fs.list", "fs.write", "patch.apply", "git.log", "git.status",
    ]

    /// What comes with dome as well. The user's own tools go before: they were put there to be used.
    private static let last = [
        "web.read", "git.diff", "python.run", "build.test", "doc.text", "json.query", "sqlite.query", "web.fetch",
        "archive.list", "image.info", "http.get", "http.request", "http.check", "sqlite.execute", "data.crc32",
        "math.lgamma", "ffi.call", "echo.say",
    ]

    /// Every shipped tool that may be listed.
    static var shipped: [String] { first + last }

    /// The chosen ones of `ids`, in the order of their names.
    static func chosen(_ ids: [String]) -> [String] {
        let present = Set(ids)
        let own = present.subtracting(shipped).sorted()
        let ranked = first.filter(present.contains) + own + last.filter(present.contains)
        return ranked.prefix(count).sorted()
    }
}
