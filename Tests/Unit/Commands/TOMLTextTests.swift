import DomeModel
import Testing

@testable import DomeCommands

@Suite struct TOMLTextTests {
    private static let settings = #"""
        # mine
        model = "x" # keep
          spaced   =   'as it is'
        text = """
        [plugins."dome@dome"]
        enabled = false
        """
        list = [ "a]", # [no.header]
          [1, 2], { b = "}" } ]

        [features]  # a table
        "quoted key" = 1979-05-27T07:32:00Z

        [[array.of.tables]]
        a.b.c = '''
        [marketplaces.dome]'''

        # the end
        """#

    private func installed(_ text: String) throws -> String {
        var toml = try #require(TOMLText(text))
        toml.set(["marketplaces", "dome"], [("source_type", "\"local\""), ("source", "\"/x\"")])
        toml.set(["plugins", "dome@dome"], [("enabled", "true")])
        return toml.text
    }

    private func removed(_ text: String) throws -> String {
        var toml = try #require(TOMLText(text))
        toml.remove(["marketplaces", "dome"], ["source_type", "source"])
        toml.remove(["plugins", "dome@dome"], ["enabled"])
        return toml.text
    }

    @Test(arguments: ["", "\n", "a = 1\n", "# only\r\n[x]\r\ny = 2\r\n", settings + "\n"])
    func whatIsThereStaysByteForByte(text: String) throws {
        let after = try installed(text)
        #expect(after.utf8.starts(with: text.utf8))
        #expect(after.hasSuffix("[plugins.\"dome@dome\"]\nenabled = true\n"))
        #expect(try installed(after) == after)
        #expect(try removed(after) == text)
    }

    @Test func aLastLineWithoutAnEndGetsOne() throws {
        #expect(try installed("a = 1").hasPrefix("a = 1\n\n[marketplaces.dome]\n"))
    }

    @Test func ourTablesAreFoundHoweverTheyAreWritten() throws {
        let text = """
            [ plugins . 'dome@dome' ] # ours
            # why it is off
            enabled = false
            extra = [
              1,
            ]

            [other]
            enabled = false
            """
        let after = try installed(text)
        #expect(after.contains("# why it is off\nenabled = true\nextra = [\n  1,\n]\n\n[other]\nenabled = false"))
        #expect(after.components(separatedBy: "dome@dome").count == 2)
        // A table in which somebody wrote something of their own stays.
        #expect(try removed(after).contains("# why it is off\nextra = [\n  1,\n]\n\n[other]"))
    }

    @Test(arguments: [
        "plugins = { }\n", "plugins.\"dome@dome\" = { enabled = true }\n", "[plugins]\n\"dome@dome\".enabled = true\n",
        "[plugins]\n\"dome@dome\" = {}\n",
    ])
    func aTableThatIsWrittenInAnotherWayIsSeen(text: String) throws {
        #expect(try #require(TOMLText(text)).isTaken(["plugins", "dome@dome"]))
    }

    @Test(arguments: ["", "[plugins]\nother.enabled = true\n", "[plugins.\"dome@dome\"]\nenabled = true\n", settings])
    func otherwiseItIsFree(text: String) throws {
        #expect(try !#require(TOMLText(text)).isTaken(["plugins", "dome@dome"]))
    }

    @Test(arguments: [
        "[", "a", "a =", "= 1", "a = \"", "a = [1", "a = \"\"\"x", "[a]]", "[a] b", "a = 'x\n'", "]", "a = {",
    ])
    func whatIsNoTOMLIsRefused(text: String) {
        #expect(TOMLText(text) == nil)
    }

    @Test func stringsAreQuoted() {
        #expect(TOMLText.quoted("a\"b\\c\n") == #""a\"b\\c\u000a""#)
    }
}

extension String {
    fileprivate func components(separatedBy mark: String) -> [Substring] { split(separator: mark) }
}

@Suite struct JSONEditTests {
    private func set(_ text: String, _ value: String?) -> String? {
        JSONEdit.set(text, object: "mcpServers", name: "dome", to: value.map { .string($0) })
    }

    @Test func aMemberIsAddedAndRemovedAndTheRestStays() throws {
        let texts = [
            "{\"b\":1.0,  \"mcpServers\": {\n\t\"x\": {\"command\": \"}\"}\n  }, \"é\\u00e9\": [1e3, \"]\"] }",
            "{\"mcpServers\":{\"x\":1,\"y\":[2,{}]}}\n",
            "  { \"mcpServers\" : { \"a\\\"b\" : null } }",
        ]
        for text in texts {
            let after = try #require(set(text, "v"))
            #expect(after.contains("\"dome\": \"v\""))
            #expect(set(after, "v") == after)
            #expect(try #require(set(after, "w")).contains("\"dome\": \"w\""))
            #expect(set(after, nil) == text)
            #expect(set(text, nil) == text)
        }
    }

    @Test func whatIsMissingIsMade() throws {
        #expect(set("{}\n", "v") == "{\n  \"mcpServers\": {\n    \"dome\": \"v\"\n  }\n}\n")
        #expect(set("{\"mcpServers\": {}}", "v") == "{\"mcpServers\": {\n    \"dome\": \"v\"\n  }}")
        #expect(set("{\"a\": 1}", "v") == "{\"a\": 1,\n  \"mcpServers\": {\n    \"dome\": \"v\"\n  }}")
        #expect(set("{\"mcpServers\": {\"dome\": 1, \"x\": 2}}", nil) == "{\"mcpServers\": { \"x\": 2}}")
    }

    @Test(arguments: ["", "[]", "{", "{\"mcpServers\": []}", "{\"mcpServers\": 1}", "null", "{\"a\":1,\"a\":2}"])
    func whatIsNoObjectIsRefused(text: String) {
        #expect(set(text, "v") == nil)
    }
}
