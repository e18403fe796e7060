import DomePlatform
import Glibc
import Testing

@Suite struct FolderWatchTests {
    @Test func `the first change ends it for good`() throws {
        let place = try Folder()
        defer { withExtendedLifetime(place) {} }
        let folder = place.path
        let watch = try #require(FolderWatch([folder]))
        #expect(watch.isUnchanged && watch.isUnchanged)
        try Files.writeAtomically(folder + "/" + String(repeating: "n", count: 200), [1])
        #expect(!watch.isUnchanged && !watch.isUnchanged)
    }

    @Test func `what is below is another's`() throws {
        let place = try Folder()
        defer { withExtendedLifetime(place) {} }
        let folder = place.path
        try Files.makeDirectories(folder + "/below")
        let watch = try #require(FolderWatch([folder]))
        try Files.writeAtomically(folder + "/below/file", [1])
        #expect(watch.isUnchanged)
    }

    @Test func `a folder that is none is not watched, nor is a link to one`() throws {
        let place = try Folder()
        defer { withExtendedLifetime(place) {} }
        let folder = place.path
        #expect(symlink(folder, folder + "/link") == 0)
        #expect(FolderWatch([folder, folder + "/missing"]) == nil)
        #expect(FolderWatch([folder + "/link"]) == nil)
    }
}
