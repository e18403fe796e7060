import DomeModel
import Testing

@testable import DomeEngine

struct KeeperStarterTests {
    @Test func `each generation is an instance of its own`() throws {
        let unit = try KeeperStarter.Unit(template: "domed-keeper@.service", runtimeFolder: "/run/user/1000/dome")
        #expect(unit.name(7) == "domed-keeper@\(DomeVersion.text)-7.service")
        #expect(unit.argumentsPath(7) == "/run/user/1000/dome/domed-keeper-\(DomeVersion.text)-7")
        #expect(unit.name(8) != unit.name(7) && unit.argumentsPath(8) != unit.argumentsPath(7))
    }

    @Test(arguments: ["domed-keeper.service", "@.service", "a b@.service", "--now@.service", "/etc/a@.service", ""])
    func `what is no template is refused by name`(template: String) {
        #expect {
            try KeeperStarter.Unit(template: template, runtimeFolder: "/run")
        } throws: {
            ($0 as? DomeError)?.message.contains("'\(template)'") == true
        }
    }
}
