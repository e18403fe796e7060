internal import DomeAsync
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// What this daemon can do beyond the base contract.
    func listCapabilities(_ request: Domed_V1_ListCapabilitiesRequest) -> Domed_V1_ListCapabilitiesResponse {
        func capability(_ name: String, _ flags: [String]) -> Domed_V1_Capability {
            .with {
                $0.name = name
                $0.version = "1.0.0"
                $0.schemaVersion = "domed.v1"
                $0.featureFlags = flags
            }
        }
        return .with {
            $0.status = .ok()
            $0.serverVersion = identity.version
            $0.apiVersions = ["domed.v1"]
            $0.capabilities = [
                capability("skill-execute", ["wait_ms", "timeout_ms", "grants", "priority", "idempotency"]),
                capability("job-events", ["follow", "since_seq", "partial-lines", "line_b64"]),
                capability("artifacts", ["paging", "range", "sha256", "cid"]),
                capability("job-list", ["filters", "paging"]),
                capability("tool-schemas", ["json-schema-2020-12"]),
                capability("status", ["sandbox-report"]),
                capability("sandbox", ["explain"]),
            ]
        }
    }
}
