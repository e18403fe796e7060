internal import DomeModel

/// A set of names, each with a number, found by the hash that a `JSONTree` keeps of its members' names.
struct SchemaNames: Sendable {
    private struct Entry {
        var hash: UInt32
        var start: Int
        var count: Int
    }

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// Number + 1 of the name; 0 is free. Its count is a power of two, at least twice that of the names.
    private var slots: [Int32] = []

    var count: Int { entries.count }

    subscript(_ number: Int) -> String {
        let entry = entries[number]
        return String(decoding: bytes[entry.start..<entry.start + entry.count], as: UTF8.self)
    }

    /// The number of `name`, which may be new.
    mutating func insert(_ name: String) -> Int {
        let hash = UInt32(truncatingIfNeeded: JSONHash.of(name))
        let utf8 = Array(name.utf8)
        if let known = find(hash, utf8, 0, utf8.count) { return known }
        entries.append(Entry(hash: hash, start: bytes.count, count: utf8.count))
        bytes += utf8
        if slots.count < 2 * entries.count {
            slots = [Int32](repeating: 0, count: max(8, slots.count * 2))
            for number in entries.indices { place(number) }
        } else {
            place(entries.count - 1)
        }
        return entries.count - 1
    }

    private mutating func place(_ number: Int) {
        var slot = Int(entries[number].hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(truncatingIfNeeded: number + 1)
    }

    /// The number of the name that is `text[start..<start + count]`.
    func find(_ hash: UInt32, _ text: [UInt8], _ start: Int, _ count: Int) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = Int(hash) & (slots.count - 1)
        while true {
            let number = Int(slots[slot]) - 1
            guard number >= 0 else { return nil }
            let entry = entries[number]
            if entry.hash == hash, entry.count == count, isSame(entry, text, start) { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
    }

    private func isSame(_ entry: Entry, _ text: [UInt8], _ start: Int) -> Bool {
        for offset in 0..<entry.count where bytes[entry.start + offset] != text[start + offset] { return false }
        return true
    }
}
