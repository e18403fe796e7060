internal import CLinux
package import DomeModel
internal import Glibc

/// Starts a detached thread that runs `body` once. For the few threads that live as long as the process.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(DomeError) {
    final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    let start = Unmanaged.passRetained(Start(name, body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            dome_set_thread_name(start.name)
            start.body()
            return nil
        }, start.toOpaque())
    guard status == 0 else {
        start.release()
        throw .system("start thread \(name)", status)
    }
    pthread_detach(thread)
}
