import DomePlatform
import Testing

struct HeaderTests {
    static let headers = ((try? headerNames()) ?? []).sorted()

    private static func headerNames() throws -> [String] {
        try ["dome", "dome/ext"].flatMap { folder in
            try Files.list(Workshop.include + "/" + folder).filter { $0.hasSuffix(".h") }.map { folder + "/" + $0 }
        }
    }

    @Test func `there are headers to test`() { #expect(Self.headers.count >= 17) }

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
        struct dome_adapter { int calls; };
        namespace {
        const dome_host_api_t *api;
        dome_adapter connection;
        const dome_descriptor_t *get_descriptor() {
            static const dome_descriptor_t descriptor = {sizeof(dome_descriptor_t), DOME_TEXT_INIT("org.example.cc"),
                                                         DOME_TEXT_INIT("1.0.0"), DOME_TEXT_INIT("{}")};
            return &descriptor;
        }
        dome_status_t connect(dome_call_t *, const char *, size_t, dome_adapter_t **made) {
            *made = &connection;
            return DOME_OK;
        }
        dome_status_t execute(dome_adapter_t *self, dome_call_t *call, const char *, size_t, const char *payload,
                              size_t size) {
            self->calls++;
            return api->reply(call, payload, size) ? DOME_OK : DOME_INVALID;
        }
        void disconnect(dome_adapter_t *) {}
        bool init(dome_host_t *, const dome_host_api_t *host_api, const char *, size_t) {
            api = host_api;
            return true;
        }
        void deinit() {}
        const void *get_factory(const char *id, size_t size) {
            static const dome_adapter_api_t adapter = {sizeof(dome_adapter_api_t), get_descriptor, connect, execute,
                                                       nullptr, nullptr, disconnect, nullptr};
            return dome_text_equal(id, size, DOME_TEXT(DOME_ADAPTER)) ? &adapter : nullptr;
        }
        }
        extern "C" {
        DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
        const dome_entry_t dome_plugin_entry = {DOME_ENTRY_HEADER, init, deinit, get_factory};
        }
        """
}
