package import DomeModel
internal import DomePlatform
internal import PluginABI

/// An instance of an executor plugin. Confined to the thread that loaded the plugin.
package final class Executor {
    let plugin: Plugin
    private let api: UnsafePointer<dome_executor_api_t>
    let call: CallContext
    private(set) var instance: OpaquePointer?
    /// Its table for jobs that it drives elsewhere, if it has one.
    private(set) var driving: UnsafePointer<dome_executor_drive_api_t>?

    /// Makes an instance from `config`, a JSON object.
    /// Errors: E_INTERNAL when the plugin's table or descriptor does not fit; else what the plugin says.
    package init(_ plugin: Plugin, config: String = "{}") throws(DomeError) {
        let manifest = plugin.manifest
        api = try Self.open(plugin).api
        (self.plugin, call) = (plugin, CallContext(plugin.host))
        let api = self.api
        var made: OpaquePointer?
        try plugin.host.take(config: config)
        _ = try call.run("create an executor") { handle in
            ForeignText.withText(config) { text, size in
                api.pointee.create?(handle, text, size, &made) ?? DOME_INTERNAL
            }
        }
        guard let made else {
            throw manifest.refused("its create said DOME_OK but made no instance", remedy: "set *executor")
        }
        instance = made
        driving = try Self.driving(plugin, api, made)
    }

    /// What an executor answers to `prepare`.
    package enum Preparation: Sendable, Equatable {
        case plan([UInt8])
        /// It drives this job itself.
        case elsewhere
    }

    /// A launch plan, or that there is none because the executor drives this job.
    package func preparation(_ job: [UInt8]) throws(DomeError) -> Preparation {
        if driving != nil, api.pointee.prepare == nil { return .elsewhere }
        do throws(DomeError) { return .plan(try prepare(job)) } catch {
            guard driving != nil, call.status == DOME_UNSUPPORTED else { throw error }
            return .elsewhere
        }
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

    /// Its table, if it is one, and its descriptor.
    static func open(
        _ plugin: Plugin
    ) throws(DomeError) -> (api: UnsafePointer<dome_executor_api_t>, descriptor: dome_descriptor_t) {
        let manifest = plugin.manifest
        guard let table = plugin.factory(DOME_EXECUTOR) else {
            throw manifest.refused(
                "its get_factory knows no '\(DOME_EXECUTOR)'",
                remedy: "return a dome_executor_api_t for that id, or correct \"kind\" in plugin.json")
        }
        let api = try TableCheck.table(table, as: dome_executor_api_t.self, "dome_executor_api_t", manifest)
        guard let getDescriptor = api.pointee.get_descriptor, api.pointee.create != nil, api.pointee.destroy != nil
        else {
            throw manifest.refused(
                "a function of dome_executor_api_t is NULL", remedy: "set get_descriptor, create and destroy")
        }
        return (api, try TableCheck.descriptor(getDescriptor(), manifest))
    }
}
