package import DomeModel
internal import PluginABI

// Jobs that an executor drives elsewhere (executor_drive.h).
extension Executor {
    /// Whether it drives jobs.
    package var drives: Bool { driving != nil }

    /// Hands `job` over; the answer, a document with the handle in it, as the plugin wrote it.
    package func start(_ job: [UInt8]) throws(DomeError) -> [UInt8] {
        let (instance, driving) = try parts()
        return try job.withBytes { raw throws(DomeError) in
            let text = raw.assumingMemoryBound(to: CChar.self)
            return try call.run("start the job") {
                driving.pointee.start(instance, $0, text.baseAddress, text.count)
            }
        }
    }

    /// What happened since `cursor`, a document as the plugin wrote it.
    package func poll(_ handle: String, cursor: String) throws(DomeError) -> [UInt8] {
        let (instance, driving) = try parts()
        return try call.run("tell how the job is") { call in
            ForeignText.withText(handle) { text, size in
                ForeignText.withText(cursor) { place, placeSize in
                    driving.pointee.poll(instance, call, text, size, place, placeSize)
                }
            }
        }
    }

    /// Asks for the job's end.
    package func cancel(_ handle: String, force: Bool) throws(DomeError) {
        let (instance, driving) = try parts()
        _ = try call.run("cancel the job") { call in
            ForeignText.withText(handle) { driving.pointee.cancel(instance, call, $0, $1, force) }
        }
    }

    /// Takes up what an earlier process started.
    package func recover(_ handle: String) throws(DomeError) {
        let (instance, driving) = try parts()
        _ = try call.run("take the job up again") { call in
            ForeignText.withText(handle) { driving.pointee.recover(instance, call, $0, $1) }
        }
    }

    /// What the job left, a document as the plugin wrote it; empty if its jobs leave nothing.
    package func listArtifacts(_ handle: String) throws(DomeError) -> [UInt8] {
        let (instance, driving) = try parts()
        guard let list = driving.pointee.list_artifacts else { return [] }
        return try call.run("list what the job left") { call in
            ForeignText.withText(handle) { list(instance, call, $0, $1) }
        }
    }

    /// At most `size` bytes of an artifact. E_INTERNAL when the plugin gives more.
    package func readArtifact(
        _ handle: String, _ name: String, offset: UInt64, size: Int
    ) throws(DomeError) -> [UInt8] {
        let (instance, driving) = try parts()
        guard let read = driving.pointee.read_artifact else {
            throw DomeError(.internal, "executor \(plugin.manifest.id) has no artifacts")
        }
        let bytes = try call.run("read an artifact") { call in
            ForeignText.withText(handle) { text, textSize in
                ForeignText.withText(name) { name, nameSize in
                    read(instance, call, text, textSize, name, nameSize, offset, size)
                }
            }
        }
        guard bytes.count <= size else {
            throw DomeError(
                .internal, "plugin \(plugin.manifest.id) gave \(bytes.count) bytes where at most \(size) were asked for"
            )
        }
        return bytes
    }

    private func parts() throws(DomeError) -> (OpaquePointer, UnsafePointer<dome_executor_drive_api_t>) {
        guard let instance, let driving else {
            throw DomeError(.internal, "executor \(plugin.manifest.id) drives no jobs")
        }
        return (instance, driving)
    }

    /// The table, if the executor has one. E_INTERNAL for one that will not do.
    static func driving(
        _ plugin: Plugin, _ api: UnsafePointer<dome_executor_api_t>, _ instance: OpaquePointer
    ) throws(DomeError) -> UnsafePointer<dome_executor_drive_api_t>? {
        guard let getExtension = api.pointee.get_extension,
            let table = ForeignText.withText(DOME_EXT_EXECUTOR_DRIVE, { getExtension(instance, $0, $1) })
        else { return nil }
        let name = "dome_executor_drive_api_t"
        let driving = try TableCheck.table(table, as: dome_executor_drive_api_t.self, name, plugin.manifest)
        let functions = [
            ("start", driving.pointee.start != nil), ("poll", driving.pointee.poll != nil),
            ("cancel", driving.pointee.cancel != nil), ("recover", driving.pointee.recover != nil),
        ]
        for (function, isSet) in functions where !isSet {
            throw plugin.manifest.refused(
                "\(name).\(function) is NULL", remedy: "set start, poll, cancel and recover")
        }
        guard (driving.pointee.list_artifacts == nil) == (driving.pointee.read_artifact == nil) else {
            throw plugin.manifest.refused(
                "\(name) has only one of list_artifacts and read_artifact", remedy: "set both, or none")
        }
        return driving
    }
}
