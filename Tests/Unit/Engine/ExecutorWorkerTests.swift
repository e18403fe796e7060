import DomeAsync
import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeEngine

/// A worker that ends before it is asked, played by a shell script in the place of the program that confines it.
@Suite struct ExecutorWorkerTests {
    @Test func `what a worker said before it went is told, not that the link broke`() async throws {
        try Core.startOwnThread()
        var template = Array("/tmp/dome-worker-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DomeError.system("create a folder", errno) }
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { do { try Files.removeTree(folder) } catch { print("left behind: \(folder): \(error)") } }
        // Not written here: a program that somebody has open for writing cannot be started.
        let script = #filePath.replacing("/Unit/Engine/ExecutorWorkerTests.swift", with: "/Support/fallen_worker.sh")
        #expect(symlink(script, folder + "/keeper") == 0)
        let message = try await ask(folder)
        #expect(message.hasSuffix("failed: it fell over here"), "\(message)")
    }

    /// The event loop does not run between the worker's end and the question.
    @Core private func ask(_ folder: String) async throws -> String {
        let worker = ExecutorWorker(
            PluginRecord(folder: folder), workerPath: "/bin/true", keeperPath: folder + "/keeper")
        try worker.start()
        let deadline = Clock.monotonicNanoseconds() + 30_000_000_000
        while !Files.exists(folder + "/keeper.done") {
            try #require(Clock.monotonicNanoseconds() < deadline, "the script does not end")
            usleep(1_000)
        }
        let answer = try worker.prepare([], for: JobID(createdMilliseconds: 0, random: (0, 0)))
        guard case .failure(let error) = await answer.wait() else { return "an answer" }
        return error.message
    }
}
