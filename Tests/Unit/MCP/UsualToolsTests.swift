import DomePlatform
import Testing

@testable import DomeMCP

@Suite struct `The tools that are listed by themselves` {
    @Test func `are those for any work, then the user's own, then the rest`() {
        let shipped = UsualTools.shipped
        let usual = UsualTools.chosen(shipped)
        #expect(usual.count == UsualTools.count)
        #expect(Set(usual).isSuperset(of: ["text.search", "shell.run", "fs.read", "git.log", "web.read"]))
        let own = ["own.1", "own.2", "own.3", "own.4", "own.5"]
        let chosen = UsualTools.chosen(shipped + own)
        #expect(Set(chosen).isSuperset(of: ["text.search", "git.status", "own.1", "own.4"]))
        #expect(!chosen.contains("own.5") && !chosen.contains("web.read"))
        #expect(chosen == chosen.sorted() && chosen.count == UsualTools.count)
    }

    @Test func `are known by name if they come with dome`() throws {
        let root = String(#filePath.dropLast("/Tests/Unit/MCP/UsualToolsTests.swift".count))
        let diagnostics = ["domed.exec-probe", "job.fail", "job.log", "job.noop", "skill-execute"]
        let shipped = try Files.list(root + "/Registry/tools").filter { !diagnostics.contains($0) }
        #expect(Set(shipped).subtracting(UsualTools.shipped).isEmpty)
    }

    @Test func `are as many as there are`() {
        #expect(UsualTools.chosen(["b", "a", "shell.run"]) == ["a", "b", "shell.run"])
        #expect(UsualTools.chosen([]) == [])
    }
}
