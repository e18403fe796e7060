internal import DomeModel
internal import PluginABI

/// The questions asked of what a plugin hands out beyond its entry: function tables and its descriptor.
enum TableCheck {
    /// The table at `address`, if it is one as this host knows it. `name` is the C type, for the refusal.
    static func table<Table>(
        _ address: UnsafeRawPointer, as type: Table.Type, _ name: String, _ manifest: PluginManifest
    ) throws(DomeError) -> UnsafePointer<Table> {
        let needed = MemoryLayout<Table>.size
        guard Int(bitPattern: address) % MemoryLayout<Table>.alignment == 0 else {
            throw manifest.refused("its \(name) is misaligned", remedy: "return one of dome's headers")
        }
        let size = address.load(as: UInt.self)
        guard size >= needed else {
            throw manifest.refused(
                "\(name).struct_size is \(size), the host's is \(needed)",
                remedy: "set it to sizeof(\(name)) and rebuild it against this dome's headers")
        }
        return address.assumingMemoryBound(to: type)
    }

    /// The library must be the one its plugin.json describes.
    static func descriptor(
        _ descriptor: UnsafePointer<dome_descriptor_t>?, _ manifest: PluginManifest
    ) throws(DomeError) -> dome_descriptor_t {
        guard let descriptor else {
            throw manifest.refused("its get_descriptor returned NULL", remedy: "return a dome_descriptor_t")
        }
        let needed = MemoryLayout<dome_descriptor_t>.size
        let size = UnsafeRawPointer(descriptor).loadUnaligned(as: UInt.self)
        guard size >= needed else {
            throw manifest.refused(
                "dome_descriptor_t.struct_size is \(size), the host's is \(needed)",
                remedy: "set it to sizeof(dome_descriptor_t) and rebuild it against this dome's headers")
        }
        let id = try text(descriptor.pointee.id, "id", limitBytes: 256, manifest)
        let version = try text(descriptor.pointee.version, "version", limitBytes: 256, manifest)
        for (name, library, declared) in [("id", id, manifest.id), ("version", version, manifest.version)]
        where library != declared {
            throw manifest.refused(
                "its \(name) is '\(library)' in the library but '\(declared)' in plugin.json",
                remedy: "install library and plugin.json together")
        }
        return descriptor.pointee
    }

    /// The largest declaration that is read.
    static let declarationLimitBytes = 1 << 20

    /// The declaration, which must be a JSON object.
    static func declaration(
        _ descriptor: dome_descriptor_t, _ manifest: PluginManifest
    ) throws(DomeError) -> String {
        let declaration = try text(
            descriptor.declaration, "declaration", limitBytes: declarationLimitBytes, manifest)
        let document: JSONValue
        do throws(DomeError) {
            document = try JSONParser.parse(declaration, what: "dome_descriptor_t.declaration")
        } catch {
            throw manifest.refused(error.message, remedy: "correct it")
        }
        guard document.objectValue != nil else {
            throw manifest.refused("dome_descriptor_t.declaration is no JSON object", remedy: "correct it")
        }
        return declaration
    }

    private static func text(
        _ text: dome_text_t, _ member: String, limitBytes: Int, _ manifest: PluginManifest
    ) throws(DomeError) -> String {
        switch ForeignText.read(text, limitBytes: limitBytes) {
        case .success(let value): return value
        case .failure(let defect):
            throw manifest.refused("dome_descriptor_t.\(member) \(defect.reason)", remedy: "correct it")
        }
    }
}
