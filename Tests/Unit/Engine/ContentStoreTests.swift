import DomeCrypto
import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeEngine

/// A folder of the test's own with a store in it.
private final class Place {
    let root: String
    let store: ContentStore

    init(storeAt folder: String? = nil) throws {
        var template = "/tmp/dome-content-XXXXXX".utf8CString.map { $0 }
        guard let made = mkdtemp(&template) else { throw DomeError.system("create a folder", errno) }
        root = String(cString: made)
        store = ContentStore(folder: folder ?? root + "/content")
    }

    deinit { do { try Files.removeTree(root) } catch { print("left behind: \(root): \(error)") } }

    /// Writes a file and offers it to the store.
    func share(_ name: String, _ text: String) throws {
        let path = root + "/" + name
        try Files.writeAtomically(path, Array(text.utf8))
        store.share(path, try SHA256.digest(text))
    }

    func text(_ name: String) throws -> String {
        String(decoding: try Files.read(root + "/" + name, limitBytes: 1 << 20), as: UTF8.self)
    }

    func links(_ name: String) -> Int {
        var status = stat()
        return lstat(root + "/" + name, &status) == 0 ? Int(status.st_nlink) : 0
    }
}

@Suite struct `Contents, kept once` {
    @Test func `equal files become one, and offering one again changes nothing`() throws {
        let place = try Place()
        for name in ["a", "b", "c"] { try place.share(name, "same") }
        place.store.share(place.root + "/a", try SHA256.digest("same"))
        try place.share("other", "another")
        #expect(place.links("a") == 4 && place.links("other") == 2)
        #expect(Files.isSameFile(place.root + "/a", place.root + "/c"))
        #expect(try place.text("b") == "same" && place.text("other") == "another")
    }

    @Test func `what nobody has goes, what somebody has stays`() throws {
        let place = try Place()
        for (name, text) in [("a", "same"), ("b", "same"), ("c", "alone")] { try place.share(name, text) }
        for name in ["a", "c"] { unlink(place.root + "/" + name) }
        #expect(try place.store.removeUnused() == 5)
        #expect(try place.store.removeUnused() == 0)
        #expect(place.links("b") == 2)
    }

    @Test func `without hard links between the two, each keeps its own`() throws {
        var template = "/dev/shm/dome-content-XXXXXX".utf8CString.map { $0 }
        let elsewhere = String(cString: try #require(mkdtemp(&template)))
        defer { do { try Files.removeTree(elsewhere) } catch { print("left behind: \(elsewhere): \(error)") } }
        let place = try Place(storeAt: elsewhere)
        for name in ["a", "b"] { try place.share(name, "same") }
        #expect(place.links("a") == 1 && place.links("b") == 1)
        #expect(try place.text("a") == "same" && place.text("b") == "same")
    }

    @Test func `any number at once, and a sweep beside them, leave everybody the right bytes`() async throws {
        let place = try Place()
        let (root, store) = (place.root, place.store)
        let texts = ["one", "two", "three"]
        let digests = try texts.map { try SHA256.digest($0) }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var wrong = 0
                    for round in 0..<150 {
                        let (path, kind) = ("\(root)/\(worker)-\(round)", (worker + round) % texts.count)
                        do {
                            try Files.writeAtomically(path, Array(texts[kind].utf8))
                            store.share(path, digests[kind])
                            if try Files.read(path, limitBytes: 100) != Array(texts[kind].utf8) { wrong += 1 }
                        } catch {
                            wrong += 1
                        }
                        if round % 3 == 0 { unlink(path) }
                    }
                    return wrong
                }
            }
            group.addTask {
                for _ in 0..<200 { _ = try? store.removeUnused() }
                return 0
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        for worker in 0..<4 {
            for round in 0..<150 where round % 3 != 0 {
                #expect(try place.text("\(worker)-\(round)") == texts[(worker + round) % texts.count])
            }
        }
        _ = try store.removeUnused()
        let left = try Files.list(store.folder).filter { $0.hasSuffix(".tmp") }
        #expect(left == [])
    }
}
