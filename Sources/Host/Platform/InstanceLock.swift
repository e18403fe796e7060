package import DomeModel
internal import Glibc

/// "One daemon per state folder": a locked file in the state folder, never beside the socket, since logging out
/// removes the runtime folder with everything in it. The kernel drops the lock with the process, however it dies.
package final class InstanceLock {
    private let file: FileDescriptor

    private init(_ file: FileDescriptor) { self.file = file }

    /// Said to the kernel: a program that this process is just starting still has a duplicate of the descriptor.
    deinit { file.unlock() }

    /// What taking it led to.
    package enum Outcome {
        case taken(InstanceLock)
        /// Another process has it; its pid as it wrote it down, if it did.
        case heldBy(processID: Int32?)
    }

    /// Takes the lock at `path` without waiting, and writes this process's pid into it.
    package static func take(path: String) throws(DomeError) -> Outcome {
        let file = try Files.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
        guard try file.lockExclusively() else {
            let text = String(decoding: try Files.read(path, limitBytes: 64), as: UTF8.self)
            return .heldBy(processID: text.split(whereSeparator: \.isNewline).first.flatMap { Int32($0) })
        }
        guard ftruncate(file.number, 0) == 0 else { throw .system("write \(path)", errno) }
        try Files.writeAll(file, Array("\(getpid())\n".utf8), what: path)
        return .taken(InstanceLock(file))
    }
}
