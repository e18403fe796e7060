internal import DomeCatalog
internal import DomeModel
internal import PluginABI

/// How the probe's host behaves (Sources/Host/CProbe/host.h).
struct Habits {
    var hasNoExtensions = false
    var isNewer = false
    var refusesReplies = false
    var hasNoRoom = false
    var takesLittle = false
    /// is_canceled says true from then on.
    var cancelAfterMilliseconds: Int64 = -1

    var fields: [ProbeField] {
        [hasNoExtensions, isNewer, refusesReplies, hasNoRoom, takesLittle].map { .number($0 ? 1 : 0) }
            + [.number(cancelAfterMilliseconds)]
    }
}

/// A plugin in a probe, and the points of its life that it can be taken to.
final class Stage {
    enum Point: Int, Comparable {
        case opened, initialized, table, instance

        static func < (left: Point, right: Point) -> Bool { left.rawValue < right.rawValue }
    }

    let probe: Probe
    let kind: PluginFile.Kind
    let config: String

    init(_ probe: Probe, kind: PluginFile.Kind, config: String) {
        (self.probe, self.kind, self.config) = (probe, kind, config)
    }

    /// The ABI's words for what this kind calls its functions.
    var create: String { kind == .adapter ? "connect" : "create" }
    var destroy: String { kind == .adapter ? "disconnect" : "destroy" }
    var call: String { kind == .adapter ? "execute" : "prepare" }
    var factoryID: String { kind == .adapter ? DOME_ADAPTER : DOME_EXECUTOR }

    func reach(_ point: Point, _ habits: Habits) throws(TrialEnd) {
        try set(habits)
        try open()
        guard point >= .initialized else { return }
        try require(try initialize(), "init returned false")
        guard point >= .table else { return }
        try require(try factory(factoryID).address != 0, "get_factory knows no \(factoryID)")
        guard point >= .instance else { return }
        let made = try makeInstance(0, config)
        try require(
            made.status == DOME_OK && made.flag,
            "\(create) with \(config.prefix(200)) failed: \(made.statusName), \(made.explanationText)")
    }

    func set(_ habits: Habits) throws(TrialEnd) { _ = try take("B", habits.fields, "at the start") }

    func open() throws(TrialEnd) {
        let answer = try take("O", [], "in dlopen")
        try require(answer.bool(0), "the library cannot be loaded: \(answer.text(1))")
        try require(answer.bool(2), "the library exports no symbol \(DOME_ENTRY_SYMBOL)")
    }

    func initialize() throws(TrialEnd) -> Bool { try take("I", [.text(config)], "in init").bool(0) }

    struct Table {
        var address: UInt64
        var structSize: UInt64
        /// For each function, in order; empty if the table is too short.
        var present: [Bool]
        var microseconds: Int64
    }

    func factory(_ id: String) throws(TrialEnd) -> Table {
        let answer = try take("F", [.text(id)], "in get_factory")
        return Table(
            address: answer.number(0), structSize: answer.number(1),
            present: answer.bytes(2).map { $0 == UInt8(ascii: "y") }, microseconds: Int64(clamping: answer.number(3)))
    }

    struct Descriptor {
        var address: UInt64
        var structSize: UInt64
        /// What is wrong with a pointer and size; "" if nothing.
        var fault: String
        var id: [UInt8]
        var version: [UInt8]
        var declaration: [UInt8]
    }

    func descriptor() throws(TrialEnd) -> Descriptor {
        let answer = try take("D", [], "in get_descriptor")
        return Descriptor(
            address: answer.number(0), structSize: answer.number(1), fault: answer.text(2), id: answer.bytes(3),
            version: answer.bytes(4), declaration: answer.bytes(5))
    }

    func makeInstance(_ index: Int, _ config: String) throws(TrialEnd) -> CallOutcome {
        try makeInstance(index, Array(config.utf8))
    }

    func makeInstance(_ index: Int, _ config: [UInt8]) throws(TrialEnd) -> CallOutcome {
        CallOutcome(try take("C", [.bytes(config), .number(Int64(index))], "in \(create)"))
    }

    /// One call, as the host makes it: an adapter's on a connection of its own, an executor's on instance 0.
    func run(_ example: Bench.Example, limit: Int64? = nil) throws(TrialEnd) -> CallOutcome {
        try run(Array(example.action.utf8), Array(example.payload.compact.utf8), limit: limit)
    }

    func run(_ action: [UInt8], _ payload: [UInt8], limit: Int64? = nil) throws(TrialEnd) -> CallOutcome {
        guard kind == .adapter else { return try run(action, payload, in: 0, limit: limit) }
        let own = 3
        let made = try makeInstance(own, config)
        guard made.isOK, made.flag else {
            throw .skipped("connect failed: \(made.statusName), \(made.explanationText)")
        }
        let outcome = try run(action, payload, in: own, limit: limit)
        try destroyInstance(own)
        return outcome
    }

    func run(
        _ action: [UInt8], _ payload: [UInt8], in instance: Int, limit: Int64? = nil
    ) throws(TrialEnd) -> CallOutcome {
        let name = String(decoding: action.prefix(40), as: UTF8.self)
        let doing = kind == .adapter ? "in execute of '\(name)'" : "in prepare"
        let fields: [ProbeField] = [.number(Int64(instance)), .bytes(action), .bytes(payload)]
        return CallOutcome(try take("X", fields, doing, limit: limit))
    }

    func health() throws(TrialEnd) -> CallOutcome { CallOutcome(try take("H", [.number(0)], "in health")) }

    func audit(_ event: [UInt8]) throws(TrialEnd) {
        _ = try take("A", [.number(0), .bytes(event)], "in audit")
    }

    func extensionTable(_ id: String) throws(TrialEnd) -> UInt64 {
        try take("Y", [.number(0), .text(id)], "in get_extension").number(0)
    }

    /// The table for driven jobs: its address, its struct_size, and for each function whether it is there.
    func driveTable() throws(TrialEnd) -> Table {
        let answer = try take("W", [.number(0)], "in get_extension")
        return Table(
            address: answer.number(0), structSize: answer.number(1),
            present: answer.bytes(2).map { $0 == UInt8(ascii: "y") }, microseconds: Int64(clamping: answer.number(3)))
    }

    enum DriveStep: Int64 {
        case start = 1
        case poll, cancel, cancelByForce, recover, listArtifacts, readArtifact
    }

    func drive(_ step: DriveStep, _ first: [UInt8], cursor: String = "") throws(TrialEnd) -> CallOutcome {
        let fields: [ProbeField] = [.number(0), .number(step.rawValue), .bytes(first), .text(cursor)]
        return CallOutcome(try take("V", fields, "in \(step)"))
    }

    func readArtifact(
        _ handle: String, _ name: String, from offset: UInt64, size: Int64
    ) throws(TrialEnd) -> CallOutcome {
        let fields: [ProbeField] = [
            .number(0), .number(DriveStep.readArtifact.rawValue), .text(handle), .text(name),
            .number(Int64(clamping: offset)), .number(size),
        ]
        return CallOutcome(try take("V", fields, "in readArtifact"))
    }

    func destroyInstance(_ index: Int) throws(TrialEnd) {
        _ = try take("K", [.number(Int64(index))], "in \(destroy)")
    }

    func deinitialize() throws(TrialEnd) { _ = try take("Z", [], "in deinit") }

    func census() throws(TrialEnd) -> Census { Census(try take("S", [], "while looking at the process")) }

    /// The whole way back from an instance, and out.
    func leave(instances: Int = 1) throws(TrialEnd) {
        for index in 0..<instances { try destroyInstance(index) }
        try deinitialize()
    }

    private func take(
        _ letter: Character, _ fields: [ProbeField], _ doing: String, limit: Int64? = nil
    ) throws(TrialEnd) -> ProbeAnswer {
        let answer = try probe.step(letter, fields, doing: doing, limit: limit)
        guard answer.letter == letter.asciiValue else { throw .skipped("\(doing): \(answer.text(0))") }
        return answer
    }
}

/// What a call of the plugin came to.
struct CallOutcome {
    var status: Int64
    var reply: [UInt8]
    var explanation: [UInt8]
    /// create and connect: whether there is an instance.
    var flag: Bool
    var microseconds: Int64
    var cancelAsked: Int64
    var progressReports: Int64
    /// How long it went on after is_canceled had said true; nil if it never did.
    var canceledForMicroseconds: Int64?

    init(_ answer: ProbeAnswer) {
        status = Int64(bitPattern: answer.number(0))
        reply = answer.bytes(1)
        explanation = answer.bytes(2)
        flag = answer.bool(3)
        let counts = answer.numbers(4)
        func count(_ index: Int) -> Int64 { index < counts.count ? counts[index] : 0 }
        microseconds = count(0)
        cancelAsked = count(1)
        progressReports = count(2)
        canceledForMicroseconds = count(5) < 0 ? nil : count(5)
    }

    static let names = [
        "DOME_OK", "DOME_INVALID", "DOME_UNSUPPORTED", "DOME_DENIED", "DOME_NOT_FOUND", "DOME_UNAVAILABLE",
        "DOME_CANCELED", "DOME_INTERNAL",
    ]
    var isKnown: Bool { status >= 0 && status < Self.names.count }
    var isOK: Bool { status == 0 }
    var statusName: String { isKnown ? Self.names[Int(status)] : "the unknown status \(status)" }
    var explanationText: String {
        explanation.isEmpty ? "without a word" : "\"\(String(decoding: explanation.prefix(300), as: UTF8.self))\""
    }
}

/// A process at a moment.
struct Census {
    /// "kind name value", as Sources/Host/CProbe/census.c has them.
    var lines: [String]
    var liveBlocks: Int64
    var liveBytes: Int64
    var heapFindings: [String]
    var misuses: [String]

    init(_ answer: ProbeAnswer) {
        func split(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }
        lines = split(answer.text(0))
        liveBlocks = Int64(clamping: answer.number(1))
        liveBytes = Int64(clamping: answer.number(2))
        heapFindings = split(answer.text(3))
        misuses = split(answer.text(4))
    }

    func of(_ kinds: [String]) -> [String] {
        lines.filter { line in kinds.contains { line.hasPrefix($0 + " ") } }
    }

    /// What `later` has and `earlier` has not.
    static func added(_ later: [String], to earlier: [String]) -> [String] {
        later.filter { !earlier.contains($0) }
    }
}
