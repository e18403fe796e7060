import DomeModel
import DomePluginHost
import Testing

struct HandshakeTests {
    /// What loading the sample built with `defines` ends in.
    private func refusal(_ defines: [String], id: String = "org.example.sample", version: String = "1.0.0") throws
        -> String
    {
        let workshop = try Workshop()
        let manifest = try workshop.plugin(defines, id: id, version: version)
        let error = failure {
            let plugin = try Plugin(manifest)
            _ = try Executor(plugin)
        }
        return try #require(error).message
    }

    @Test func `a sound plugin loads and answers`() throws {
        let workshop = try Workshop()
        let plugin = try Plugin(try workshop.plugin())
        let executor = try Executor(plugin)
        #expect(String(decoding: try executor.prepare(Array("{}".utf8)), as: UTF8.self) == #"{"argv":["/bin/true"]}"#)
        executor.close()
        #expect(throws: DomeError.self) { try executor.prepare([]) }
        plugin.unload()
    }

    @Test func `a file that is no library is refused with the loader's reason`() throws {
        let workshop = try Workshop()
        try workshop.write("libsample.so", "this is no ELF file")
        let manifest = try workshop.manifest(id: "org.example.sample", version: "1.0.0")
        let error = try #require(failure { _ = try Plugin(manifest) })
        #expect(error.message.contains("cannot be loaded") && error.message.contains("libsample.so"))
        #expect(error.message.contains("rebuild it as a shared library"))
    }

    @Test func `a library without the entry is told which symbol to export`() throws {
        let message = try refusal(["SYMBOL=another_entry"])
        #expect(message.contains("exports no symbol 'dome_plugin_entry'") && message.contains("DOME_EXPORT"))
    }

    @Test func `a wrong magic is named with both values`() throws {
        let message = try refusal(["MAGIC=0x1234"])
        #expect(message.contains("dome_plugin_entry.magic is 0x1234, the host's is 0x47554c50454d4f44"))
    }

    @Test func `a newer major is named with both versions and the remedy`() throws {
        let message = try refusal(["MAJOR=7", "MINOR=1"])
        #expect(message.contains("abi_major differs: it was built for ABI 7.1, the host's is 1.1"))
        #expect(message.contains("install a newer dome"))
    }

    @Test func `a draft's major is named with both versions and the remedy`() throws {
        let message = try refusal(["MAJOR=0", "MINOR=9"])
        #expect(message.contains("abi_major differs: it was built for ABI 0.9, the host's is 1.1"))
        #expect(message.contains("rebuild it"))
    }

    @Test func `a newer minor loads`() throws {
        let workshop = try Workshop()
        let plugin = try Plugin(try workshop.plugin(["MINOR=7"]))
        plugin.unload()
    }

    @Test func `a truncated entry is refused before any function in it is read`() throws {
        let message = try refusal(["ENTRY_SIZE=24"])
        #expect(message.contains("dome_plugin_entry.struct_size is 24, the host's is 48"))
    }

    @Test func `an entry without init is refused`() throws {
        #expect(try refusal(["INIT=NULL"]).contains("dome_plugin_entry.init is NULL"))
    }

    @Test func `an init that says no is final`() throws {
        #expect(try refusal(["INIT_RESULT=false"]).contains("its init returned false"))
    }

    @Test func `a plugin of another kind is told how to be an executor`() throws {
        let message = try refusal(["KIND=\"dome.adapter/1\""])
        #expect(message.contains("knows no 'dome.executor/1'") && message.contains("plugin.json"))
    }

    @Test func `a truncated executor table is refused`() throws {
        #expect(try refusal(["API_SIZE=40"]).contains("dome_executor_api_t.struct_size is 40, the host's is 48"))
    }

    @Test func `library and plugin json must name the same id and version`() throws {
        let id = try refusal([], id: "org.example.other")
        #expect(id.contains("id is 'org.example.sample' in the library but 'org.example.other' in plugin.json"))
        let version = try refusal([], version: "2.0.0")
        #expect(version.contains("version is '1.0.0' in the library but '2.0.0' in plugin.json"))
    }

    @Test(
        arguments: [
            ("{NULL,5}", "id is NULL with size 5"), ("{\"x\",(size_t)-1}", "id has size 18446744073709551615"),
            ("{\"\\xff\",1}", "id is not UTF-8"),
        ])
    func `a descriptor's text is looked at before it is believed`(define: String, expected: String) throws {
        #expect(try refusal(["ID=" + define]).contains(expected))
    }

    @Test func `a create that fails brings its reason`() throws {
        #expect(try refusal(["CREATE_RESULT=DOME_UNAVAILABLE"]).contains("create an executor: the sample will not"))
    }

    @Test(
        arguments: [
            (#"{"id":"a","version":"1","kind":"tool","library":"l.so"}"#, "known are executor, adapter"),
            (#"{"id":"a","version":"1","kind":"executor","library":"../l.so"}"#, "name of a file in this folder"),
            (#"{"id":7,"version":"1","kind":"executor","library":"l.so"}"#, "\"id\" must be text"),
            (#"{"id":"a""#, "not valid JSON"), ("[]", "must be a JSON object"),
        ])
    func `a damaged plugin json is an error that names the file and the member`(text: String, expected: String) throws {
        let workshop = try Workshop()
        try workshop.write("plugin.json", text)
        let error = try #require(failure { _ = try PluginManifest.read(directory: workshop.directory) })
        #expect(error.message.contains(expected) && error.message.contains("plugin.json"))
    }
}
