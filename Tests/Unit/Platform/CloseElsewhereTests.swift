import DomeModel
import DomePlatform
import Glibc
import Testing

struct CloseElsewhereTests {
    private func ends() throws -> (reading: FileDescriptor, writing: FileDescriptor?) {
        let pipe = try Pipe()
        return (pipe.reading, pipe.writing)
    }

    @Test func `what is given away is closed`() throws {
        // In one variable: a second one would be a reference that stays.
        var pipe = try ends()
        var other = try pipe.writing?.duplicate()
        FileDescriptor.closeElsewhere(&other)
        // Again: there is nothing to give away.
        FileDescriptor.closeElsewhere(&other)
        #expect(other == nil && pipe.writing != nil)
        FileDescriptor.closeElsewhere(&pipe.writing)
        #expect(pipe.writing == nil)
        var poller = pollfd(fd: pipe.reading.number, events: Int16(POLLIN), revents: 0)
        #expect(poll(&poller, 1, 10_000) == 1 && poller.revents & Int16(POLLHUP) != 0)
    }
}
