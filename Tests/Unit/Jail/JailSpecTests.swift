import CJail
import DomeJail
import DomeModel
import Glibc
import Testing

@Suite struct JailSpecTests {
    private func plan(_ arguments: [String] = ["true"]) -> LaunchPlan {
        LaunchPlan(jobID: JobID(createdMilliseconds: 0, random: (0, 0)), arguments: arguments, environment: ["A=b"])
    }

    private func code(_ plan: LaunchPlan) -> ErrorCode? {
        do throws(DomeError) {
            _ = try JailSpec(plan)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `a plan that no process can be started with is refused`() {
        #expect(code(plan()) == nil)
        #expect(code(plan([])) == .invalidRequest)
        #expect(code(plan([""])) == .invalidRequest)
        #expect(code(plan(["true", "a\0b"])) == .invalidRequest)
        var relative = plan()
        relative.workingDirectory = "job"
        #expect(code(relative) == .invalidRequest)
        for (source, target) in [("etc", "/etc"), ("/etc", "etc"), ("/etc", "/"), ("", "/x"), ("/a\0b", "/a")] {
            var mounts = plan()
            mounts.mounts = [Mount(source: source, target: target, isWritable: false)]
            #expect(code(mounts) == .invalidRequest, "\(source) at \(target)")
        }
        for path in ["", "/etc/passwd", "../x", "a/../../b", "a//b", "./a"] {
            var files = plan()
            files.files = [PlannedFile(path: path, mode: 0o600, bytes: [])]
            #expect(code(files) == .invalidRequest, "\(path)")
        }
        var large = plan()
        large.files = [PlannedFile(path: "f", mode: 0o600, bytes: [UInt8](repeating: 0, count: 33 << 20))]
        #expect(code(large) == .resourceExhausted)
    }

    @Test func `the head counts what follows it`() throws {
        var full = plan(["/bin/echo", "x"])
        full.mounts = [
            Mount(source: "/b", target: "/b/c", isWritable: true), Mount(source: "/a", target: "/b", isWritable: false),
        ]
        full.files = [PlannedFile(path: "f", mode: 0o4755, bytes: [1, 2, 3])]
        full.network = .loopback
        let bytes = try JailSpec(full, workSource: "/w").bytes
        let head = bytes.withUnsafeBytes { $0.loadUnaligned(as: dome_jail_spec.self) }
        #expect(head.version == DOME_JAIL_VERSION)
        #expect(head.flags == DOME_JAIL_OWN_NETWORK.rawValue)
        #expect([head.argument_count, head.environment_count, head.mount_count, head.file_count] == [2, 1, 2, 1])
        let fixed = MemoryLayout<dome_jail_spec>.size + 2 * MemoryLayout<dome_jail_mount>.size
        let rest = Int(head.limit_count) * MemoryLayout<dome_jail_limit>.size + MemoryLayout<dome_jail_file>.size
        #expect(bytes.count == fixed + rest + 3 * 4 + Int(head.bytes_size))
        // Parents first: the read-only /b before the writable /b/c.
        let first = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: MemoryLayout<dome_jail_spec>.size, as: dome_jail_mount.self)
        }
        #expect(first.flags == 0)
        let file = bytes.withUnsafeBytes {
            $0.loadUnaligned(
                fromByteOffset: fixed + Int(head.limit_count) * MemoryLayout<dome_jail_limit>.size,
                as: dome_jail_file.self)
        }
        #expect(file.mode == 0o755, "planned files cannot be setuid")
    }

    @Test func `every stage and every layer has a name of its own`() {
        let stages = (0..<DOME_JAIL_STAGE_COUNT.rawValue).map { JailFailure(stage: $0, errno: 1).stageName }
        #expect(Set(stages).count == stages.count)
        #expect(!stages.contains("unknown stage"))
        #expect(JailFailure(stage: 4_000, errno: 1).stageName == "unknown stage")
        let all = EnforcedLayers(rawValue: 0xffff)
        #expect(all.layerNames.count == 16 && !all.layerNames.contains { $0.hasPrefix("layer_") })
        #expect(EnforcedLayers.appArmor.layerNames == ["apparmor"])
        #expect(EnforcedLayers.idMappedGrants.layerNames == ["idmapped_grants"])
    }

    @Test func `what is wrong with a host comes with what to do about it`() {
        func text(_ stage: dome_jail_stage, _ number: Int32, _ detail: String = "") -> DomeError {
            JailFailure(stage: stage.rawValue, errno: number, detail: detail).error
        }
        let refused = text(DOME_JAIL_STAGE_SERVER_NAMESPACES, EPERM)
        #expect(refused.message.contains("user namespaces"), "\(refused.message)")
        let exhausted = text(DOME_JAIL_STAGE_NESTED, ENOSPC)
        #expect(exhausted.message.contains("user.max_user_namespaces") && exhausted.code == .resourceExhausted)
        #expect(text(DOME_JAIL_STAGE_ROOT, EPERM, "/proc").message.contains("masked"))
        #expect(text(DOME_JAIL_STAGE_EXEC, ENOENT, "/x").code == .notFound)
        #expect(text(DOME_JAIL_STAGE_GRANT_IDMAP, EINVAL, "nfs /x").message.contains("nfs /x"))
    }

    @Test func `the setting that forbids namespaces is the one that is named`() {
        var host = HostSettings()
        (host.userNamespaceLimit, host.forbidsUserNamespaces, host.restrictsByAppArmor) = (1_000, false, false)
        #expect(host.userNamespaceRemedy(isPrivileged: false) == nil)
        host.restrictsByAppArmor = true
        #expect(host.userNamespaceRemedy(isPrivileged: false) == HostRemedy.appArmor)
        host.forbidsUserNamespaces = true
        #expect(host.userNamespaceRemedy(isPrivileged: false) == HostRemedy.userNamespacesOff)
        // Both concern ordinary users only; the limit concerns all.
        #expect(host.userNamespaceRemedy(isPrivileged: true) == nil)
        host.userNamespaceLimit = 0
        for isPrivileged in [true, false] {
            #expect(host.userNamespaceRemedy(isPrivileged: isPrivileged) == HostRemedy.userNamespaceLimit)
        }
    }

    @Test(arguments: [
        ("6.1.0-28-amd64", true), ("6.12", true), ("7.0.1", true), ("5.15.0", false), ("6.0.19", false), ("?", true),
    ]) func `a kernel's age is read from its release`(_ release: String, _ isNewEnough: Bool) {
        var host = HostSettings()
        host.kernelRelease = release
        #expect(host.isKernelNewEnough == isNewEnough)
    }
}
