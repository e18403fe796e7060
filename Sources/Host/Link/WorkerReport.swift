internal import DomeModel

/// What a plugin's worker says of its job, on descriptor 3, which its keeper reads. The worker shares its process with
/// the plugin, so nothing here is believed: what is malformed ends the reading.
///
/// A frame is one byte of kind, three zero bytes, the payload's size (32 bits, little-endian) and the payload.
package enum WorkerReport: Sendable, Equatable {
    /// A piece of the result: one line of JSON in the end.
    case result([UInt8])
    /// A line for the job's log: `level` is debug, info, warning or error.
    case log(level: UInt8, text: String)
    /// How far it is: a JSON number, and a line for people, which may be empty.
    case progress(value: String, message: String)
    /// Why the call failed; then the worker ends.
    case failed(String)
    /// Where it crashed, written on the way down; the signal follows.
    case crashed(String)
    /// The call succeeded, the whole result was sent.
    case done

    /// Larger results come in several frames.
    package static let payloadLimitBytes = 64 << 10
    static let headerBytes = 8

    package static let levels = ["debug", "info", "warning", "error"]

    /// What goes before the text of a crash report, and where in it the text's size belongs: the report is written by a
    /// signal handler.
    package static let crashHead: (bytes: [UInt8], sizeOffset: Int) = ([Kind.crashed.rawValue, 0, 0, 0, 0, 0, 0, 0], 4)

    private enum Kind: UInt8 {
        case result = 1
        case log, progress, failed, crashed, done
    }

    /// The frame; a text beyond the limit is cut.
    package var bytes: [UInt8] {
        var payload: [UInt8] = []
        let kind: Kind
        switch self {
        case .result(let bytes): (kind, payload) = (.result, bytes)
        case .log(let level, let text): (kind, payload) = (.log, [level] + text.utf8)
        case .progress(let value, let message): (kind, payload) = (.progress, value.utf8 + [0] + message.utf8)
        case .failed(let text): (kind, payload) = (.failed, Array(text.utf8))
        case .crashed(let text): (kind, payload) = (.crashed, Array(text.utf8))
        case .done: kind = .done
        }
        let size = UInt32(clamping: min(payload.count, Self.payloadLimitBytes))
        var bytes: [UInt8] = [kind.rawValue, 0, 0, 0]
        withUnsafeBytes(of: size.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: payload.prefix(Int(size)))
        return bytes
    }

    /// Of a frame's parts; nil for what no worker of ours sends.
    init?(kind: UInt8, _ payload: ArraySlice<UInt8>) {
        switch Kind(rawValue: kind) {
        case .result: self = .result(Array(payload))
        case .log:
            guard let level = payload.first, level < Self.levels.count else { return nil }
            self = .log(level: level, text: String(decoding: payload.dropFirst(), as: UTF8.self))
        case .progress:
            let parts = payload.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let number = parts.first, Self.isNumber(number), let message = parts.last else {
                return nil
            }
            self = .progress(
                value: String(decoding: number, as: UTF8.self), message: String(decoding: message, as: UTF8.self))
        case .failed: self = .failed(String(decoding: payload, as: UTF8.self))
        case .crashed: self = .crashed(String(decoding: payload, as: UTF8.self))
        case .done: self = .done
        case nil: return nil
        }
    }

    /// As it goes into a payload unquoted, it must be a number and nothing else.
    private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 64, let value = try? JSONParser.parse(Array(text), what: "progress") else { return false }
        return value.doubleValue != nil
    }
}

/// Puts frames together from what a pipe gives.
package struct WorkerReportReader {
    private var pending: [UInt8] = []
    /// Set for good by the first bytes that no worker of ours sends.
    package private(set) var isDamaged = false

    package init() {}

    /// The frames that are whole now.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) -> [WorkerReport] {
        guard !isDamaged else { return [] }
        pending.append(contentsOf: bytes)
        var reports: [WorkerReport] = []
        var offset = 0
        while pending.count - offset >= WorkerReport.headerBytes {
            let size = (0..<4).reduce(0) { $0 | Int(pending[offset + 4 + $1]) << (8 * $1) }
            guard size <= WorkerReport.payloadLimitBytes else {
                isDamaged = true
                break
            }
            let start = offset + WorkerReport.headerBytes
            guard pending.count - start >= size else { break }
            guard let report = WorkerReport(kind: pending[offset], pending[start..<(start + size)]) else {
                isDamaged = true
                break
            }
            reports.append(report)
            offset = start + size
        }
        pending = isDamaged ? [] : Array(pending[offset...])
        return reports
    }
}
