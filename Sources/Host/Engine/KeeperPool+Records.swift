internal import DomeAsync
internal import DomeLink
internal import DomeModel
internal import DomePlatform

// What is written down of a keeper, for a domed that comes when the keeper is already dead: which processes must be
// gone before its journals may be touched.
extension KeeperPool {
    struct Recorded {
        var processID: Int32
        var startTicks: UInt64

        /// Whether there is no such process any more.
        var isGone: Bool { ProcessHandle.startTicks(of: processID) != startTicks }
    }

    private func recordPath(_ socketPath: String) -> String { socketPath + ".json" }

    func writeRecord(_ connection: KeeperConnection) {
        let processes = connection.innerServers.values.compactMap { server -> JSONValue? in
            guard let ticks = ProcessHandle.startTicks(of: server.processID) else { return nil }
            return ["pid": .integer(Int64(server.processID)), "start_ticks": .integer(Int64(clamping: ticks))]
        }
        let document: JSONValue = ["inner_servers": .array(processes)]
        do throws(DomeError) {
            try Files.writeAtomically(recordPath(connection.socketPath), Array(document.indented.utf8))
        } catch {
            Log.warning("keeper.record_failed", ["error": error.description])
        }
    }

    func record(of connection: KeeperConnection) -> [Recorded] {
        guard let bytes = try? Files.read(recordPath(connection.socketPath), limitBytes: 1 << 16),
            let document = try? JSONParser.parse(bytes, what: "keeper record")
        else { return [] }
        return (document["inner_servers"]?.arrayValue ?? []).compactMap { entry in
            guard let pid = entry["pid"]?.integerValue, let ticks = entry["start_ticks"]?.integerValue else {
                return nil
            }
            return Recorded(processID: Int32(clamping: pid), startTicks: UInt64(clamping: ticks))
        }
    }

    func waitUntilGone(_ processes: [Recorded]) async {
        for process in processes {
            while !process.isGone { await Core.sleep(milliseconds: 5) }
        }
    }

    func forget(_ socketPath: String) {
        for path in [socketPath, recordPath(socketPath)] {
            do throws(DomeError) { try Files.removeTree(path) } catch {
                Log.warning("keeper.socket_left", ["path": path, "error": error.description])
            }
        }
    }
}
