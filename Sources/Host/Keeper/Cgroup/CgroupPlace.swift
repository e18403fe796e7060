/// Where a process's cgroup v2 group is among the files; pure text work, see cgroups(7) and proc_pid_mountinfo(5).
enum CgroupPlace {
    /// The folder of the group that `membership` (/proc/self/cgroup) names, by way of `mounts`
    /// (/proc/self/mountinfo); nil where cgroup v2 is not mounted, or the group lies outside of what is.
    static func folder(membership: String, mounts: String) -> String? {
        guard let group = group(membership) else { return nil }
        for line in mounts.split(separator: "\n") {
            guard let mount = Mount(line) else { continue }
            if let path = mount.path(of: group) { return path }
        }
        return nil
    }

    /// The path of the unified hierarchy's line, `0::/path`. One that is outside of the process's cgroup namespace
    /// begins with `/..` and can not be found among the files.
    private static func group(_ membership: String) -> String? {
        for line in membership.split(separator: "\n") where line.hasPrefix("0::/") {
            let path = line.dropFirst(3)
            // The kernel says so of a group that was removed.
            return path.hasPrefix("/..") || path.hasSuffix(" (deleted)") ? nil : String(path)
        }
        return nil
    }

    private struct Mount {
        var root: String
        var point: String

        /// Nil unless it is a cgroup v2 mount.
        init?(_ line: Substring) {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, dash + 1 < fields.count,
                fields[dash + 1] == "cgroup2"
            else { return nil }
            (root, point) = (Self.unescaped(fields[3]), Self.unescaped(fields[4]))
        }

        func path(of group: String) -> String? {
            let base = point == "/" ? "" : point
            if root == "/" { return group == "/" ? point : base + group }
            if group == root { return point }
            return group.hasPrefix(root + "/") ? base + group.dropFirst(root.count) : nil
        }

        /// Space, tab, newline and backslash are written as three octal digits.
        private static func unescaped(_ field: Substring) -> String {
            var bytes: [UInt8] = []
            var rest = Array(field.utf8)[...]
            while let byte = rest.popFirst() {
                let digits = rest.prefix(3)
                guard byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) })
                else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
                rest = rest.dropFirst(3)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
