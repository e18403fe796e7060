// proto-roundtrip: lets the differential test put messages through dome's protobuf runtime.
//
// stdin holds requests, stdout gets as many answers; numbers are big-endian.
//     request   name length u32, message name, body length u32, body
//     answer    outcome u8 (0 decoded, 1 rejected, 2 unknown message name), length u32, encoded message or the reason
import DomeProto
import Glibc

private func read(upTo count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while bytes.count < count {
        let read = Glibc.read(STDIN_FILENO, &chunk, min(chunk.count, count - bytes.count))
        if read > 0 {
            bytes += chunk[0..<read]
        } else if read == 0 || errno != EINTR {
            return nil
        }
    }
    return bytes
}

private func readBlock() -> [UInt8]? {
    guard let header = read(upTo: 4) else { return nil }
    return read(upTo: header.reduce(0) { $0 << 8 | Int($1) })
}

private func answer(_ outcome: UInt8, _ body: [UInt8]) {
    let length = UInt32(truncatingIfNeeded: body.count)
    var bytes: [UInt8] = [outcome]
    for shift in [UInt32(24), 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
    bytes += body
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if written > 0 {
            rest = rest.dropFirst(written)
        } else if errno != EINTR {
            exit(1)
        }
    }
}

var types: [String: any ProtoMessage.Type] = [:]
for type in GeneratedProtos.messages + DomeProto.GeneratedProtos.messages { types[type.protoName] = type }

while let name = readBlock(), let body = readBlock() {
    guard let type = types[String(decoding: name, as: UTF8.self)] else {
        answer(2, [])
        continue
    }
    do {
        answer(0, try type.decode(body).serialized())
    } catch {
        answer(1, Array(String(describing: error).utf8))
    }
}
