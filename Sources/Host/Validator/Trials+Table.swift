internal import DomeCatalog
internal import DomeModel
internal import PluginABI

// get_factory and the table it gives.
extension Validator {
    static let tableTrials: [Trial] = [
        Trial("factory-knows-its-kind", "get_factory has a table for the kind that plugin.json names", isGate: true) {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.initialized)
            let table = try stage.factory(stage.factoryID)
            try require(
                table.address != 0,
                "get_factory returned NULL for \(stage.factoryID): return its table, or correct \"kind\" in plugin.json"
            )
            try require(table.address % 8 == 0, "the table is misaligned")
            return stage.factoryID
        },
        Trial("factory-unknown-ids", "get_factory answers NULL for ids that it does not know") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.initialized)
            let known = stage.factoryID
            let strangers = [
                "", "dome.nothing/1", String(known.dropLast()) + "2", known + "0", String(known.dropLast(2)),
                known.uppercased(), String(repeating: "x", count: 4000), known + "\0",
            ]
            for id in strangers {
                let table = try stage.factory(id)
                try require(table.address == 0, "get_factory has a table for '\(id.prefix(40))': compare the whole id")
            }
            return "\(strangers.count) ids"
        },
        Trial("factory-is-stable", "get_factory gives the same table each time") { bench throws(TrialEnd) in
            let stage = try bench.stage(.initialized)
            let first = try stage.factory(stage.factoryID).address
            let second = try stage.factory(stage.factoryID).address
            try require(first == second, "two calls gave two tables: it must live until deinit, so make it static")
            return "same address"
        },
        Trial("table-struct-size", "the table's struct_size is that of its type", isGate: true) {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.initialized)
            let (size, own) = (try stage.factory(stage.factoryID).structSize, tableSize(stage))
            let type = stage.kind == .adapter ? "dome_adapter_api_t" : "dome_executor_api_t"
            try require(size >= own, "struct_size is \(size), the host's is \(own): set it to sizeof(\(type))")
            try require(size <= 4096, "struct_size is \(size), which is no table: set it to sizeof(\(type))")
            return "\(size)"
        },
        Trial("table-functions", "the functions that are not optional are there", isGate: true) {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.initialized)
            let present = try stage.factory(stage.factoryID).present
            let names =
                stage.kind == .adapter
                ? ["get_descriptor", "connect", "execute", nil, nil, "disconnect"]
                : ["get_descriptor", "create", "destroy"]
            for (index, name) in names.enumerated() {
                guard let name else { continue }
                try require(index < present.count && present[index], "\(name) is NULL")
            }
            return "\(present.count { $0 }) of \(present.count)"
        },
    ]

    private static func tableSize(_ stage: Stage) -> UInt64 {
        UInt64(
            stage.kind == .adapter
                ? MemoryLayout<dome_adapter_api_t>.size : MemoryLayout<dome_executor_api_t>.size)
    }
}
