import DomeModel
import Testing

@Suite struct `The table of layers` {
    @Test func `says of every layer what it stops and what to do without it`() {
        #expect(Set(SandboxLayers.names).count == SandboxLayers.all.count)
        for layer in SandboxLayers.all {
            #expect(!layer.stops.isEmpty && !layer.remedy.isEmpty, "\(layer.name)")
        }
    }

    @Test func `complains of what is missing, with each remedy once`() {
        #expect(SandboxLayers.complaint(missing: 0) == nil)
        let namespaces = SandboxLayers.complaint(missing: 0b11) ?? ""
        #expect(namespaces.hasPrefix("missing layers: mount_namespace, pid_namespace; "))
        #expect(namespaces.split(separator: ";").count == 2)
        let seccomp = SandboxLayers.complaint(missing: 1 << 11 | 1 << 63) ?? ""
        #expect(seccomp == "missing layers: seccomp, layer_63; \(HostRemedy.seccomp)")
    }

    @Test func `goes with limits of which each kind is set once`() {
        var limits = Limits()
        limits.processes = 7
        limits.cpuSeconds = .max
        let list = limits.resourceLimits(hasCgroup: false)
        #expect(Set(list.map(\.resource)) == Set(ResourceLimit.Resource.allCases))
        #expect(list.count == ResourceLimit.Resource.allCases.count)
        #expect(list.first { $0.resource == .processes }?.hard == 8)
        #expect(list.first { $0.resource == .processorSeconds }?.hard == .max)
    }

    @Test func `goes with a rule for Unix sockets`() {
        var plan = LaunchPlan(jobID: JobID(createdMilliseconds: 0, random: (0, 0)), arguments: ["x"], environment: [])
        #expect(plan.mayMakeUnixSockets)
        plan.network = .full
        #expect(!plan.mayMakeUnixSockets)
        plan.network = .none
        plan.mounts = [Mount(source: "/a", target: "/a", isWritable: false)]
        #expect(!plan.mayMakeUnixSockets)
        plan.allowsUnixSockets = true
        #expect(plan.mayMakeUnixSockets)
    }
}
