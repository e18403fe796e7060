import Glibc

struct StreamError: Error, CustomStringConvertible {
    let description: String
}

/// Reads until the end of `descriptor`.
func readAll(_ descriptor: Int32) throws(StreamError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count == 0 { return bytes }
        if count > 0 {
            bytes.append(contentsOf: chunk[0..<count])
        } else if errno != EINTR {
            throw StreamError(description: "cannot read the request: \(String(cString: strerror(errno)))")
        }
    }
}

/// Writes all of `bytes`; false if that fails.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno != EINTR {
            return false
        }
    }
    return true
}
