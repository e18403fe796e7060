import DomeCatalog
import DomeModel
import DomePlatform
import DomeSchema
import Testing

@Suite struct `The settings file` {
    private static let root = String(#filePath.dropLast("/Tests/Unit/Catalog/ConfigurationTests.swift".count))

    private func configuration(_ text: String) throws -> Configuration {
        let scratch = try Scratch()
        try scratch.write("config.json", text)
        return try Configuration(path: scratch.path + "/config.json")
    }

    private func message(_ text: String, _ location: SourceLocation = #_sourceLocation) -> String {
        refusal({ _ = try configuration(text) }, location)
    }

    @Test func `is the defaults where there is none, and where it is empty`() throws {
        #expect(try Configuration(path: "/nowhere/config.json") == Configuration())
        #expect(try configuration("{}") == Configuration())
    }

    @Test func `takes every key's own default, smallest and largest value, and nothing beyond`() throws {
        for setting in Setting.all {
            var values = [setting.read(Configuration())]
            var refused: [JSONValue] = [.null, ["1"], .double(1.5), .string("nonsense")]
            switch setting.kind {
            case .number(_, let range):
                values += [.count(range.lowerBound), .count(range.upperBound)]
                refused += [.count(range.upperBound + 1), .integer(-1)]
                if range.lowerBound > 0 { refused.append(.count(range.lowerBound - 1)) }
            case .word(_, let words):
                values += words.map { .string($0) }
                refused += [.integer(1), "", .bool(true)]
            case .flag:
                values += [.bool(false), .bool(true)]
                refused += [.integer(1), "true"]
            case .loopback:
                values += ["", "127.0.0.1:9464", "[::1]:0"]
                refused += [
                    .bool(true), "0.0.0.0:9464", "127.0.0.1:", "127.0.0.1:65536", "localhost:1", "127.0.0.1:+1",
                ]
            }
            for value in values {
                let found = try configuration("{\"\(setting.key)\": \(value.compact)}")
                #expect(setting.read(found) == value)
                #expect(found.keysChanged(from: Configuration()).allSatisfy { $0.key == setting.key })
            }
            for value in refused {
                let said = message("{\"\(setting.key)\": \(value.compact)}")
                #expect(said.contains("\"\(setting.key)\" must be \(setting.form)"), "\(value.compact): \(said)")
            }
        }
    }

    @Test func `is refused with line, key and the nearest known key`() {
        let said = message("{\n  \"log_level\": \"info\",\n  \"max_runing_jobs\": 3\n}")
        #expect(said.contains("config.json, line 3: unknown key \"max_runing_jobs\""))
        #expect(said.contains("did you mean \"max_running_jobs\"?"))
        #expect(!message("{\"zzz\": 3}").contains("did you mean"))
        // The name in a value is no key.
        #expect(message("{\"$schema\": \"max_queued_jobs\",\n\n\"max_queued_jobs\": 0}").contains("line 3"))
    }

    @Test func `is refused with place and remedy when it is no JSON, or no object`() {
        let said = message("{\n  \"log_level\": info\n}")
        #expect(said.contains("at line 2, column 16") && said.contains("move the file away for the defaults"))
        #expect(message("[]").contains("must be a JSON object"))
        #expect(message("{\"log_level\": \"info\", \"log_level\": \"debug\"}").contains("stands twice"))
        #expect(message("\u{feff}").contains("line 1"))
    }

    @Test func `changes on a reload but for what needs a restart`() throws {
        let old = Configuration()
        let new = try configuration(#"{"max_running_jobs": 2, "max_message_bytes": 5000}"#)
        let kept = new.keepingWhatNeedsARestart(of: old)
        #expect(new.keysChanged(from: old).map(\.key) == ["max_running_jobs", "max_message_bytes"])
        #expect(kept.keysChanged(from: old).map(\.key) == ["max_running_jobs"])
    }

    @Test func `has the schema that is shipped, which is one, and a manual with every key and default`() throws {
        func text(_ path: String) throws -> String {
            String(decoding: try Files.read(Self.root + path, limitBytes: 1 << 20), as: UTF8.self)
        }
        let document = Setting.schemaDocument
        // Differs: dome config show --schema >Registry/schema/config.schema.json
        #expect(try text("/Registry/schema/config.schema.json") == document.indented)
        let schema = try JSONSchema.compile(document, what: "config.schema.json")
        #expect(schema.validate(try json(#"{"max_running_jobs": 3}"#)).isEmpty)
        #expect(!schema.validate(try json(#"{"max_runing_jobs": 3}"#)).isEmpty)
        let manual = try text("/docs/man/dome-config.5")
        for setting in Setting.all {
            let value = setting.read(Configuration()).compact.replacingQuotes
            let restart = setting.effect == .restart ? ", restart" : ""
            #expect(manual.contains(".It Li \(setting.key) No (\(value)\(restart))\n"), "\(setting.key)")
        }
    }
}

extension String {
    /// As mdoc spells them.
    fileprivate var replacingQuotes: String {
        split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\(dq")
    }
}
