package import DomeModel

extension KeeperRequest {
    /// The numbers are the protocol's: never change one, never use one again.
    private enum Kind: UInt16 {
        case hello = 1
        case launch = 2
        case go = 3
        case abort = 4
        case cancel = 5
        case appendEvent = 6
        case release = 7
        case list = 8
        case retire = 9
    }

    /// The message.
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        func begin(_ kind: Kind, _ jobID: JobID? = nil) {
            writer.write(kind.rawValue)
            if let jobID { writer.write(jobID.text) }
        }
        switch self {
        case .hello(let oldest, let current):
            begin(.hello)
            writer.write(oldest)
            writer.write(current)
        case .launch(let launch):
            begin(.launch)
            launch.plan.write(to: &writer)
            writer.write(launch.isGated)
            writer.write(launch.runningEvent)
        case .go(let jobID): begin(.go, jobID)
        case .abort(let jobID): begin(.abort, jobID)
        case .cancel(let jobID, let event):
            begin(.cancel, jobID)
            writer.write(event)
        case .appendEvent(let jobID, let number, let event):
            begin(.appendEvent, jobID)
            writer.write(number)
            event.write(to: &writer)
        case .release(let jobID): begin(.release, jobID)
        case .list: begin(.list)
        case .retire: begin(.retire)
        }
        return writer.bytes
    }

    /// Decodes a message; nil for a kind of a later version, which is to be ignored. E_INTERNAL if malformed.
    package static func decode(_ raw: UnsafeRawBufferPointer) throws(DomeError) -> KeeperRequest? {
        var reader = ByteReader(raw)
        guard let kind = Kind(rawValue: try reader.readUInt16()) else { return nil }
        switch kind {
        case .hello: return .hello(oldest: try reader.readUInt16(), current: try reader.readUInt16())
        case .launch:
            let plan = try LaunchPlan(from: &reader)
            let isGated = try reader.readBool()
            return .launch(
                KeeperLaunch(plan: plan, isGated: isGated, runningEvent: try reader.readOptionalEvent()))
        case .go: return .go(try reader.readJobID())
        case .abort: return .abort(try reader.readJobID())
        case .cancel: return .cancel(try reader.readJobID(), event: try reader.readOptionalEvent())
        case .appendEvent:
            let jobID = try reader.readJobID()
            let number = try reader.readUInt64()
            return .appendEvent(jobID, number: number, try LinkEvent(from: &reader))
        case .release: return .release(try reader.readJobID())
        case .list: return .list
        case .retire: return .retire
        }
    }
}

extension ByteWriter {
    mutating func write(_ event: LinkEvent?) {
        write(event != nil)
        event?.write(to: &self)
    }
}

extension ByteReader {
    mutating func readOptionalEvent() throws(DomeError) -> LinkEvent? {
        try readBool() ? try LinkEvent(from: &self) : nil
    }
}
