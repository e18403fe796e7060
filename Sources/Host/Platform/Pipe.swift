internal import CLinux
package import DomeModel
internal import Glibc

/// An anonymous pipe, both ends close-on-exec and blocking.
package struct Pipe {
    package let reading: FileDescriptor
    package let writing: FileDescriptor

    package init() throws(DomeError) {
        var ends: [Int32] = [-1, -1]
        guard dome_pipe(&ends) == 0 else { throw .system("create a pipe", errno) }
        (reading, writing) = (FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
    }
}

/// A pseudo-terminal (pty(7)) of 24 lines and 80 columns, both ends close-on-exec and blocking.
package struct PseudoTerminal {
    /// The side of whoever runs the program: reads what it prints, writes what it is to read.
    package let controller: FileDescriptor
    /// The program's side.
    package let subordinate: FileDescriptor

    package init() throws(DomeError) {
        var (controller, subordinate) = (Int32(-1), Int32(-1))
        guard dome_open_terminal(&controller, &subordinate, 24, 80) == 0 else {
            throw .system("open a terminal", errno)
        }
        (self.controller, self.subordinate) = (FileDescriptor(owning: controller), FileDescriptor(owning: subordinate))
    }
}
