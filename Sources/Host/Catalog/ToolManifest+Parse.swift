package import DomeModel

extension ToolManifest {
    /// Members of an entrypoint that `dome.local-process` understands.
    private static let localProcess = "dome.local-process"

    /// Checks a manifest document. `what` names it in errors, which are E_INVALID_REQUEST and name the member.
    package init(_ document: JSONValue, what: String) throws(DomeError) {
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(what): a manifest must be a JSON object")
        }
        var reader = MemberReader(object, what: what)
        _ = try reader.optionalText("$schema", limit: 1024)
        id = try reader.text("tool_id", limit: 64)
        guard Self.isToolID(id) else {
            throw reader.fail("\"tool_id\" must be of a-z, 0-9, '.', '-', '_', with a letter or digit at both ends")
        }
        version = try reader.text("version", limit: 64)
        guard Self.isSemanticVersion(version) else {
            throw reader.fail("\"version\" must be a semantic version such as 1.2.3")
        }
        title = try reader.text("title", limit: 80)
        shortDescription = try reader.text("short_description", limit: 200)
        description = try reader.text("description", limit: 16 << 10, mayHaveLines: true)
        kind = try reader.text("kind", limit: 32)
        permissions = try reader.permissions("permissions")
        optionalPermissions = try reader.permissions("optional_permissions")
        sideEffects = try reader.texts("side_effects", limit: 200)
        limits = try Self.limits(try reader.object("limits") ?? JSONObject(), what: what)
        environment = try Self.environment(try reader.object("environment") ?? JSONObject(), what: what)
        files = try reader.texts("files", limit: 64)
        for name in files where !Self.isFileName(name) || files.count(where: { $0 == name }) > 1 {
            throw reader.fail("\"files\" must be different plain names of files beside tool.json, not '\(name)'")
        }
        requirements = try ToolRequirement.all(
            try reader.object("requires") ?? JSONObject(), environment: environment, what: what)
        usesTerminal = try reader.flag("tty") ?? false
        standardInput = try Self.choice(try reader.optionalText("stdin", limit: 16), "stdin", reader) ?? .none
        output = try Self.choice(try reader.optionalText("output", limit: 16), "output", reader) ?? .lines
        if let sandbox = try reader.optionalText("sandbox", limit: 16), sandbox != "default" {
            throw reader.fail("\"sandbox\" must be \"default\": a job without its sandbox is refused on this system")
        }
        advice = try ToolAdvice(&reader)
        execution = try Self.execution(&reader)
        try reader.finish()
        try checkTogether(reader)
    }

    private static func execution(_ reader: inout MemberReader) throws(DomeError) -> Execution {
        let executor = try reader.optionalText("executor", limit: 128)
        let entrypoint = try reader.object("entrypoint")
        let word = try reader.optionalText("diagnostic", limit: 16)
        if let diagnostic: Diagnostic = try choice(word, "diagnostic", reader) {
            guard executor == nil, entrypoint == nil else {
                throw reader.fail("\"diagnostic\" excludes \"executor\" and \"entrypoint\"")
            }
            return .diagnostic(diagnostic)
        }
        guard let executor, let entrypoint else {
            throw reader.fail("needs \"executor\" and \"entrypoint\" (or \"diagnostic\")")
        }
        guard isToolID(executor), executor.contains(".") else {
            throw reader.fail("\"executor\" must be a plugin's id such as dome.local-process")
        }
        if executor == localProcess { try checkLocalProcess(entrypoint, what: reader.what) }
        return .executor(id: executor, entrypoint: entrypoint)
    }

    /// Mistakes that the executor would only find when a job runs.
    private static func checkLocalProcess(_ entrypoint: JSONObject, what: String) throws(DomeError) {
        var reader = MemberReader(entrypoint, what: what + ": entrypoint")
        let arguments = reader.value("argv")
        let isFromTask = try reader.flag("argv_from_task") ?? false
        if let directory = try reader.optionalText("cwd", limit: 4096), !directory.hasPrefix("/") {
            throw reader.fail("\"cwd\" must be an absolute path")
        }
        try reader.finish()
        guard isFromTask != (arguments != nil) else {
            throw reader.fail("needs either \"argv\" or \"argv_from_task\": true")
        }
        guard let arguments else { return }
        guard let list = arguments.arrayValue, let program = list.first?.stringValue, !program.isEmpty,
            !program.contains("${")
        else { throw reader.fail("\"argv\" must be a list that begins with the program, a fixed text") }
    }

    private func checkTogether(_ reader: MemberReader) throws(DomeError) {
        for permission in optionalPermissions where permissions.contains(permission) {
            throw reader.fail("\"optional_permissions\" repeats \(permission) of \"permissions\"")
        }
        guard case .diagnostic = execution else { return }
        guard output == .lines else { throw reader.fail("\"output\": a diagnostic has no result") }
        guard permissions.isEmpty, optionalPermissions.isEmpty, files.isEmpty, environment.isEmpty, !usesTerminal,
            requirements.isEmpty
        else {
            throw reader.fail(
                "a diagnostic has no process, so no permissions, files, environment, requires or tty either")
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: String?, _ name: String, _ reader: MemberReader
    ) throws(DomeError) -> Choice? where Choice.RawValue == String {
        guard let text else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw reader.fail("\"\(name)\" must be one of \(known)")
        }
        return choice
    }

    private static func limits(_ object: JSONObject, what: String) throws(DomeError) -> Limits {
        var reader = MemberReader(object, what: what + ": limits")
        var limits = Limits()
        let gibibyte: UInt64 = 1 << 30
        func set(_ path: WritableKeyPath<Limits, UInt64>, _ value: UInt64?, times factor: UInt64 = 1) {
            if let value { limits[keyPath: path] = value * factor }
        }
        set(\.wallMilliseconds, try reader.number("wall_seconds", 1...(31 * 86_400)), times: 1000)
        set(\.graceMilliseconds, try reader.number("grace_seconds", 0...3600), times: 1000)
        set(\.cpuSeconds, try reader.number("cpu_seconds", 1...(31 * 86_400)))
        set(\.cpuPercent, try reader.number("cpu_percent", 1...100_000))
        set(\.memoryBytes, try reader.number("memory_bytes", (1 << 20)...(16_384 * gibibyte)))
        set(\.processes, try reader.number("pids", 1...65_536))
        set(\.openFiles, try reader.number("open_files", 16...1_048_576))
        set(\.fileBytes, try reader.number("file_bytes", 0...(1_024 * gibibyte)))
        set(\.outputBytes, try reader.number("output_bytes", 0...(64 * gibibyte)))
        let line = try reader.number("line_bytes", 64...(1 << 20))
        set(\.lineBytes, line)
        let disk = try reader.number("disk_bytes", 4096...(1_024 * gibibyte))
        // /job lies in memory: more of it than memory could never be used.
        set(\.diskBytes, disk ?? min(limits.diskBytes, limits.memoryBytes))
        set(\.idleFlushMilliseconds, try reader.number("idle_flush_milliseconds", 1...60_000))
        try reader.finish()
        guard limits.diskBytes <= limits.memoryBytes else {
            throw reader.fail(
                "\"disk_bytes\" (\(limits.diskBytes)) contradicts \"memory_bytes\" (\(limits.memoryBytes)): /job lies in "
                    + "memory, so it cannot be larger")
        }
        guard limits.outputBytes == 0 || line ?? 0 <= limits.outputBytes else {
            throw reader.fail(
                "\"line_bytes\" (\(limits.lineBytes)) contradicts \"output_bytes\" (\(limits.outputBytes)): no such line "
                    + "could be recorded")
        }
        return limits
    }

    private static func environment(
        _ object: JSONObject, what: String
    ) throws(DomeError) -> [(name: String, value: String)] {
        var variables: [(name: String, value: String)] = []
        for (name, value) in object.members {
            guard (try? Permission(parsing: "env:" + name)) != nil, !name.hasPrefix("DOMED_") else {
                throw DomeError(.invalidRequest, "\(what): environment: '\(name.prefix(64))' is no name to be set here")
            }
            guard let text = value.stringValue, !text.utf8.contains(0), text.utf8.count <= 32 << 10 else {
                throw DomeError(.invalidRequest, "\(what): environment: \(name) must be a text without NUL characters")
            }
            variables.append((name, text))
        }
        return variables
    }
}

// Forms of names.
extension ToolManifest {
    /// Safe as a folder's name, in a shell and on a terminal.
    package static func isToolID(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
        }
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 128 else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last) && !text.contains("..")
            && bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2e || $0 == 0x2d || $0 == 0x5f }
    }

    private static func isFileName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
        return !ToolFolder.reservedNames.contains(text)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2e || byte == 0x2d || byte == 0x5f
            }
    }

    /// semver.org 2.0.0
    package static func isSemanticVersion(_ text: String) -> Bool {
        let build = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        guard let main = build.first else { return false }
        let parts = main.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let core = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        func isNumber(_ text: Substring) -> Bool {
            !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
                && (text == "0" || !text.hasPrefix("0"))
        }
        func areIdentifiers(_ text: Substring, numbersAreStrict: Bool) -> Bool {
            text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                let isNumeric = part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                let isWord = part.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                        || byte == 0x2d
                }
                return !part.isEmpty && isWord && (!numbersAreStrict || !isNumeric || isNumber(part))
            }
        }
        return core.count == 3 && core.allSatisfy(isNumber)
            && (parts.count == 1 || areIdentifiers(parts[1], numbersAreStrict: true))
            && (build.count == 1 || areIdentifiers(build[1], numbersAreStrict: false))
    }
}
