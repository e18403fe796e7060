internal import DomeModel
package import DomePlatform

/// The actor of everything in domed and dome that is state: transport, engine, handlers. One thread, the one
/// that calls `Core.run()`; nothing on it blocks. Because all of that code is isolated to this one actor, it
/// calls itself without a hop, and what needs no waiting is answered in the turn in which it came.
@globalActor
package actor Core {
    package static let shared = Core()
    package nonisolated let executor: LoopExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init() {
        do throws(DomeError) {
            executor = LoopExecutor(try EventLoop())
        } catch {
            // No epoll at process start: there is nothing to serve with and nobody to tell.
            fatalError("cannot start: \(error)")
        }
    }

    /// The core's event loop.
    package nonisolated static var loop: EventLoop { shared.executor.loop }

    /// Makes the calling thread the core's, before anything isolated is touched.
    package nonisolated static func adoptCurrentThread() { shared.executor.adoptCurrentThread() }

    /// Serves on the calling thread until `loop.stop()`.
    package nonisolated static func run() {
        adoptCurrentThread()
        loop.run()
    }

    /// For callbacks of the event loop, which run on the core's thread but outside of any task: the compiler
    /// cannot know that, so this says it, and checks it.
    @discardableResult
    package nonisolated static func assumeIsolated<Result>(_ body: @Core () -> Result) -> Result {
        shared.executor.assertOnThread()
        // What checks that the closure does not escape is told this file's path, and its length gets into the program: the
        // same wherever it is built.
        #sourceLocation(file:"Core-assumeIsolated.swift",line:1)
        return withoutActuallyEscaping(body) { body in
            // The same step as in the standard library's MainActor.assumeIsolated: isolation is no part of the
            // closure's representation.
            unsafeBitCast(body, to: (() -> Result).self)()
        }
        #sourceLocation()
    }
}
