import DomeModel
import Testing

@testable import DomeMCP

@Suite struct ResourceURITests {
    private let job = "job-01m7wgxx7zkw6zmeqfeqn0te7m"

    @Test func anAddressIsReadAsItWasWritten() {
        for uri in [
            ResourceURI.log(job, .none), .log(job, .stdout), .log(job, .stderr), .artifact(job, "a b/ä%\n.txt"),
        ] {
            #expect(ResourceURI(uri.text) == uri)
        }
        #expect(ResourceURI.artifact(job, "a b").text == "dome://jobs/\(job)/artifacts/a%20b")
    }

    @Test(arguments: [
        "", "dome://", "dome://jobs/", "dome://jobs/x/log", "dome://jobs/JOB/", "dome://jobs/JOB/log/x",
        "dome://jobs/JOB/artifacts/", "dome://jobs/JOB/artifacts/%", "dome://jobs/JOB/artifacts/%zz",
        "dome://jobs/JOB/artifacts/%ff", "file:///etc/passwd", "DOME://jobs/JOB/log",
    ])
    func whatIsNoneIsNoAddress(text: String) {
        #expect(ResourceURI(text.replacing("JOB", with: job)) == nil)
    }
}
