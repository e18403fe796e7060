// @NAME@: a dome plugin with two tools, @NAME@.hello and @NAME@.count.
//
// `make` builds it, `dome plugin check .` tries it out, `dome plugin install .` makes its tools known. entry.c has the
// tables and the declaration; dome/adapter.h explains every function.

import DomeABI
import Glibc

/// What the host gave to init; it lives until deinit. The host never enters a plugin twice at once.
nonisolated(unsafe) private var host: UnsafePointer<dome_host_api_t>?
nonisolated(unsafe) private var cancel: UnsafePointer<dome_cancel_api_t>?
nonisolated(unsafe) private var progress: UnsafePointer<dome_progress_api_t>?

/// A connection: one is made for each job.
final class Connection {
    var calls = 0
}

/// What a call fails with: a status, and a reason that people read.
struct Refusal: Error {
    var status: dome_status_t
    var reason: String
}

/// One call of the host's, over when the function it came with returns.
struct Call {
    let handle: OpaquePointer?

    var isCanceled: Bool { cancel?.pointee.is_canceled?(handle) ?? false }

    func report(_ value: Double, _ message: String) {
        lend(message) { progress?.pointee.report?(handle, value, $0, $1) }
    }

    func reply(_ text: String) -> Bool { lend(text) { host?.pointee.reply?(handle, $0, $1) ?? false } }

    func explain(_ text: String) { lend(text) { host?.pointee.explain?(handle, $0, $1) } }
}

private func hello(_ payload: [String: Plain]) throws -> String {
    var name = "world"
    if let member = payload["name"] {
        guard case .text(let text) = member else { throw Refusal(status: 1, reason: "\"name\" is no text") }
        name = text
    }
    return "{\"greeting\":\(quoted("Hello, \(name)!"))}"
}

private func count(_ payload: [String: Plain], _ call: Call) throws -> String {
    func whole(_ name: String, _ usual: Int, _ range: ClosedRange<Double>) throws -> Int {
        guard let member = payload[name] else { return usual }
        guard case .number(let number) = member, range.contains(number) else {
            throw Refusal(status: 1, reason: "\"\(name)\" is a whole number up to \(Int(range.upperBound))")
        }
        return Int(number)
    }
    let limit = try whole("to", 3, 1...1000)
    let milliseconds = try whole("milliseconds", 100, 0...10_000)
    for number in 1...limit {
        for passed in 0...milliseconds {
            if call.isCanceled { throw Refusal(status: 6, reason: "canceled while counting") }
            if passed < milliseconds { usleep(1000) }
        }
        call.report(Double(number) / Double(limit), "counting")
    }
    return "{\"counted\":\(limit)}"
}

private func answer(_ action: String, _ payload: String, _ call: Call) throws -> String {
    guard action == "hello" || action == "count" else {
        throw Refusal(status: 1, reason: "there is no such action; known are hello and count")
    }
    guard let payload = members(of: payload) else {
        throw Refusal(status: 1, reason: "the payload is no object of plain values")
    }
    return action == "hello" ? try hello(payload) : try count(payload, call)
}

/// execute of dome/adapter.h: does `action` and replies with the result.
@_cdecl("plugin_execute")
public func execute(
    _ adapter: UnsafeMutablePointer<dome_adapter>?, _ call: OpaquePointer?, _ action: UnsafePointer<CChar>?,
    _ actionSize: Int, _ payload: UnsafePointer<CChar>?, _ payloadSize: Int
) -> dome_status_t {
    let call = Call(handle: call)
    if let object = adapter?.pointee.object {
        Unmanaged<Connection>.fromOpaque(object).takeUnretainedValue().calls += 1
    }
    do {
        guard call.reply(try answer(text(action, actionSize), text(payload, payloadSize), call)) else {
            throw Refusal(status: 5, reason: "the host takes no reply")
        }
        return 0
    } catch let refusal as Refusal {
        call.explain(refusal.reason)
        return refusal.status
    } catch {
        call.explain("\(error)")
        return 7
    }
}

/// connect: makes a connection for one job.
@_cdecl("plugin_connect")
public func connect(
    _ call: OpaquePointer?, _ config: UnsafePointer<CChar>?, _ configSize: Int,
    _ adapter: UnsafeMutablePointer<UnsafeMutablePointer<dome_adapter>?>?
) -> dome_status_t {
    let made = UnsafeMutablePointer<dome_adapter>.allocate(capacity: 1)
    made.initialize(to: dome_adapter(object: Unmanaged.passRetained(Connection()).toOpaque()))
    adapter?.pointee = made
    return 0
}

/// disconnect: ends it.
@_cdecl("plugin_disconnect")
public func disconnect(_ adapter: UnsafeMutablePointer<dome_adapter>?) {
    guard let adapter else { return }
    if let object = adapter.pointee.object { Unmanaged<Connection>.fromOpaque(object).release() }
    adapter.deallocate()
}

/// init of dome/entry.h: looks up what the host offers.
@_cdecl("plugin_init")
public func initialize(
    _ own: OpaquePointer?, _ api: UnsafePointer<dome_host_api_t>?, _ directory: UnsafePointer<CChar>?, _ size: Int
) -> Bool {
    host = api
    /// An extension that the host does not have is nil: then do without.
    func find<Table>(_ id: String) -> UnsafePointer<Table>? {
        lend(id) { api?.pointee.get_extension?(own, $0, $1) }?.assumingMemoryBound(to: Table.self)
    }
    cancel = find(DOME_EXT_CANCEL)
    progress = find(DOME_EXT_PROGRESS)
    return true
}

/// deinit: the host is gone.
@_cdecl("plugin_deinit")
public func deinitialize() { host = nil }

/// A copy of what the host lends.
private func text(_ data: UnsafePointer<CChar>?, _ size: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : size), as: UTF8.self)
}

/// Lends a text to the host, as pointer and size.
@discardableResult
private func lend<Result>(_ text: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
    var text = text
    return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
    }
}
