import DomeModel
import DomePlatform
import Glibc

/// Reads all registry folders into one snapshot.
enum CatalogReader {
    static func read(_ searchPath: [String]) -> CatalogSnapshot {
        // Taken first: a change while reading then shows as a change.
        let fingerprint = fingerprint(searchPath)
        var tools: [String: Tool] = [:]
        var problems: [CatalogProblem] = []
        var shadowed: [ShadowedTool] = []
        for folder in folders(searchPath, &problems) {
            do throws(DomeError) {
                let tool = try ToolFolder.load(folder)
                if let used = tools[tool.manifest.id] {
                    shadowed.append(ShadowedTool(id: tool.manifest.id, path: folder, usedPath: used.directory))
                } else {
                    tools[tool.manifest.id] = tool
                }
            } catch {
                problems.append(CatalogProblem(path: folder, reason: error.message))
            }
        }
        return CatalogSnapshot(
            tools: Array(tools.values), problems: problems, shadowed: shadowed, fingerprint: fingerprint)
    }

    /// The tools' folders in order of precedence. A registry folder that is not there is no problem.
    private static func folders(_ searchPath: [String], _ problems: inout [CatalogProblem]) -> [String] {
        var folders: [String] = []
        var seen: Set<String> = []
        for registry in searchPath {
            let path = resolved(registry + "/tools") ?? registry + "/tools"
            guard seen.insert(path).inserted, Files.exists(path) else { continue }
            do throws(DomeError) {
                // Hidden names are editors' and version control's.
                folders += try Files.list(path).filter { !$0.hasPrefix(".") }.map { path + "/" + $0 }
                    .filter(Files.isDirectory)
            } catch {
                problems.append(CatalogProblem(path: path, reason: error.message))
            }
        }
        return folders
    }

    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// Inode, size and times of every folder and file of the registry, in order.
    static func fingerprint(_ searchPath: [String]) -> [UInt64] {
        var fingerprint: [UInt64] = []
        for registry in searchPath {
            let tools = ListedFolder(registry + "/tools")
            add(tools?.status, &fingerprint)
            guard let tools else { continue }
            for name in tools.names() where !name.hasPrefix(".") {
                guard let folder = ListedFolder(name, in: tools) else {
                    add(tools.status(of: name), &fingerprint)
                    continue
                }
                add(folder.status, &fingerprint)
                for file in folder.names() { add(folder.status(of: file), &fingerprint) }
            }
        }
        return fingerprint
    }

    private static func add(_ status: stat?, _ fingerprint: inout [UInt64]) {
        guard let status else { return fingerprint.append(0) }
        fingerprint += [
            UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_size)), UInt64(status.st_mode),
            UInt64(bitPattern: Int64(status.st_mtim.tv_sec)), UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)),
            UInt64(bitPattern: Int64(status.st_ctim.tv_sec)), UInt64(bitPattern: Int64(status.st_ctim.tv_nsec)),
        ]
    }
}
