internal import DomeModel
internal import DomePlatform
internal import Glibc

/// Copies the regular files below a job's /job/out, each with its SHA-256, to a folder of ours.
///
/// Nothing of the job is alive any more, yet nothing here counts on that: somebody outside may hold a descriptor that
/// the job gave away. No link is followed, nothing that could block is opened, and a file is read as far as it was
/// long when it was opened. Blocks: for a thread of its own.
final class ArtifactCollector {
    private let copies: ArtifactCopies
    private var limits: ArtifactLimits { copies.limits }
    private var namesLeft: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

    private init(_ copies: ArtifactCopies) { (self.copies, namesLeft) = (copies, copies.limits.names) }

    deinit { buffer.deallocate() }

    /// Copies to `target`, from which what an earlier try left is removed; throws if it cannot be. What `content` has
    /// already becomes one with it. What is wrong with single files is among the collection's omissions.
    static func collect(
        _ work: FileDescriptor, to target: String, _ limits: ArtifactLimits, sharing content: ContentStore? = nil
    ) throws(DomeError) -> ArtifactCollection {
        let collector = ArtifactCollector(try ArtifactCopies(target, limits, sharing: content))
        do throws(DomeError) {
            switch try RawFolder.kind(of: ExitReport.outputFolder, in: work) {
            case .folder: collector.walk(try RawFolder(ExitReport.outputFolder, in: work), "", depth: 0)
            case .link: collector.copies.omit("/job/out", .link)
            case .file, .special: collector.copies.omit("/job/out", .special)
            case nil: break
            }
        } catch {
            collector.copies.omit("/job/out", .unreadable)
        }
        return collector.copies.collection
    }

    // MARK: Folders

    /// - Parameter path: from /job/out to `folder`, with a slash at its end; empty for /job/out itself.
    private func walk(_ folder: RawFolder, _ path: String, depth: Int) {
        for name in names(of: folder, path) {
            let text = ArtifactName.encode(name.dropLast().map { UInt8(bitPattern: $0) })
            let whole = path + text
            guard copies.isNamedWell(whole, text) else { continue }
            do throws(DomeError) {
                switch try folder.kind(of: name) {
                case .link: copies.omit(whole, .link)
                case .special: copies.omit(whole, .special)
                case .folder where depth == limits.depth: copies.omit(whole, .depth)
                case .folder: walk(try RawFolder(name, in: folder), whole + "/", depth: depth + 1)
                case .file: keep(name, in: folder, whole)
                }
            } catch {
                copies.omit(whole, .unreadable)
            }
        }
    }

    /// The folder's names in their order, as far as names may be looked at.
    private func names(of folder: RawFolder, _ path: String) -> [[CChar]] {
        var names: [[CChar]] = []
        var uncounted: UInt64 = 0
        while let name = folder.next() {
            if namesLeft > 0 {
                namesLeft -= 1
                names.append(name)
            } else {
                uncounted += 1
                if uncounted == limits.countedNames { break }
            }
        }
        if uncounted > 0 { copies.omit("/job/out/" + path, .names, count: uncounted) }
        return names.sorted { strcmp($0, $1) < 0 }
    }

    // MARK: Files

    private func keep(_ name: [CChar], in folder: RawFolder, _ path: String) {
        guard copies.hasPlace(for: path) else { return }
        let source: (file: FileDescriptor, size: UInt64)
        do throws(DomeError) { source = try folder.openFile(name) } catch { return copies.omit(path, .unreadable) }
        guard let copy = copies.begin(path, size: source.size) else { return }
        while copy.byteCount < source.size {
            let wanted = Int(min(UInt64(buffer.count), source.size - copy.byteCount))
            let count = read(source.file.number, buffer.baseAddress, wanted)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return copies.omit(path, .unreadable) }
            if count == 0 { break }
            guard copies.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: copy) else { return }
        }
        copies.keep(copy)
    }
}
