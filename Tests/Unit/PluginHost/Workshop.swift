// Unit tests of the room PluginHost: real plugins, built by the C compiler into a temporary folder, and the real
// worker on a real socket.

import DomeModel
import DomePlatform
import DomePluginHost
import Glibc

/// A temporary folder with a C compiler at hand; removed with the last reference.
final class Workshop {
    let directory: String

    /// The package's root folder.
    static let root = #filePath.split(separator: "/").dropLast(4)
        .reduce("") { $0 + "/" + $1 }
    static let include = root + "/Sources/PluginABI/include"
    static let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I" + include]

    init() throws {
        var template = Array("/tmp/dome-pluginhost-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DomeError.system("create a temporary folder", errno) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { _ = try? Files.removeTree(directory) }

    func path(_ name: String) -> String { directory + "/" + name }

    func write(_ name: String, _ text: String) throws {
        try Files.writeAtomically(path(name), Array(text.utf8), mode: 0o644)
    }

    /// Runs a program to its end; its output (both streams) and exit code.
    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws -> (output: String, exitCode: Int32?) {
        let log = try Files.open(path("errors.log"), O_WRONLY | O_CREAT | O_TRUNC)
        var process = Subprocess(program, [program] + arguments)
        process.descriptors = [(log, 2)]
        let outcome = try process.capture(limitBytes: 1 << 20, timeoutMilliseconds: 120_000)
        let errors = try Files.read(path("errors.log"), limitBytes: 1 << 20)
        return (String(decoding: outcome.output + errors, as: UTF8.self), outcome.exitCode)
    }

    /// Builds Samples.plugin with `defines` and gives it a plugin.json of `id` and `version`.
    func plugin(
        _ defines: [String] = [], id: String = "org.example.sample", version: String = "1.0.0",
        source: String = Samples.plugin
    ) throws -> PluginManifest {
        try write("sample.c", source)
        let result = try run(
            "/usr/bin/cc",
            Self.strict + ["-Wno-unused-function", "-std=c11", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread"]
                + defines.map { "-D" + $0 } + [path("sample.c"), "-o", path("libsample.so")])
        guard result.exitCode == 0 else { throw DomeError(.internal, "cc failed: \(result.output)") }
        return try manifest(id: id, version: version)
    }

    func manifest(id: String, version: String) throws -> PluginManifest {
        try write(
            "plugin.json",
            #"{"id": "\#(id)", "version": "\#(version)", "kind": "executor", "library": "libsample.so"}"#)
        return try PluginManifest.read(directory: directory)
    }

}

/// Plugins/LocalProcess and its fuzz driver as their own Makefile builds them, once a run and only what changed, in a
/// folder beside the test binary.
enum LocalProcessBuild {
    /// The folder of the test binary, where `domed-worker` lies too.
    static let products: String = {
        guard let own = realpath("/proc/self/exe", nil) else { return "" }
        defer { free(own) }
        return String(cString: own).split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    }()

    private static let build = Result { () throws -> String in
        let output = products + "/test-plugins/LocalProcess"
        try Files.makeDirectories(output)
        let result = try Workshop().run(
            "/usr/bin/make", ["-s", "-C", Workshop.root + "/Plugins/LocalProcess", "all", "fuzz", "OUT=" + output])
        guard result.exitCode == 0 else { throw DomeError(.internal, "make failed: \(result.output)") }
        return output
    }

    /// The plugin's folder, as `--plugin` takes it.
    static func directory() throws -> String { try build.get() }
}

/// The error `body` ends in; nil if it does not.
func failure(_ body: () throws -> Void) -> DomeError? {
    do { try body() } catch { return error as? DomeError ?? DomeError(.internal, "another error: \(error)") }
    return nil
}
