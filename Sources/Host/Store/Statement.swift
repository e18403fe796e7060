internal import CSQLite
internal import DomeModel

/// A value bound to a statement's parameter.
enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    init(_ value: Int64?) { self = value.map(SQLValue.integer) ?? .null }
    init(_ value: Int32?) { self = value.map { .integer(Int64($0)) } ?? .null }
    init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
}

/// A statement's text, made once as a constant; its identity finds the prepared statement.
final class Query: Sendable {
    let text: String
    init(_ text: String) { self.text = text }
}

/// A prepared statement. Belongs to its connection's thread and must not outlive the connection.
final class Statement {
    private let pointer: OpaquePointer

    /// Takes ownership.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    func finalize() { sqlite3_finalize(pointer) }

    /// SQLite copies text and bytes (SQLITE_TRANSIENT), so the values need not live on.
    func bind(_ values: [SQLValue]) -> Int32 {
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        var position: Int32 = 0
        for value in values {
            position += 1
            let status: Int32
            switch value {
            case .null: status = sqlite3_bind_null(pointer, position)
            case .integer(let number): status = sqlite3_bind_int64(pointer, position, number)
            case .text(var text):
                // Length given: a NUL within the text must not cut it.
                status = text.withUTF8 { utf8 in
                    utf8.withMemoryRebound(to: CChar.self) {
                        let base = $0.baseAddress ?? Self.emptyText
                        return sqlite3_bind_text64(
                            pointer, position, base, UInt64($0.count), transient, UInt8(SQLITE_UTF8))
                    }
                }
            case .blob(let bytes):
                status =
                    bytes.isEmpty
                    ? sqlite3_bind_zeroblob(pointer, position, 0)
                    : sqlite3_bind_blob64(pointer, position, bytes, UInt64(bytes.count), transient)
            }
            guard status == SQLITE_OK else { return status }
        }
        return SQLITE_OK
    }

    // A null pointer would bind NULL instead of the empty text.
    nonisolated(unsafe) private static let emptyText: UnsafePointer<CChar> = {
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        text.initialize(to: 0)
        return UnsafePointer(text)
    }()

    /// SQLITE_ROW, SQLITE_DONE or an error.
    func step() -> Int32 { sqlite3_step(pointer) }

    /// Makes it ready for the next use and lets go of bound values.
    func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    var row: Row { Row(pointer: pointer) }
}

/// The row a statement stands on; valid until its next step. Columns count from 0.
struct Row {
    fileprivate let pointer: OpaquePointer

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(pointer, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }
    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    func optionalInteger32(_ column: Int32) -> Int32? { isNull(column) ? nil : Int32(clamping: integer(column)) }

    func text(_ column: Int32) -> String {
        guard let base = sqlite3_column_text(pointer, column) else { return "" }
        let count = Int(sqlite3_column_bytes(pointer, column))
        return String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
    }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    func blob(_ column: Int32) -> [UInt8] {
        guard let base = sqlite3_column_blob(pointer, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(pointer, column))))
    }

    /// The bytes of a text or blob where SQLite has them; valid until the next step.
    func withBytes<Value>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(DomeError) -> Value
    ) throws(DomeError) -> Value {
        let base = sqlite3_column_blob(pointer, column)
        return try body(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(pointer, column))))
    }
}
