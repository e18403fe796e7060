import Testing

@testable import DomeKeeper

/// What the kernel writes about control groups, read without trusting it.
struct CgroupFileTests {
    private static let mounts = """
        22 27 0:21 / /proc rw,relatime - proc proc rw
        33 24 0:28 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate
        """

    private func folder(_ membership: String, _ mounts: String = mounts) -> String? {
        CgroupPlace.folder(membership: membership, mounts: mounts)
    }

    @Test func `the own group is found below the mount`() {
        #expect(folder("0::/user.slice/dome.service\n") == "/sys/fs/cgroup/user.slice/dome.service")
        #expect(folder("0::/\n") == "/sys/fs/cgroup")
        // Hybrid: version 1 controllers around it.
        #expect(folder("9:name=systemd:/x\n1:cpu:/y\n0::/a\n") == "/sys/fs/cgroup/a")
    }

    @Test func `a mount of a part of the tree serves only what is in it`() {
        let part = "33 24 0:28 /docker/12 /cg rw - cgroup2 none rw\n"
        #expect(folder("0::/docker/12\n", part) == "/cg")
        #expect(folder("0::/docker/12/job\n", part) == "/cg/job")
        #expect(folder("0::/docker/123\n", part) == nil)
        #expect(folder("0::/\n", part) == nil)
    }

    @Test func `an escaped mount point is read as what it is`() {
        #expect(folder("0::/a\n", #"33 24 0:28 / /my\040groups rw - cgroup2 none rw"#) == "/my groups/a")
        #expect(folder("0::/a\n", #"33 24 0:28 / /odd\9\04 rw - cgroup2 none rw"#) == #"/odd\9\04/a"#)
    }

    @Test func `what is not there, outside or removed is no group`() {
        #expect(folder("") == nil)
        #expect(folder("1:cpu:/y\n") == nil)
        #expect(folder("0::/../outside\n") == nil)
        #expect(folder("0::/gone (deleted)\n") == nil)
        #expect(folder("0::/a\n", "") == nil)
        #expect(folder("0::/a\n", "garbage - cgroup2\n- cgroup2\n1 2 3 / - cgroup2 x y\n") == nil)
        #expect(folder("0::/a\n", "33 24 0:28 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu\n") == nil)
    }

    private func value(_ name: StaticString, _ text: String) -> UInt64? {
        Array(text.utf8).withUnsafeBytes { CgroupFiles.value(name, in: $0) }
    }

    @Test func `a value is found by its whole name`() {
        let events = "low 0\nhigh 0\nmax 17\noom 2\noom_kill 3\noom_group_kill 0\n"
        #expect(value("oom", events) == 2)
        #expect(value("oom_kill", events) == 3)
        #expect(value("max", events) == 17)
        #expect(value("oom_group", events) == nil)
        #expect(value("ma", events) == nil)
        #expect(value("oom_group_kill", "oom_group_kill 1") == 1)
    }

    @Test func `what is no number is no value`() {
        for text in ["", "max", "max ", "max \n", "max x\n", "max -1\n", "max 1 2\n", "max 18446744073709551616\n"] {
            #expect(value("max", text) == nil, "\(text)")
        }
        #expect(value("max", "max 18446744073709551615\n") == .max)
    }
}
