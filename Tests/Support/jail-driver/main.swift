// A keeper in miniature for the tests of the room Jail: starts an inner server from its own binary (so it links
// the room CJail and its constructor), runs one job as its options say, and prints what it saw, one fact a line.
// It is a program and not part of the test bundle because the tests run it as another user, and kill it.
import DomeJail
import DomeModel
import DomePlatform
import Glibc

do throws(DomeError) {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.isProbe {
        let report = JailProbe.run(options.server)
        print("layers", report.layers.layerNames.joined(separator: " "))
        print("missing", report.missing.layerNames.joined(separator: " "))
        if let failure = report.failure { print("failure", failure) }
    } else {
        try Session(options).run()
    }
} catch {
    print("error \(error)")
    exit(1)
}
