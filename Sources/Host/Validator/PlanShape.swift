internal import DomeModel

/// The launch plan of executor.h.
enum PlanShape {
    /// What is wrong with a document as a plan; nil if nothing is.
    static func fault(_ plan: JSONValue) -> String? {
        guard let object = plan.objectValue else { return "the plan is no JSON object" }
        guard let arguments = texts(plan["argv"]), !arguments.isEmpty else {
            return "\"argv\" must be a list of one or more texts"
        }
        if arguments.contains(where: { $0.utf8.contains(0) }) { return "\"argv\" has a NUL character" }
        if let environment = plan["environment"] {
            guard let pairs = environment.objectValue else { return "\"environment\" must be an object" }
            for (name, value) in pairs.members where value.stringValue == nil || name.isEmpty || name.contains("=") {
                return "\"environment\" has '\(name.prefix(40))', which is no variable with a text"
            }
        }
        if let folder = plan["cwd"], folder.stringValue?.hasPrefix("/") != true { return "\"cwd\" must be absolute" }
        if let input = plan["stdin"], !["none", "task"].contains(input.stringValue ?? ""),
            input["text"]?.stringValue == nil
        {
            return "\"stdin\" must be \"none\", \"task\" or {\"text\": …}"
        }
        if let network = plan["network"], !["none", "loopback", "full"].contains(network.stringValue ?? "") {
            return "\"network\" must be none, loopback or full"
        }
        if let tty = plan["tty"], tty.boolValue == nil { return "\"tty\" must be true or false" }
        for (member, path) in [("files", "path"), ("mounts", "path")] {
            guard let list = plan[member] else { continue }
            guard let items = list.arrayValue, items.allSatisfy({ $0[path]?.stringValue != nil }) else {
                return "\"\(member)\" must be a list of objects with a \"\(path)\""
            }
        }
        if let limits = plan["limits"], limits.objectValue == nil { return "\"limits\" must be an object" }
        let known = [
            "argv", "environment", "cwd", "stdin", "files", "mounts", "limits", "network", "tty",
        ]
        return object.keys.first { !known.contains($0) }.map { "there is no member \"\($0)\" in a plan" }
    }

    private static func texts(_ value: JSONValue?) -> [String]? {
        guard let array = value?.arrayValue else { return nil }
        let texts = array.compactMap(\.stringValue)
        return texts.count == array.count ? texts : nil
    }
}
