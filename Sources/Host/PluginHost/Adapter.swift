package import DomeModel
internal import PluginABI

/// A connection of an adapter plugin. Confined to the thread that loaded the plugin.
package final class Adapter {
    private let plugin: Plugin
    private let api: UnsafePointer<dome_adapter_api_t>
    private let call: CallContext
    private var connection: OpaquePointer?

    /// Connects with `config`, a JSON object.
    /// Errors: E_INTERNAL when the plugin's table or descriptor does not fit; else what the plugin says.
    package init(_ plugin: Plugin, config: String = "{}") throws(DomeError) {
        api = try Self.open(plugin).api
        (self.plugin, call) = (plugin, CallContext(plugin.host))
        try plugin.host.take(config: config)
        let connect = api.pointee.connect
        var made: OpaquePointer?
        _ = try call.run("connect") { handle in
            ForeignText.withText(config) { text, size in connect?(handle, text, size, &made) ?? DOME_INTERNAL }
        }
        guard let made else {
            throw plugin.manifest.refused("its connect said DOME_OK but made no connection", remedy: "set *adapter")
        }
        connection = made
    }

    /// Carries `action` out on `payload`, JSON text. The result as the plugin wrote it, not yet checked.
    package func execute(_ action: String, _ payload: String) throws(DomeError) -> [UInt8] {
        guard let connection, let execute = api.pointee.execute else { throw closed }
        return try call.run("carry out \(action)") { handle in
            ForeignText.withText(action) { name, nameSize in
                ForeignText.withText(payload) { text, size in
                    execute(connection, handle, name, nameSize, text, size)
                }
            }
        }
    }

    /// What the plugin says of its health, JSON; a plugin without the function is healthy when it is connected.
    package func health() throws(DomeError) -> [UInt8] {
        guard let connection else { throw closed }
        guard let health = api.pointee.health else { return Array(#"{"ok":true}"#.utf8) }
        return try call.run("tell its health") { health(connection, $0) }
    }

    /// Tells the plugin what dome puts on record; `event` is a JSON object.
    package func audit(_ event: String) {
        guard let connection, let audit = api.pointee.audit else { return }
        ForeignText.withText(event) { audit(connection, $0, $1) }
    }

    /// Ends the connection, once.
    package func disconnect() {
        guard let connection else { return }
        self.connection = nil
        api.pointee.disconnect?(connection)
    }

    deinit { disconnect() }

    private var closed: DomeError { DomeError(.internal, "the connection of \(plugin.manifest.id) is closed") }

    /// Its table, if it is one, and its descriptor.
    static func open(
        _ plugin: Plugin
    ) throws(DomeError) -> (api: UnsafePointer<dome_adapter_api_t>, descriptor: dome_descriptor_t) {
        let manifest = plugin.manifest
        guard let table = plugin.factory(DOME_ADAPTER) else {
            throw manifest.refused(
                "its get_factory knows no '\(DOME_ADAPTER)'",
                remedy: "return a dome_adapter_api_t for that id, or correct \"kind\" in plugin.json")
        }
        let api = try TableCheck.table(table, as: dome_adapter_api_t.self, "dome_adapter_api_t", manifest)
        let functions = [
            ("get_descriptor", api.pointee.get_descriptor != nil), ("connect", api.pointee.connect != nil),
            ("execute", api.pointee.execute != nil), ("disconnect", api.pointee.disconnect != nil),
        ]
        for (name, isSet) in functions where !isSet {
            throw manifest.refused(
                "dome_adapter_api_t.\(name) is NULL", remedy: "set get_descriptor, connect, execute and disconnect")
        }
        return (api, try TableCheck.descriptor(api.pointee.get_descriptor?(), manifest))
    }
}
