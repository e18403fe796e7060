import DomePlatform
import Testing

struct HeaderTests {
    static let headers = ((try? headerNames()) ?? []).sorted()

    private static func headerNames() throws -> [String] {
        try ["dome", "dome/ext", "dome/draft"].flatMap { folder in
            try Files.list(Workshop.include + "/" + folder).filter { $0.hasSuffix(".h") }.map { folder + "/" + $0 }
        }
    }

    @Test func `there are headers to test`() { #expect(Self.headers.count >= 12) }

    @Test(arguments: headers)
    func `a header compiles alone, as C11 and as C++17`(header: String) throws {
        let workshop = try Workshop()
        for (compiler, suffix, standard) in [("cc", "c", "c11"), ("c++", "cc", "c++17")] {
            try workshop.write("alone.\(suffix)", "#include <\(header)>\ntypedef int something;\n")
            let result = try workshop.run(
                "/usr/bin/" + compiler,
                Workshop.strict + ["-std=\(standard)", "-fsyntax-only", workshop.path("alone.\(suffix)")])
            #expect(result.exitCode == 0, "\(result.output)")
        }
    }

    @Test func `the frozen layout holds, and a moved member would be noticed`() throws {
        let workshop = try Workshop()
        let layout = Workshop.root + "/Sources/PluginABI/layout.c"
        let flags = Workshop.strict + ["-std=c11", "-fsyntax-only"]
        #expect(try workshop.run("/usr/bin/cc", flags + [layout]).exitCode == 0)
        let source = String(decoding: try Files.read(layout, limitBytes: 1 << 20), as: UTF8.self)
        let moved = source.split(separator: "DOME_FREEZE(dome_entry_t, init, 24)", maxSplits: 1)
        try workshop.write("moved.c", moved.joined(separator: "DOME_FREEZE(dome_entry_t, init, 16)"))
        let result = try workshop.run("/usr/bin/cc", flags + [workshop.path("moved.c")])
        #expect(result.exitCode != 0 && result.output.contains("init moved"))
    }

    @Test func `a C++ plugin can be written against the headers`() throws {
        let workshop = try Workshop()
        try workshop.write("plugin.cc", Self.plugin)
        let result = try workshop.run(
            "/usr/bin/c++", Workshop.strict + ["-std=c++17", "-fsyntax-only", workshop.path("plugin.cc")])
        #expect(result.exitCode == 0, "\(result.output)")
    }

    private static let plugin = """
        #include <dome/dome.h>
        namespace {
        bool init(dome_host_t *, const dome_host_api_t *, const char *, size_t) { return true; }
        void deinit() {}
        const void *get_factory(const char *id, size_t size) {
            return dome_text_equal(id, size, DOME_TEXT(DOME_EXECUTOR)) ? nullptr : nullptr;
        }
        }
        extern "C" {
        DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
        const dome_entry_t dome_plugin_entry = {DOME_ENTRY_HEADER, init, deinit, get_factory};
        }
        """
}
