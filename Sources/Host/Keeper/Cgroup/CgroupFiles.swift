import DomeModel
import DomePlatform
import Glibc

/// The control files of one group, by its folder's descriptor.
enum CgroupFiles {
    /// What no file that is read here comes near.
    private static let capacity = 4096

    /// The file's text, nil if it cannot be read (a controller that is not there has no files).
    static func read<Result>(
        _ directory: FileDescriptor, _ name: String, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        let number = openat(directory.number, name, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = FileDescriptor(owning: number)
        return withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { buffer -> Result? in
            let count = Glibc.read(file.number, buffer.baseAddress, buffer.count)
            guard count >= 0 else { return nil }
            return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    static func text(_ directory: FileDescriptor, _ name: String) -> String? {
        read(directory, name) { String(decoding: $0, as: UTF8.self) }
    }

    /// A file that holds one number; nil also for `max`.
    static func number(_ directory: FileDescriptor, _ name: String) -> UInt64? {
        read(directory, name) { number(in: $0, from: 0) } ?? nil
    }

    /// - Throws: what the kernel refused; the message names the file and the text.
    static func write(_ directory: FileDescriptor, _ name: String, _ text: String) throws(DomeError) {
        let number = openat(directory.number, name, O_WRONLY | O_CLOEXEC)
        guard number >= 0 else { throw .system("open \(name) of the control group", errno) }
        let file = FileDescriptor(owning: number)
        let bytes = Array(text.utf8)
        while Glibc.write(file.number, bytes, bytes.count) < 0 {
            guard errno == EINTR else { throw .system("write '\(text)' to \(name) of the control group", errno) }
        }
    }

    /// The value of `name` in a file of `name value` lines.
    static func value(_ name: StaticString, in bytes: UnsafeRawBufferPointer) -> UInt64? {
        let count = name.utf8CodeUnitCount
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            let isNamed =
                end - start > count && bytes[start + count] == UInt8(ascii: " ")
                && (0..<count).allSatisfy { bytes[start + $0] == name.utf8Start[$0] }
            if isNamed { return number(in: bytes, from: start + count + 1) }
            start = end + 1
        }
        return nil
    }

    /// The digits at `start`, up to the line's end; nil if there is anything else, or too much.
    private static func number(in bytes: UnsafeRawBufferPointer, from start: Int) -> UInt64? {
        var (result, index) = (UInt64(0), start)
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            guard (0x30...0x39).contains(bytes[index]) else { return nil }
            let (tens, isOver) = result.multipliedReportingOverflow(by: 10)
            let (sum, isOverToo) = tens.addingReportingOverflow(UInt64(bytes[index] - 0x30))
            guard !isOver, !isOverToo else { return nil }
            result = sum
            index += 1
        }
        return index > start ? result : nil
    }
}
