/// A revision of the Model Context Protocol, by its date.
enum ProtocolVersion: String, CaseIterable, Sendable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"
    /// Stateless: no handshake, each request carries what it needs.
    case july2026 = "2026-07-28"

    static let newestHandshake = november2025
    static let handshakes: [ProtocolVersion] = allCases.filter { !$0.isStateless }
    static let stateless: [ProtocolVersion] = allCases.filter(\.isStateless)

    var isStateless: Bool { self == .july2026 }
    /// Several messages in one array: JSON-RPC has them, and revisions from 2025-06-18 on forbid them.
    var allowsBatches: Bool { self == .november2024 || self == .march2025 }
    /// Results with a document beside their text.
    var hasStructuredContent: Bool { self != .november2024 && self != .march2025 }

    /// What a handshake is answered with: the version asked for, or the newest that can be had by one.
    static func negotiated(_ asked: String) -> ProtocolVersion {
        guard let version = ProtocolVersion(rawValue: asked), !version.isStateless else { return newestHandshake }
        return version
    }
}
