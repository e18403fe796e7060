/// The exit report as bytes: the journal's EXIT record and the keeper's message carry the same.
extension ExitReport {
    /// The longest `message` that is kept, in UTF-8 bytes: the EXIT record must fit its reserve.
    package static let messageLimitBytes = 1024

    /// Appends the report; a message beyond `messageLimitBytes` is cut at a character.
    package func write(to writer: inout ByteWriter) {
        writer.write(cause.rawValue)
        writer.write(rawWaitStatus)
        writer.write(userMicroseconds)
        writer.write(systemMicroseconds)
        writer.write(maxResidentKilobytes)
        writer.write(startedNanoseconds)
        writer.write(endedNanoseconds)
        writer.write(enforcedLayers)
        writer.write(shortened(message))
        // 0: not known.
        let numbers = [peakMemoryBytes, diskWrittenBytes, workUsedBytes, hasOutput ? 1 : 0].map {
            $0.map { $0 &+ 1 } ?? 0
        }
        writer.write(UInt32(clamping: numbers.count))
        for number in numbers { writer.write(number) }
    }

    /// Reads what `write` wrote.
    package init(from reader: inout ByteReader) throws(DomeError) {
        let number = try reader.readUInt8()
        guard let cause = EndCause(rawValue: number) else {
            throw DomeError(.internal, "exit report has the unknown cause \(number)")
        }
        self.init(cause: cause)
        rawWaitStatus = try reader.readInt32()
        userMicroseconds = try reader.readUInt64()
        systemMicroseconds = try reader.readUInt64()
        maxResidentKilobytes = try reader.readUInt64()
        startedNanoseconds = try reader.readInt64()
        endedNanoseconds = try reader.readInt64()
        enforcedLayers = try reader.readUInt64()
        message = try reader.readString()
        // Older journals end here; a later version may add numbers.
        guard !reader.isAtEnd else { return }
        let paths: [WritableKeyPath<ExitReport, UInt64?>] = [\.peakMemoryBytes, \.diskWrittenBytes, \.workUsedBytes]
        for index in 0..<(try reader.readCount(minimumBytes: 8)) {
            let number = try reader.readUInt64()
            if index < paths.count, number > 0 { self[keyPath: paths[index]] = number - 1 }
            if index == paths.count { hasOutput = number == 2 }
        }
    }

    private func shortened(_ text: String) -> String {
        guard text.utf8.count > Self.messageLimitBytes else { return text }
        var result = ""
        var count = 0
        for character in text {
            count += character.utf8.count
            if count > Self.messageLimitBytes { break }
            result.append(character)
        }
        return result
    }
}
