// Unit tests of the rooms Commands and Client: arguments, what is printed, and the client against a daemon of our
// own on a real socket.

import DomeClient
import DomeModel
import Testing

@testable import DomeCommands

/// The failure that `body` throws.
func failure(_ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> CommandFailure {
    do {
        try body()
        Issue.record("nothing failed", sourceLocation: location)
    } catch let failure as CommandFailure {
        return failure
    } catch {
        Issue.record("not a CommandFailure: \(error)", sourceLocation: location)
    }
    return CommandFailure("", status: 0)
}

func parse(_ words: String...) throws -> Invocation { try ArgumentParser(verbs: CommandLineTool.verbs).parse(words) }

@Suite struct `The command line` {
    @Test func `finds verb, arguments and options in any order`() throws {
        let invocation = try parse(
            "-o", "json", "run", "--detach", "shell.run", "-g", "unix", "--grant=net.full", "--", "ls", "-l", "--")
        #expect(invocation.verb.name == "run")
        #expect(invocation.positionals == ["shell.run"])
        #expect(invocation.values("--grant") == ["unix", "net.full"])
        #expect(invocation.rest == ["ls", "-l", "--"])
        #expect(invocation.isJSON)
        #expect(invocation.has("--detach"))
        #expect(invocation.mayStart)
    }

    @Test func `knows verbs of two words`() throws {
        #expect(try parse("job", "show", "x").verb.name == "job show")
        #expect(try parse("jobs").verb.name == "jobs")
        #expect(failure { _ = try parse("job") }.message.contains("dome job show"))
    }

    @Test func `takes short options with their value attached`() throws {
        #expect(try parse("jobs", "-n5", "-ojson").value("--limit") == "5")
        #expect(try parse("logs", "-f", "j", "--since-seq=3").value("--since-seq") == "3")
        #expect(try parse("run", "t", "--task", "-").value("--task") == "-")
        #expect(try parse("run", "t", "--priority", "-5").value("--priority") == "-5")
    }

    @Test(arguments: [
        (["tool"], "needs one more word"), (["toolz"], "did you mean 'tools'"),
        (["frobnicate"], "no command 'frobnicate'"),
        (["run"], "needs TOOL"), (["run", "a", "b"], "put the command after --"),
        (["tools", "x"], "one argument too many"),
        (["run", "a", "--tsk", "{}"], "did you mean --task"), (["tools", "--", "x"], "takes nothing after --"),
        (["jobs", "--limit"], "needs a value: --limit N"), (["logs", "j", "--follow=yes"], "takes no value"),
        (["jobs", "-o", "yaml"], "text or json"), (["jobs", "--state", "dead"], "--state must be"),
        (["jobs", "-n", "1", "-n", "2"], "given twice"),
        (["-x"], "no option -x"), (["run", "a", "--", "x", "--"], ""),
    ]) func `says what is wrong with it and what to do`(_ words: [String], _ fragment: String) throws {
        guard !fragment.isEmpty else {
            _ = try ArgumentParser(verbs: CommandLineTool.verbs).parse(words)
            return
        }
        let failure = failure { _ = try ArgumentParser(verbs: CommandLineTool.verbs).parse(words) }
        #expect(failure.status == ExitStatus.usage)
        #expect(failure.message.contains(fragment), "\(failure.message)")
    }

    @Test func `helps when asked, or when nothing is said`() throws {
        #expect(try parse().verb.name == "help")
        #expect(try parse("--help").verb.name == "help")
        #expect(try parse("run", "--help").positionals == ["run"])
        #expect(try parse("job", "show", "-h").positionals == ["job", "show"])
        #expect(try parse("--version").verb.name == "version")
    }

    @Test func `describes every verb in full`() {
        for verb in CommandLineTool.verbs where !verb.isHidden {
            let text = HelpText.text(verb, Style(isOn: false))
            for option in verb.options { #expect(text.contains(option.synopsis), "\(verb.name) \(option.name)") }
            #expect(text.contains(verb.summary))
            #expect(!text.split(separator: "\n").contains { $0.count > 130 }, "\(verb.name)")
            #expect(verb.name == "help" || verb.examples.allSatisfy { $0.hasPrefix("dome ") })
        }
    }
}

@Suite struct `Durations and sizes` {
    @Test func `are read as people write them`() {
        #expect(Quantity.milliseconds("90") == 90_000)
        #expect(Quantity.milliseconds("300ms") == 300)
        #expect(Quantity.milliseconds("1.5h") == 5_400_000)
        #expect(Quantity.milliseconds("2d") == 172_800_000)
        #expect(Quantity.bytes("4096") == 4096)
        #expect(Quantity.bytes("2GiB") == 2 << 30)
        #expect(Quantity.bytes("1.5K") == 1536)
    }

    @Test(arguments: ["", "s", "-1", "1x", "1e3", "nan", "1.2.3s", "99999999999999999999d", " 1"])
    func `are refused when they are none`(_ text: String) {
        #expect(Quantity.milliseconds(text) == nil)
        #expect(Quantity.bytes(text) == nil)
    }

    @Test func `are printed short`() {
        #expect(Quantity.text(milliseconds: 999) == "999 ms")
        #expect(Quantity.text(milliseconds: 4_250) == "4.3 s")
        #expect(Quantity.text(milliseconds: 200_000) == "3 m 20 s")
        #expect(Quantity.text(milliseconds: 7_500_000) == "2 h 5 m")
        #expect(Quantity.text(milliseconds: 273_600_000) == "3 d 4 h")
        #expect(Quantity.text(bytes: 1023) == "1023 B")
        #expect(Quantity.text(bytes: 1536) == "1.5 KiB")
        #expect(Quantity.text(bytes: .max) == "16384 PiB")
    }
}

@Suite struct `What dome run submits` {
    private func submission(_ words: String...) throws -> (task: String, constraints: String) {
        let invocation = try ArgumentParser(verbs: CommandLineTool.verbs).parse(["run", "t"] + words)
        let submission = try SubmissionBuilder(invocation).submission()
        return (submission.taskJSON, submission.constraintsJSON)
    }

    @Test func `is the task as given, completed by what follows`() throws {
        #expect(try submission().task == "{}")
        #expect(try submission("--task", #"{ "a" : 1 }"#).task == #"{ "a" : 1 }"#)
        #expect(try submission("--", "ls", "-l").task == #"{"argv":["ls","-l"]}"#)
        #expect(
            try submission("--task", #"{"x":1}"#, "--stdin", "hi", "--", "cat").task
                == #"{"x":1,"argv":["cat"],"stdin":"hi"}"#)
    }

    @Test func `carries limits and grants as constraints`() throws {
        #expect(try submission().constraints == #"{"wait_ms":0}"#)
        let constraints = try submission(
            "--timeout", "2m", "--priority", "-3", "-g", "fs.read:/usr/../usr/bin", "-g", "unix"
        ).constraints
        #expect(constraints == #"{"wait_ms":0,"timeout_ms":120000,"priority":-3,"grants":["fs.read:/usr/bin","unix"]}"#)
    }

    @Test func `has relative grants made absolute`() throws {
        let constraints = try submission("-g", "fs.write:.").constraints
        #expect(constraints.contains(#""fs.write:/"#))
        #expect(try submission("-g", "fs.read:no/such/thing").constraints.contains("/no/such/thing"))
    }

    @Test(arguments: [
        (["--task", "{"], "line 1"), (["--task", "@/no/such/file"], "/no/such/file"),
        (["--task", "[]", "--", "x"], "must be an object"),
        (["--task", #"{"argv":[]}"#, "--", "x"], "has \"argv\" already"), (["--"], "nothing follows"),
        (["--timeout", "soon"], "--timeout"),
        (["--timeout", "0"], "--timeout"), (["--priority", "900"], "--priority"),
        (["-g", "everything"], "unknown permission"),
        (["-g", "fs.read:"], "needs a path"), (["--key", ""], "--key"),
    ]) func `is refused with a reason`(_ words: [String], _ fragment: String) throws {
        let invocation = try ArgumentParser(verbs: CommandLineTool.verbs).parse(["run", "t"] + words)
        let failure = failure { _ = try SubmissionBuilder(invocation).submission() }
        #expect(failure.message.contains(fragment), "\(failure.message)")
    }

    @Test func `has a fresh key each time unless one is given`() throws {
        func key(_ words: String...) throws -> String {
            let invocation = try ArgumentParser(verbs: CommandLineTool.verbs).parse(["run", "t"] + words)
            return try SubmissionBuilder(invocation).submission().idempotencyKey
        }
        #expect(try key() != key())
        #expect(try key("--key", "k") == "k")
    }
}
