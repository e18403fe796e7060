import DomeModel
import DomePluginHost
import Testing

/// What a plugin may do in a call, and what comes of it when it does something else.
struct CallTests {
    private let executor: Executor
    private let workshop: Workshop

    init() throws {
        workshop = try Workshop()
        executor = try Executor(try Plugin(try workshop.plugin(), isCanceled: { true }))
    }

    private func prepare(_ job: String) throws -> String {
        String(decoding: try executor.prepare(Array(job.utf8)), as: UTF8.self)
    }

    private func error(_ job: String) throws -> DomeError { try #require(failure { _ = try prepare(job) }) }

    @Test func `pieces of a reply are joined`() throws {
        #expect(try prepare("{}") == #"{"argv":["/bin/true"]}"#)
    }

    @Test func `a reply from another thread is not taken`() throws { #expect(try prepare("elsewhere") == "no") }

    @Test func `a handle kept beyond its call meets a closed door`() throws {
        #expect(try prepare("late") == "open!")
        let other = try Executor(try Plugin(try workshop.plugin()))
        #expect(String(decoding: try other.prepare(Array("late".utf8)), as: UTF8.self) == "open!")
    }

    @Test func `absurd buffers are refused and the plugin's status decides the code`() throws {
        #expect(try error("huge").code == .policyDenied)
        #expect(try error("null").code == .notFound)
    }

    @Test func `the last explanation becomes the error`() throws {
        let error = try error("explained")
        #expect(error.code == .invalidRequest)
        #expect(error.message.hasSuffix("failed to prepare the job: the member \"x\" is missing"))
    }

    @Test func `a failure without or with a garbled reason still names plugin and status`() throws {
        #expect(try error("silent").message.contains("org.example.sample"))
        #expect(try error("silent").code == .resourceExhausted)
        #expect(try error("garbled").message.contains("without saying why (status 1)"))
    }

    @Test func `an unknown status is an internal error`() throws {
        #expect(try error("strange").code == .internal)
        #expect(try error("strange").message.contains("4711"))
    }

    @Test func `success without an answer is an error`() throws {
        #expect(try error("nothing").message.contains("answered with no plan"))
    }

    @Test func `an unknown extension is absent, a known one is there`() throws {
        #expect(try prepare("extension") == "ok")
    }

    @Test func `cancellation can be asked from any thread`() throws {
        #expect(try prepare("asks elsewhere") == "yes")
        #expect(try error("canceled").message.hasSuffix("stopped"))
    }
}
