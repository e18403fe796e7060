// Unit tests of the room Platform: the real kernel, in folders of their own.

import DomeModel
import DomePlatform
import Glibc
import Synchronization

/// A folder that goes when the fixture does.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = "/tmp/dome-platform-XXXXXX".utf8CString.map { $0 }
        guard let made = mkdtemp(&template) else { throw DomeError.system("create a folder", errno) }
        path = String(cString: made)
    }

    deinit { do { try Files.removeTree(path) } catch { print("left behind: \(path): \(error)") } }
}

/// A value that several threads count on.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}

/// Runs `body` on `count` threads and returns when all have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    let loop = try EventLoop()
    let running = Mutex(count)
    let shared = Shared(running)
    for number in 0..<count {
        try startThread(named: "test-\(number)") {
            body(number)
            if shared.isLast() { loop.stop() }
        }
    }
    loop.run()
}

private final class Shared: Sendable {
    private let running: Mutex<Int>
    init(_ running: consuming Mutex<Int>) { self.running = running }
    func isLast() -> Bool {
        running.withLock { count in
            count -= 1
            return count == 0
        }
    }
}

func write(_ text: String, to descriptor: FileDescriptor) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor.number, bytes, bytes.count)
}
