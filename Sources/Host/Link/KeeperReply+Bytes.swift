package import DomeModel

extension KeeperReply {
    /// The numbers are the protocol's: never change one, never use one again.
    private enum Kind: UInt16 {
        case hello = 1
        case innerServer = 2
        case job = 3
        case listEnd = 4
        case prepared = 5
        case started = 6
        case refused = 7
        case heads = 8
        case exited = 9
        case aborted = 10
        case appended = 11
    }

    /// The message, without its descriptors.
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        func begin(_ kind: Kind, _ jobID: JobID? = nil) {
            writer.write(kind.rawValue)
            if let jobID { writer.write(jobID.text) }
        }
        switch self {
        case .hello(let hello):
            begin(.hello)
            hello.write(to: &writer)
        case .innerServer(let server):
            begin(.innerServer)
            server.write(to: &writer)
        case .job(let job):
            begin(.job)
            writer.write(job.phase.rawValue)
            job.head.write(to: &writer)
            writer.write(job.startedNanoseconds)
        case .listEnd: begin(.listEnd)
        case .prepared(let jobID): begin(.prepared, jobID)
        case .started(let jobID, let startedNanoseconds, let seq):
            begin(.started, jobID)
            writer.write(startedNanoseconds)
            writer.write(seq)
        case .refused(let jobID, let code, let message):
            begin(.refused, jobID)
            writer.write(code.rawValue)
            writer.write(message)
        case .heads(let heads):
            begin(.heads)
            writer.write(UInt32(clamping: heads.count))
            for head in heads { head.write(to: &writer) }
        case .exited(let exit):
            begin(.exited)
            exit.report.write(to: &writer)
            exit.head.write(to: &writer)
        case .aborted(let jobID): begin(.aborted, jobID)
        case .appended(let jobID, let number, let seq):
            begin(.appended, jobID)
            writer.write(number)
            // No event has the number 0.
            writer.write(seq ?? 0)
        }
        return writer.bytes
    }

    /// Decodes a message; nil for a kind of a later version, which is to be ignored. E_INTERNAL if malformed.
    package static func decode(_ raw: UnsafeRawBufferPointer) throws(DomeError) -> KeeperReply? {
        var reader = ByteReader(raw)
        guard let kind = Kind(rawValue: try reader.readUInt16()) else { return nil }
        switch kind {
        case .hello: return .hello(try KeeperHello(from: &reader))
        case .innerServer: return .innerServer(try KeeperInnerServer(from: &reader))
        case .job: return .job(try KeeperJob(from: &reader))
        case .listEnd: return .listEnd
        case .prepared: return .prepared(try reader.readJobID())
        case .started:
            return .started(
                try reader.readJobID(), startedNanoseconds: try reader.readInt64(), seq: try reader.readUInt64())
        case .refused:
            let jobID = try reader.readJobID()
            let code = ErrorCode(rawValue: try reader.readInt32()) ?? .internal
            return .refused(jobID, code: code, message: try reader.readString())
        case .heads:
            var heads: [KeeperHead] = []
            for _ in 0..<(try reader.readCount(minimumBytes: 50)) { heads.append(try KeeperHead(from: &reader)) }
            return .heads(heads)
        case .exited:
            let report = try ExitReport(from: &reader)
            return .exited(KeeperExit(report: report, head: try KeeperHead(from: &reader)))
        case .aborted: return .aborted(try reader.readJobID())
        case .appended:
            let jobID = try reader.readJobID()
            let number = try reader.readUInt64()
            let seq = try reader.readUInt64()
            return .appended(jobID, number: number, seq: seq == 0 ? nil : seq)
        }
    }
}

extension KeeperHello {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(version)
        writer.write(generation)
        writer.write(processID)
        writer.write(isRetired)
    }

    fileprivate init(from reader: inout ByteReader) throws(DomeError) {
        version = try reader.readUInt16()
        generation = try reader.readUInt64()
        processID = try reader.readInt32()
        isRetired = try reader.readBool()
    }
}

extension KeeperInnerServer {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(hasHostNetwork)
        writer.write(state.rawValue)
        writer.write(processID)
        writer.write(layers)
        writer.write(message)
        writer.write(requiredLayers)
        writer.write(requiredLayersWithSockets)
        writer.write(jobUserID)
        writer.write(systemPaths)
    }

    fileprivate init(from reader: inout ByteReader) throws(DomeError) {
        hasHostNetwork = try reader.readBool()
        // A state of a later version: at any rate not one to start jobs in.
        state = State(rawValue: try reader.readUInt8()) ?? .unusable
        processID = try reader.readInt32()
        layers = try reader.readUInt64()
        message = try reader.readString()
        requiredLayers = try reader.readUInt64()
        requiredLayersWithSockets = try reader.readUInt64()
        jobUserID = try reader.readUInt32()
        systemPaths = try reader.readStrings()
    }
}

extension KeeperHead {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(jobID.text)
        writer.write(lastSeq)
        writer.write(byteLength)
    }

    fileprivate init(from reader: inout ByteReader) throws(DomeError) {
        jobID = try reader.readJobID()
        lastSeq = try reader.readUInt64()
        byteLength = try reader.readUInt64()
    }
}

extension KeeperJob {
    fileprivate init(from reader: inout ByteReader) throws(DomeError) {
        let number = try reader.readUInt8()
        guard let phase = Phase(rawValue: number) else {
            throw DomeError(.internal, "keeper names the unknown phase \(number)")
        }
        self.phase = phase
        head = try KeeperHead(from: &reader)
        startedNanoseconds = try reader.readInt64()
    }
}
