// wire-bench: what an event costs from the journal's bytes to the wire's. Not part of any test; run by hand:
//     swift build -c release --product wire-bench && .build/release/wire-bench
import DomeModel
import DomeProto
import DomeWire
import Glibc

private func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Best of seven rounds, as other work on the machine only ever adds.
private func measure(_ name: String, _ count: Int, _ body: () -> Int) {
    var best = Int64.max
    var bytes = 0
    for _ in 0..<7 {
        let start = nanoseconds()
        bytes = body()
        best = min(best, nanoseconds() - start)
    }
    print("\(name): \(Double(best) / Double(count)) ns each, \(bytes / count) bytes each")
}

let jobID = JobID(createdMilliseconds: 1_700_000_000_000, random: (1, 2))
let count = 200_000
let lines: [(String, [UInt8])] = [
    ("15 bytes", Array("line 1234567890".utf8)),
    ("80 bytes", Array(String(repeating: "some log output ", count: 5).utf8)),
    ("80 bytes with quotes", Array(String(repeating: "some \"log\" outp ", count: 5).utf8)),
    ("80 bytes of Japanese", Array(String(repeating: "日本語のログ行です。", count: 3).utf8.prefix(81))),
    ("80 bytes of binary", [UInt8](repeating: 0xfe, count: 80)),
    ("1000 bytes", Array(String(repeating: "0123456789", count: 100).utf8)),
]
for (name, line) in lines {
    measure("encode a line of \(name)", count) {
        var encoder = StreamEventEncoder(jobID: jobID)
        var output: [UInt8] = []
        output.reserveCapacity(65536)
        var total = 0
        line.withUnsafeBytes { payload in
            for index in 0..<count {
                let event = EventView(
                    seq: UInt64(index + 1), wallNanoseconds: 1_700_000_000_000_000_000 + Int64(index) * 2000,
                    kind: .log, stream: .stdout, payload: payload)
                encoder.append(event, to: &output)
                if output.count > 60000 {
                    total += output.count
                    output.removeAll(keepingCapacity: true)
                }
            }
        }
        return total + output.count
    }
}

private func roundTrip<Message: ProtoMessage>(_ name: String, _ message: Message) {
    let bytes = message.serialized()
    measure("decode \(name)", count) {
        var total = 0
        for _ in 0..<count where (try? Message.decode(bytes)) != nil { total += bytes.count }
        return total
    }
    measure("encode \(name)", count) {
        var total = 0
        for _ in 0..<count { total += message.serialized().count }
        return total
    }
}

roundTrip(
    "a SkillExecuteRequest",
    Domed_V1_SkillExecuteRequest.with {
        $0.skillId = "job.noop"
        $0.profile = "default"
        $0.idempotencyKey = "3f0e1c9a-0f53-4e0c-9a51-111111111111"
        $0.taskJson = "{\"a\":1}"
        $0.constraintsJson = "{\"wait_ms\":0}"
    })
roundTrip(
    "a HealthResponse",
    Domed_V1_HealthResponse.with {
        $0.status = .ok()
        $0.ts = "2026-01-15T12:34:56.789012Z"
        $0.daemonVersion = "0.1.0"
    })
