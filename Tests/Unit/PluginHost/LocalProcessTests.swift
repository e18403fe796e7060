import DomeModel
import DomePlatform
import DomePluginHost
import Glibc
import Testing

/// Plugins/LocalProcess, built by its Makefile and loaded as domed-worker loads it.
@Suite struct LocalProcessTests {
    private let executor: Executor
    private let workshop: Workshop
    private let directory: String

    init() throws {
        workshop = try Workshop()
        directory = try LocalProcessBuild.directory()
        executor = try Executor(try Plugin(try PluginManifest.read(directory: directory)))
    }

    private func plan(_ entrypoint: String, _ task: String, _ more: String = "") throws -> JSONObject {
        let job = #"{"job_id":"j1","entrypoint":\#(entrypoint),"task":\#(task)\#(more)}"#
        let plan = try JSONParser.parse(try executor.prepare(Array(job.utf8)), what: "plan")
        return try #require(plan.objectValue)
    }

    private func arguments(_ entrypoint: String, _ task: String) throws -> [String] {
        try #require(try plan(entrypoint, task)["argv"]?.arrayValue).compactMap(\.stringValue)
    }

    private func refusal(_ entrypoint: String, _ task: String, _ more: String = "") throws -> String {
        let error = try #require(failure { _ = try plan(entrypoint, task, more) })
        #expect(error.code == .invalidRequest)
        return error.message
    }

    @Test func `a fixed command passes through untouched, shell syntax and all`() throws {
        let argv = try arguments(#"{"argv":["/bin/sh","-c","echo $HOME ${HOME} \"x\" ü"]}"#, "{}")
        #expect(argv == ["/bin/sh", "-c", "echo $HOME ${HOME} \"x\" ü"])
    }

    @Test func `a placeholder is one argument, a list several, an absent one none`() throws {
        let entrypoint =
            #"{"argv":["t","${task.s}","${task.n}","${task.b}","${task.l}","${task.none}","${task.null}"]}"#
        let argv = try arguments(entrypoint, #"{"s":"a b; $(x) '","n":-1.5,"b":true,"l":["x","y z"],"null":null}"#)
        #expect(argv == ["t", "a b; $(x) '", "-1.5", "true", "x", "y z"])
    }

    @Test func `a group is dropped with an absent member and repeated for a list`() throws {
        let entrypoint = #"{"argv":["rg",["-m","${task.max}"],["-g","${task.globs}"],["-C","${task.context}"],"--"]}"#
        let argv = try arguments(entrypoint, #"{"max":3,"globs":["*.c","*.h"]}"#)
        #expect(argv == ["rg", "-m", "3", "-g", "*.c", "-g", "*.h", "--"])
        #expect(try arguments(entrypoint, #"{"globs":[]}"#) == ["rg", "--"])
    }

    @Test func `a value with a placeholder in it stays text`() throws {
        #expect(
            try arguments(#"{"argv":["t","${task.a}"]}"#, #"{"a":"${task.b}","b":"secret"}"#) == ["t", "${task.b}"])
    }

    @Test func `the caller's argv is taken as it is, with its stdin`() throws {
        let plan = try plan(
            #"{"argv_from_task":true}"#, #"{"argv":["printf","%s\n","\u00e4 \ud83d\ude00"],"stdin":"in"}"#)
        #expect(plan["argv"]?.arrayValue?.compactMap(\.stringValue) == ["printf", "%s\n", "ä 😀"])
        #expect(plan["stdin"]?.objectValue?["text"]?.stringValue == "in")
    }

    @Test func `a script becomes a file of the job and is never quoted into a command`() throws {
        let plan = try plan(
            #"{"argv_from_task":true}"#, #"{"script":"echo \"hi\"\n"}"#, #","work_directory":"/work""#)
        #expect(plan["argv"]?.arrayValue?.compactMap(\.stringValue) == ["/bin/sh", "/work/script"])
        let file = try #require(plan["files"]?.arrayValue?.first?.objectValue)
        #expect(file["path"]?.stringValue == "script" && file["mode"]?.integerValue == 0o700)
        #expect(file["text"]?.stringValue == "echo \"hi\"\n")
    }

    @Test func `grants become mounts and the network`() throws {
        let plan = try plan(
            #"{"argv":["t"]}"#, "{}", #","grants":["fs.read:/a \u00fc","fs.write:/b","net.loopback","process"]"#)
        let mounts = try #require(plan["mounts"]?.arrayValue).compactMap(\.objectValue)
        #expect(mounts.map { $0["path"]?.stringValue } == ["/a ü", "/b"])
        #expect(mounts.map { $0["mode"]?.stringValue } == ["read", "write"])
        #expect(plan["network"]?.stringValue == "loopback")
        #expect(try self.plan(#"{"argv":["t"]}"#, "{}")["network"]?.stringValue == "none")
    }

    @Test func `the job's environment is the plan's, untouched`() throws {
        let plan = try plan(#"{"argv":["t"]}"#, "{}", #","environment":{"PATH":"/usr/bin","X":"\u00fc"}"#)
        #expect(plan["environment"]?.objectValue?["PATH"]?.stringValue == "/usr/bin")
        #expect(plan["environment"]?.objectValue?["X"]?.stringValue == "ü")
    }

    @Test func `stdin and terminal come from the manifest, the folder from the entrypoint`() throws {
        let asked = try plan(#"{"argv":["t"],"cwd":"/x"}"#, "{}", #","manifest":{"stdin":"task","tty":true}"#)
        #expect(asked["stdin"]?.stringValue == "task" && asked["tty"]?.boolValue == true)
        #expect(asked["cwd"]?.stringValue == "/x")
        let plain = try plan(#"{"argv":["t"]}"#, "{}", #","manifest":{"tty":false}"#)
        #expect(plain["stdin"]?.stringValue == "none" && plain["tty"] == nil && plain["cwd"]?.stringValue == "/job")
    }

    @Test(
        arguments: [
            (#"{}"#, "{}", "either \"argv\" or \"argv_from_task\""),
            (#"{"argv":["t"],"argv_from_task":true}"#, "{}", "either"), (#"{"argv":[]}"#, "{}", "at least the program"),
            (#"{"argv":"t"}"#, "{}", "at least the program"), (#"{"argv":["t",7]}"#, "{}", "argv[1] must be text"),
            (#"{"argv":["${task.x}"]}"#, #"{"x":"/bin/sh"}"#, "cannot choose the program"),
            (#"{"argv":[["t"]]}"#, "{}", "argv[0] must be a fixed text"),
            (#"{"argv":["t","--x=${task.x}"]}"#, #"{"x":"1"}"#, "must be the whole element"),
            (#"{"argv":["t","${task.x}"]}"#, #"{"x":{}}"#, "no text, number or boolean"),
            (#"{"argv":["t","${task.x}"]}"#, #"{"x":[[]]}"#, "no text, number or boolean"),
            (#"{"argv":["t","${task.x}"]}"#, #"{"x":"a\u0000b"}"#, "NUL"),
            (#"{"argv":["t","${task.x}"]}"#, #"{"x":"1","\u0078":"2"}"#, "twice"),
            (#"{"argv":["t",["${task.x}","${task.x}"]]}"#, #"{"x":["1"]}"#, "only one list"),
            (#"{"argv":["t"],"stdin":"task"}"#, "{}", "unknown"),
            (#"{"argv_from_task":true}"#, "{}", "either \"argv\" or \"script\""),
            (#"{"argv_from_task":true}"#, #"{"argv":["a"],"script":"b"}"#, "either"),
            (#"{"argv_from_task":true}"#, #"{"argv":[]}"#, "at least the program"),
            (#"{"argv_from_task":true}"#, #"{"argv":["a",1]}"#, "task.argv[1] must be text"),
            (#"{"argv_from_task":true}"#, #"{"argv":["a"],"stdin":1}"#, "task.stdin must be text"),
            (#"{"argv_from_task":true}"#, #"{"script":"a\u0000"}"#, "NUL"), (#"{"argv":["t"]}"#, "[]", "\"task\""),
            (#"{"argv":["t"]}"#, "\"\u{ff}", "not a JSON object"),
        ])
    func `what does not fit is refused naming the member`(entrypoint: String, task: String, expected: String) throws {
        let message = try refusal(entrypoint, task)
        #expect(message.contains(expected), "\(message)")
    }

    @Test func `the entrypoint of every tool that comes with dome is understood`() throws {
        let tools = Workshop.root + "/Registry/tools"
        var planned = 0
        for name in try Files.list(tools) {
            let path = "\(tools)/\(name)/tool.json"
            let bytes = try Files.read(path, limitBytes: 1 << 20)
            let document = try JSONParser.parse(bytes, what: path)
            guard document["executor"] == "dome.local-process", let entrypoint = document["entrypoint"] else {
                continue
            }
            let manifest = #","manifest":"# + String(decoding: bytes, as: UTF8.self)
            #expect(throws: Never.self, "\(name)") {
                try plan(entrypoint.compact, #"{"argv":["/bin/true"]}"#, manifest)
            }
            planned += 1
        }
        #expect(planned >= 4)
    }

    @Test func `a refusal never repeats the task's values`() throws {
        #expect(!(try refusal(#"{"argv":["t","${task.x}"]}"#, #"{"x":"hunter2\u0000"}"#)).contains("hunter2"))
    }

    @Test func `a task nested as deep as dome accepts it is planned, a deeper one refused`() throws {
        func nested(_ depth: Int) -> String {
            #"{"x":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(try arguments(#"{"argv":["t"]}"#, nested(JSONParser.depthLimit)) == ["t"])
        #expect(try refusal(#"{"argv":["t"]}"#, nested(100_000)).contains("not a JSON object"))
    }

    @Test func `damaged jobs find no crash, no leak and no undefined behaviour`() throws {
        let seed = String(UInt64.random(in: 1...UInt64.max))
        let result = try workshop.run(directory + "/fuzz_prepare", [seed, "100000"])
        print("LocalProcess fuzz:", result.output.split(separator: "\n").joined(separator: ", "))
        #expect(result.exitCode == 0, "seed \(seed): \(result.output)")
    }

    @Test func `it accepts no text that dome's own parser would not, and writes none either`() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        print("LocalProcess differential seed:", seed)
        var random = Scrambler(state: seed)
        let sound = Array(
            #"{"entrypoint":{"argv":["t",["-x","${task.l}"],"ü😀\u00e4"]},"task":{"l":["é\ud83d\ude00",-1.5e+3]}}"#.utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            var job = sound
            for _ in 0..<random.next(below: 4) {
                job[random.next(below: job.count)] =
                    [UInt8(truncatingIfNeeded: random.next()), 0x22, 0x5c, 0x75, 0x30][
                        random.next(below: 5)]
            }
            guard let plan = try? executor.prepare(job) else { continue }
            accepted += 1
            if let error = failure({ _ = try JSONParser.parse(job, what: "job") }) {
                // A name that stands twice, or a number beyond a double, is another layer's to refuse.
                let isBeyondSyntax = error.message.contains("stands twice") || error.message.contains("too large")
                #expect(isBeyondSyntax, "seed \(seed): \(error.message): \(String(decoding: job, as: UTF8.self))")
            } else {
                #expect(throws: Never.self, "seed \(seed)") { try JSONParser.parse(plan, what: "plan") }
            }
        }
        #expect(accepted > 1_000)
    }

    @Test func `the library exports its entry and needs nothing but the C library`() throws {
        let symbols = try workshop.run("/usr/bin/nm", ["-D", "--defined-only", directory + "/libLocalProcess.so"])
        #expect(symbols.output.split(separator: "\n").map { $0.split(separator: " ").last } == ["dome_plugin_entry"])
        let needed = try workshop.run("/usr/bin/objdump", ["-p", directory + "/libLocalProcess.so"])
        let libraries = needed.output.split(separator: "\n").filter { $0.contains("NEEDED") }
        #expect(libraries.allSatisfy { $0.contains("libc.so") })
    }
}

/// A xorshift generator: a failure is repeated by its seed.
private struct Scrambler {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func next(below limit: Int) -> Int { Int(next() >> 1) % max(1, limit) }
}
