import DomeModel

extension LaunchPlan {
    func write(to writer: inout ByteWriter) {
        writer.write(jobID.text)
        writer.write(arguments)
        writer.write(environment)
        writer.write(workingDirectory)
        switch standardInput {
        case .none: writer.write(UInt8(0))
        case .bytes(let bytes):
            writer.write(UInt8(1))
            writer.write(bytes)
        }
        writer.write(UInt32(clamping: files.count))
        for file in files {
            writer.write(file.path)
            writer.write(file.mode)
            writer.write(file.bytes)
        }
        writer.write(UInt32(clamping: mounts.count))
        for mount in mounts {
            writer.write(mount.source)
            writer.write(mount.target)
            writer.write(mount.isWritable)
            writer.write(mount.device)
            writer.write(mount.inode)
            writer.write(mount.isPlain)
        }
        writer.write(network.rawValue)
        limits.write(to: &writer)
        writer.write(usesTerminal)
        writer.write(allowsUnixSockets)
        writer.write(hasReports)
    }

    init(from reader: inout ByteReader) throws(DomeError) {
        let jobID = try reader.readJobID()
        let arguments = try reader.readStrings()
        self.init(jobID: jobID, arguments: arguments, environment: try reader.readStrings())
        workingDirectory = try reader.readString()
        standardInput = try reader.readUInt8() == 0 ? .none : .bytes(try reader.readBytes())
        for _ in 0..<(try reader.readCount(minimumBytes: 12)) {
            let path = try reader.readString()
            let mode = try reader.readUInt32()
            files.append(PlannedFile(path: path, mode: mode, bytes: try reader.readBytes()))
        }
        for _ in 0..<(try reader.readCount(minimumBytes: 26)) {
            let source = try reader.readString()
            let target = try reader.readString()
            let isWritable = try reader.readBool()
            let device = try reader.readUInt64()
            var mount = Mount(
                source: source, target: target, isWritable: isWritable, device: device,
                inode: try reader.readUInt64())
            mount.isPlain = try reader.readBool()
            mounts.append(mount)
        }
        let number = try reader.readUInt8()
        guard let network = NetworkMode(rawValue: number) else {
            throw DomeError(.internal, "launch plan of \(jobID) has the unknown network mode \(number)")
        }
        self.network = network
        limits = try Limits(from: &reader)
        usesTerminal = try reader.readBool()
        allowsUnixSockets = try reader.readBool()
        hasReports = try reader.readBool()
    }
}

extension Limits {
    /// A count before the numbers: a later version may add some.
    func write(to writer: inout ByteWriter) {
        let numbers = [
            wallMilliseconds, graceMilliseconds, cpuSeconds, memoryBytes, processes, openFiles, fileBytes,
            outputBytes, lineBytes, diskBytes, idleFlushMilliseconds, cpuPercent,
        ]
        writer.write(UInt32(clamping: numbers.count))
        for number in numbers { writer.write(number) }
    }

    init(from reader: inout ByteReader) throws(DomeError) {
        self.init()
        let paths: [WritableKeyPath<Limits, UInt64>] = [
            \.wallMilliseconds, \.graceMilliseconds, \.cpuSeconds, \.memoryBytes, \.processes, \.openFiles,
            \.fileBytes, \.outputBytes, \.lineBytes, \.diskBytes, \.idleFlushMilliseconds, \.cpuPercent,
        ]
        for index in 0..<(try reader.readCount(minimumBytes: 8)) {
            let number = try reader.readUInt64()
            if index < paths.count { self[keyPath: paths[index]] = number }
        }
    }
}
