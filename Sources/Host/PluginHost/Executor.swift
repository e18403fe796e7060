package import DomeModel
internal import DomePlatform
internal import PluginABI

/// An instance of an executor plugin. Confined to the thread that loaded the plugin.
package final class Executor {
    private let plugin: Plugin
    private let api: UnsafePointer<dome_executor_api_t>
    private let call: CallContext
    private var instance: OpaquePointer?

    /// Makes an instance from `config`, a JSON object.
    /// Errors: E_INTERNAL when the plugin's table or descriptor does not fit; else what the plugin says.
    package init(_ plugin: Plugin, config: String = "{}") throws(DomeError) {
        let manifest = plugin.manifest
        guard let table = plugin.factory(DOME_EXECUTOR) else {
            throw manifest.refused(
                "its get_factory knows no '\(DOME_EXECUTOR)'",
                remedy: "return a dome_executor_api_t for that id, or correct \"kind\" in plugin.json")
        }
        api = try Self.checkTable(table, manifest)
        try Self.checkDescriptor(api, manifest)
        (self.plugin, call) = (plugin, CallContext(plugin.host))
        let api = self.api
        var made: OpaquePointer?
        _ = try call.run("create an executor") { handle in
            ForeignText.withText(config) { text, size in
                api.pointee.create?(handle, text, size, &made) ?? DOME_INTERNAL
            }
        }
        guard let made else {
            throw manifest.refused("its create said DOME_OK but made no instance", remedy: "set *executor")
        }
        instance = made
    }

    /// The launch plan for `job`, as the plugin wrote it: a request, not yet checked against anything.
    package func prepare(_ job: UnsafeRawBufferPointer) throws(DomeError) -> [UInt8] {
        guard let instance else { throw DomeError(.internal, "executor \(plugin.manifest.id) is closed") }
        guard let prepare = api.pointee.prepare else {
            throw DomeError(.invalidRequest, "executor \(plugin.manifest.id) cannot prepare a local job")
        }
        let text = job.assumingMemoryBound(to: CChar.self)
        let plan = try call.run("prepare the job") { prepare(instance, $0, text.baseAddress, text.count) }
        guard !plan.isEmpty else {
            throw DomeError(.internal, "plugin \(plugin.manifest.id) prepared a job but answered with no plan")
        }
        return plan
    }

    /// The same for a job in an array.
    package func prepare(_ job: [UInt8]) throws(DomeError) -> [UInt8] {
        let result = job.withUnsafeBytes { bytes -> Result<[UInt8], DomeError> in
            do throws(DomeError) { return .success(try prepare(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Destroys the instance, once.
    package func close() {
        guard let instance else { return }
        self.instance = nil
        api.pointee.destroy?(instance)
    }

    deinit { close() }

    private static func checkTable(
        _ table: UnsafeRawPointer, _ manifest: PluginManifest
    ) throws(DomeError) -> UnsafePointer<dome_executor_api_t> {
        let needed = MemoryLayout<dome_executor_api_t>.size
        guard Int(bitPattern: table) % MemoryLayout<dome_executor_api_t>.alignment == 0 else {
            throw manifest.refused("its dome_executor_api_t is misaligned", remedy: "return one from executor.h")
        }
        let size = table.load(as: UInt.self)
        guard size >= needed else {
            throw manifest.refused(
                "dome_executor_api_t.struct_size is \(size), the host's is \(needed)",
                remedy: "set it to sizeof(dome_executor_api_t) and rebuild it against this dome's headers")
        }
        let api = table.assumingMemoryBound(to: dome_executor_api_t.self)
        guard api.pointee.get_descriptor != nil, api.pointee.create != nil, api.pointee.destroy != nil else {
            throw manifest.refused(
                "a function of dome_executor_api_t is NULL", remedy: "set get_descriptor, create and destroy")
        }
        return api
    }

    /// The library must be the one its plugin.json describes.
    private static func checkDescriptor(
        _ api: UnsafePointer<dome_executor_api_t>, _ manifest: PluginManifest
    ) throws(DomeError) {
        let needed = MemoryLayout<dome_descriptor_t>.size
        guard let descriptor = api.pointee.get_descriptor?() else {
            throw manifest.refused("its get_descriptor returned NULL", remedy: "return a dome_descriptor_t")
        }
        let size = UnsafeRawPointer(descriptor).loadUnaligned(as: UInt.self)
        guard size >= needed else {
            throw manifest.refused(
                "dome_descriptor_t.struct_size is \(size), the host's is \(needed)",
                remedy: "set it to sizeof(dome_descriptor_t) and rebuild it against this dome's headers")
        }
        func text(_ text: dome_text_t, _ member: String, limitBytes: Int) throws(DomeError) -> String {
            switch ForeignText.read(text, limitBytes: limitBytes) {
            case .success(let value): return value
            case .failure(let defect):
                throw manifest.refused("dome_descriptor_t.\(member) \(defect.reason)", remedy: "correct it")
            }
        }
        let id = try text(descriptor.pointee.id, "id", limitBytes: 256)
        let version = try text(descriptor.pointee.version, "version", limitBytes: 256)
        for (name, library, declared) in [("id", id, manifest.id), ("version", version, manifest.version)]
        where library != declared {
            throw manifest.refused(
                "its \(name) is '\(library)' in the library but '\(declared)' in plugin.json",
                remedy: "install library and plugin.json together")
        }
        let declaration = try text(descriptor.pointee.declaration, "declaration", limitBytes: 1 << 20)
        let document = try JSONParser.parse(declaration, what: "the declaration of plugin \(manifest.id)")
        guard document.objectValue != nil else {
            throw manifest.refused("dome_descriptor_t.declaration is no JSON object", remedy: "correct it")
        }
    }
}
