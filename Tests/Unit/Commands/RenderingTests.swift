import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeClient
@testable import DomeCommands

@Suite struct `What is printed` {
    @Test func `cannot drive a terminal`() {
        #expect(Rendered.line("a\u{1b}[2Jb\nc\td\u{9b}") == "a\\u{1b}[2Jb\\nc\\td\\u{9b}")
        #expect(Rendered.lines("a\nb\u{7f}") == "a\nb\\u{7f}")
        #expect(Rendered.line("x\u{202e}y\u{200b}z\u{2028}") == "x\\u{202e}y\\u{200b}z\\u{2028}")
        #expect(Rendered.line("h\u{e9}llo \u{4e2d}\u{6587} \u{1F600}") == "h\u{e9}llo \u{4e2d}\u{6587} \u{1F600}")
    }

    @Test func `lines up, wide characters included`() {
        var table = Table(["A", "B", "C"])
        table.add(["x", "\u{4e2d}\u{6587}", "last"])
        table.add(["longer", "e\u{301}", "evil\u{1b}[31m"])
        let lines = table.text(width: nil, style: Style(isOn: false)).split(separator: "\n")
        #expect(lines == ["A       B     C", "x       \u{4e2d}\u{6587}  last", "longer  e\u{301}     evil\\u{1b}[31m"])
    }

    @Test func `is cut at a terminal's edge`() {
        var table = Table(["ID", "TEXT"])
        table.add(["1", "a very long text that does not fit"])
        #expect(table.text(width: 20, style: Style(isOn: false)).contains("1   a very long tex…\n"))
        #expect(Rendered.cut("\u{4e2d}\u{6587}\u{5b57}", to: 4) == "\u{4e2d}…")
    }

    @Test func `is coloured only when asked`() {
        #expect(Style(isOn: false).red("x") == "x")
        #expect(Style(isOn: true).red("x") == "\u{1b}[31mx\u{1b}[0m")
    }

    @Test func `of fields keeps several lines apart`() {
        var fields = Fields()
        fields.add("a", "1")
        fields.add("none", "")
        fields.add("long", "x\ny")
        #expect(fields.text(style: Style(isOn: false)) == "a:    1\nlong: x\n      y\n")
    }
}

@Suite struct `The end of a job` {
    @Test(
        arguments: [
            (JobState.succeeded, "exited", 0, nil, 0), (.failed, "exited", 7, nil, 7),
            (.failed, "signaled", nil, 9, 137),
            (.failed, "timeout", nil, 15, 124), (.failed, "timeout", 0, nil, 124),
            (.canceled, "canceled", nil, 15, 130),
            (.failed, "launch_failed", nil, nil, 125), (.failed, "keeper_lost", nil, nil, 125),
            (.failed, "disk_full", 1, nil, 125),
            (.failed, "because", nil, nil, 1), (.failed, "exited", 0, nil, 1), (.succeeded, "", nil, nil, 0),
        ] as [(JobState, String, Int32?, Int32?, Int32)]) func `becomes an exit status`(
            _ state: JobState, _ reason: String, _ code: Int32?, _ signal: Int32?, _ status: Int32
        )
    {
        var ending = Ending(state: state)
        ending.reason = reason
        ending.exitCode = code
        ending.signal = signal
        #expect(ending.exitStatus == status)
    }

    @Test func `has a status for every code of the contract`() {
        for code in ErrorCode.allCases {
            let failure = CommandFailure(DomeError(code, "x"))
            #expect(ExitStatus.table.contains { $0.status == failure.status }, "\(code)")
        }
    }
}

@Suite struct `Versions` {
    @Test func `are compared part by part`() {
        #expect("0.9.0".isOlderVersion(than: "0.10.0"))
        #expect(!"1.0.0".isOlderVersion(than: "1.0.0"))
        #expect(!"unknown".isOlderVersion(than: "1.0.0"))
        #expect(DomeVersion.text.split(separator: ".").count == 3)
    }
}

@Suite struct `A log payload` {
    private func read(_ text: String) -> LogPayload? {
        Array(text.utf8).withUnsafeBytes { LogPayload($0) }
    }

    @Test func `gives the line's bytes back`() throws {
        let all = try #require(read(#"{"stream":"stderr","line":"a\"\\\/\b\f\n\r\té😀é","partial":true,"line_id":7}"#))
        #expect(all.line == Array("a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1F600}\u{e9}".utf8))
        #expect(all.stream == .stderr)
        #expect(all.isPartial)
        #expect(all.lineID == 7)
        #expect(read(#"{"line_b64":"//4K","stream":"stdout"}"#)?.line == [0xff, 0xfe, 0x0a])
        #expect(read(#"{"line_b64":"/w=="}"#)?.line == [0xff])
        #expect(read(#"{"value":42.5}"#)?.progress == 42.5)
        #expect(read(#" { "future" : { "a" : [ 1 , "}" , {} ] } , "line" : "x" } "#)?.line == Array("x".utf8))
    }

    @Test(arguments: [
        "", "{}", "{", "[]", #"{"line"}"#, #"{"line":"x""#, #"{"line":7}"#, #"{"line_b64":"/"}"#,
        #"{"line_b64":"a=bc"}"#,
        #"{"line_b64":"=aaa"}"#, #"{"line":"\u12"}"#, #"{"line":"\ud800"}"#, #"{"line":"x"]"#, #"{"stream":"stdout"}"#,
    ]) func `that is malformed is none`(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test func `reads what the general parser reads`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let scalars = (0..<Int.random(in: 0..<40, using: &generator)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0..<0x2500, using: &generator))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            let document: JSONValue = ["line": .string(text), "stream": "stdout"]
            #expect(read(document.compact)?.line == Array(text.utf8), "\(document.compact)")
        }
    }
}

@Suite struct `Completions and manual` {
    static let root = String(#filePath.dropLast("/Tests/Unit/Commands/RenderingTests.swift".count))
    private var verbs: [Verb] { CommandLineTool.verbs.filter { !$0.isHidden } }

    /// What `command` prints, by a shell.
    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32?, output: String) {
        let outcome = try Subprocess(program, [program] + arguments).capture(
            limitBytes: 1 << 16, timeoutMilliseconds: 10_000)
        return (outcome.exitCode, String(decoding: outcome.output, as: UTF8.self))
    }

    @Test func `of bash offer what fits`() throws {
        let script = BashCompletion(verbs: verbs).script
        func offers(_ words: String...) throws -> Set<String> {
            let list = words.map { "'\($0)'" }.joined(separator: " ")
            let probe =
                script + "\ndome() { [ \"$2\" = tools ] && printf 'shell.run\\ngit.log\\n'; }\n"
                + "compopt() { :; }\nCOMP_WORDS=(dome \(list)); COMP_CWORD=\(words.count); _dome; printf '%s\\n' \"${COMPREPLY[@]}\""
            let result = try run("/bin/bash", ["-c", probe])
            #expect(result.status == 0)
            return Set(result.output.split(separator: "\n").map(String.init))
        }
        #expect(try offers("to") == ["tools", "tool"])
        #expect(try offers("tool", "") == ["show"])
        #expect(try offers("tool", "show", "g") == ["git.log"])
        #expect(try offers("run", "") == ["shell.run", "git.log"])
        #expect(try offers("run", "shell.run", "--det") == ["--detach"])
        #expect(try offers("run", "shell.run", "--grant", "net.l") == ["net.loopback"])
        #expect(try offers("jobs", "--state", "r") == ["running"])
        #expect(try offers("jobs", "-o", "") == ["text", "json"])
        #expect(try offers("completions", "z") == ["zsh"])
    }

    @Test func `name every verb and option`() {
        let scripts = [
            BashCompletion(verbs: verbs).script, ZshCompletion(verbs: verbs).script,
            FishCompletion(verbs: verbs).script,
        ]
        for verb in verbs {
            for script in scripts {
                for word in verb.words { #expect(script.contains(word)) }
                for option in verb.options { #expect(script.contains(option.name.dropFirst(2)), "\(option.name)") }
            }
        }
    }

    @Test func `and the manual says what the help says`() throws {
        let manual = String(
            decoding: try Files.read(Self.root + "/docs/man/dome.1", limitBytes: 1 << 20), as: UTF8.self)
        for verb in verbs {
            #expect(manual.contains(".It Nm Cm " + verb.name), "\(verb.name)")
            for option in verb.options + OptionSpec.global {
                #expect(manual.contains("-" + option.name.dropFirst(2)), "\(verb.name) \(option.name)")
            }
        }
        for (status, _) in ExitStatus.table { #expect(manual.contains(".It \(status)\n"), "\(status)") }
        for (names, _) in HelpText.environment {
            for name in names.split(separator: ", ") { #expect(manual.contains(name), "\(name)") }
        }
    }
}
