internal import DomeModel
internal import DomePlatform
internal import Glibc

extension Database {
    /// Copies the database beside itself, as `<path>.version-N`, before its schema is changed from version N: whoever has
    /// to go back to the dome of that time finds it there. An earlier version's copy goes.
    func backUp(version: Int64) throws(DomeError) {
        let target = "\(path).version-\(version)"
        let making = target + ".new"
        do throws(DomeError) {
            // One that a crash left half-made.
            unlink(making)
            try Files.createEmpty(making)
            let quoted = making.replacing("'", with: "''")
            try connection.execute("VACUUM INTO '\(quoted)'", what: "back the database up")
            try Files.rename(making, to: target)
        } catch {
            unlink(making)
            throw DomeError(
                error.code,
                "\(path) cannot be backed up to \(target), so its schema was not changed: \(error.message); make room, "
                    + "or run the dome that wrote it", cause: error.cause)
        }
        Log.info("store.backed_up", ["path": target])
        for older in 1..<max(1, version) { unlink("\(path).version-\(older)") }
    }
}
