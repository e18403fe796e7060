import DomeProto
import Testing

@Suite struct `Services and their descriptors` {
    @Test func `paths are what HTTP 2 carries`() {
        #expect(Domed_V1_DomedService.health.path == "/domed.v1.DomedService/Health")
        #expect(Grpc_Health_V1_Health.watch.path == "/grpc.health.v1.Health/Watch")
        #expect(Domed_V1_DomedService.methods.count == 29)
    }

    @Test
    func
        `events, artifacts, news of tools, audit queries and verifications stream in domed's service, nothing else does`()
    {
        let streaming = Domed_V1_DomedService.methods.filter { $0.serverStreaming || $0.clientStreaming }
        #expect(
            streaming.map(\.name) == ["StreamJobEvents", "ReadArtifact", "WatchTools", "QueryAudit", "VerifyAudit"])
        #expect(streaming.allSatisfy { !$0.clientStreaming })
        let reflection = Grpc_Reflection_V1_ServerReflection.serverReflectionInfo.descriptor
        #expect(reflection.clientStreaming && reflection.serverStreaming)
    }

    @Test func `the registry knows every service and file`() throws {
        let registry = try ProtoFileRegistry(GeneratedProtos.files)
        #expect(
            registry.services == [
                "domed.v1.DomedService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
            ])
        let files = try #require(registry.files(named: "domed/v1/domed.proto"))
        #expect(files.count == 1)
        let descriptor = try files[0].descriptor.withUnsafeBytes { try FileDescriptor($0) }
        #expect(descriptor.package == "domed.v1")
        #expect(descriptor.messages.contains { $0.name == "RpcStatus" })
        #expect(registry.files(named: "nothing.proto") == nil)
    }

    @Test(arguments: [
        "domed.v1.DomedService", "domed.v1.DomedService.Health", "domed.v1.RpcStatus", "domed.v1.RpcStatus.ok",
        "domed.v1.JobState", "domed.v1.JOB_STATE_QUEUED",
    ])
    func `a symbol leads to its file`(symbol: String) throws {
        let registry = try ProtoFileRegistry(GeneratedProtos.files)
        #expect(registry.files(declaring: symbol)?.map(\.name) == ["domed/v1/domed.proto"])
    }

    @Test(arguments: ["domed.v1", "domed.v1.Nothing", "domed.v1.DomedService.Nothing", ".domed.v1.RpcStatus", ""])
    func `what is no symbol leads nowhere`(symbol: String) throws {
        let registry = try ProtoFileRegistry(GeneratedProtos.files)
        #expect(registry.files(declaring: symbol) == nil)
    }

    @Test func `nested symbols are found`() throws {
        let registry = try ProtoFileRegistry(GeneratedProtos.files)
        for symbol in ["HealthCheckResponse.ServingStatus", "HealthCheckResponse.SERVING"] {
            #expect(registry.files(declaring: "grpc.health.v1." + symbol)?.first?.name == "grpc/health/v1/health.proto")
        }
    }

    @Test func `a file comes with all it imports, each once`() throws {
        // Descriptors that say no more than their names: a, b, c.
        let registry = try ProtoFileRegistry([
            ProtoFile(name: "a", dependencies: ["b", "c"], services: [], hex: "0a0161"),
            ProtoFile(name: "b", dependencies: ["c", "gone"], services: [], hex: "0a 01\n62"),
            ProtoFile(name: "c", dependencies: ["a"], services: [], hex: "0A0163"),
        ])
        #expect(registry.files(named: "a")?.map(\.name) == ["a", "b", "c"])
        #expect(registry.files(named: "c")?.map(\.name) == ["c", "a", "b"])
        #expect(registry.files(named: "b")?.first?.descriptor == [0x0a, 1, 0x62])
    }

    @Test func `bytes that are no descriptor are refused`() {
        #expect(throws: ProtoError.truncated) {
            try ProtoFileRegistry([ProtoFile(name: "a", dependencies: [], services: [], hex: "0a05")])
        }
    }
}
