internal import CJail
internal import DomeModel

/// Puts the parts of a spec together; the layout is CJail.h's.
struct SpecEncoder {
    // Offset 0 means "none", so the strings begin with a NUL.
    private var strings: [UInt8] = [0]
    private var mounts: [dome_jail_mount] = []
    private var limits: [dome_jail_limit] = []
    private var files: [dome_jail_file] = []
    private var arguments: [UInt32] = []
    private var environment: [UInt32] = []

    init() { strings.reserveCapacity(8 << 10) }

    /// The offset of `text`, terminated. `what` names it in the error; the text itself may be a secret.
    mutating func add(_ text: String, _ what: String) throws(DomeError) -> UInt32 {
        let offset = strings.count
        strings.append(contentsOf: text.utf8)
        guard !strings[offset...].contains(0) else {
            throw DomeError(.invalidRequest, "\(what) of the launch plan contains a NUL character")
        }
        strings.append(0)
        return try bounded(offset, what)
    }

    mutating func addAbsolute(_ path: String, _ what: String) throws(DomeError) -> UInt32 {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw DomeError(.invalidRequest, "\(what) of the launch plan is not an absolute path: '\(path)'")
        }
        return try add(path, what)
    }

    mutating func addArgument(_ text: String, _ index: Int) throws(DomeError) {
        arguments.append(try add(text, "argv[\(index)]"))
    }

    mutating func addVariable(_ text: String) throws(DomeError) {
        environment.append(try add(text, "an environment variable"))
    }

    mutating func add(_ mount: Mount) throws(DomeError) {
        guard mount.target.utf8.count > 1 else {
            throw DomeError(.invalidRequest, "nothing can be mounted over the root of a job: target '\(mount.target)'")
        }
        var entry = dome_jail_mount()
        entry.source = try addAbsolute(mount.source, "granted path")
        entry.target = try addAbsolute(mount.target, "granted path's target")
        (entry.device, entry.inode) = (mount.device, mount.inode)
        if mount.isWritable { entry.flags |= DOME_JAIL_MOUNT_WRITABLE.rawValue }
        if mount.isPlain { entry.flags |= DOME_JAIL_MOUNT_PLAIN.rawValue }
        mounts.append(entry)
    }

    mutating func add(_ limit: dome_jail_limit) { limits.append(limit) }

    mutating func add(_ file: PlannedFile) throws(DomeError) {
        guard PathText.isPlainRelative(file.path) else {
            throw DomeError(.invalidRequest, "planned file '\(file.path)' is not a plain relative path")
        }
        var entry = dome_jail_file()
        entry.path = try add(file.path, "a planned file's path")
        entry.mode = file.mode & 0o777
        entry.data = try bounded(strings.count, "planned files")
        entry.size = try bounded(file.bytes.count, "planned files")
        strings.append(contentsOf: file.bytes)
        files.append(entry)
    }

    func finish(_ head: dome_jail_spec) throws(DomeError) -> [UInt8] {
        var head = head
        // The last byte is a NUL whatever the last planned file ended with.
        let strings = strings + [0]
        head.mount_count = try bounded(mounts.count, "mounts")
        head.limit_count = try bounded(limits.count, "limits")
        head.file_count = try bounded(files.count, "planned files")
        head.argument_count = try bounded(arguments.count, "argv")
        head.environment_count = try bounded(environment.count, "environment")
        head.bytes_size = try bounded(strings.count, "strings")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(strings.count + 4 * (arguments.count + environment.count) + 512)
        withUnsafeBytes(of: &head) { bytes.append(contentsOf: $0) }
        mounts.withUnsafeBytes { bytes.append(contentsOf: $0) }
        limits.withUnsafeBytes { bytes.append(contentsOf: $0) }
        files.withUnsafeBytes { bytes.append(contentsOf: $0) }
        arguments.withUnsafeBytes { bytes.append(contentsOf: $0) }
        environment.withUnsafeBytes { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: strings)
        guard bytes.count <= Int(DOME_JAIL_MAX_SPEC) else {
            throw DomeError(.resourceExhausted, "the launch plan takes \(bytes.count) bytes, more than 32 MiB")
        }
        return bytes
    }

    private func bounded(_ value: Int, _ what: String) throws(DomeError) -> UInt32 {
        guard let small = UInt32(exactly: value), value <= Int(DOME_JAIL_MAX_SPEC) else {
            throw DomeError(.resourceExhausted, "\(what) of the launch plan: more than 32 MiB")
        }
        return small
    }
}
