import DomeModel
import DomePlatform

/// The keeper's end of one of a job's output streams.
final class CapturedPipe {
    let stream: OutputStream
    /// Open until its end was read or the job has ended.
    var descriptor: FileDescriptor?
    /// While it is being read.
    var registration: EventLoop.Registration?
    /// While the stream ends in mid-line.
    var idleTimer: LoopTimer?
    /// Monotonic.
    var lastReadNanoseconds: Int64 = 0

    init(_ stream: OutputStream) { self.stream = stream }

    /// Makes the pipe and returns the tool's end. Only this end does not block: the flag belongs to the open
    /// file, and a tool does not expect it on its stdout.
    func open() throws(DomeError) -> FileDescriptor {
        let pipe = try Pipe()
        try pipe.reading.setNonblocking(true)
        descriptor = pipe.reading
        return pipe.writing
    }

    func unwatch() {
        registration?.cancel()
        registration = nil
    }

    func close() {
        unwatch()
        descriptor = nil
    }
}
