import DomeModel
import Testing

@Suite struct `The stage of a program` {
    private func stage(_ name: String, _ folder: String?, _ variables: [String: String] = [:]) throws -> Stage {
        try Stage.resolve(programName: name, executableDirectory: folder) { variables[$0] }
    }

    @Test func `is what its name says, then what the variables say in their order, then where it lies`() throws {
        let all = ["DOME_STAGE": "staging", "SOMA_STAGE": "dev", "SOMA_CHANNEL": "prod"]
        #expect(try stage("/usr/bin/domed-dev", "/usr/bin", all) == .dev)
        #expect(try stage("dome", "/usr/bin", all) == .staging)
        #expect(try stage("dome", "/usr/bin", ["DOME_STAGE": "", "SOMA_STAGE": "dev", "SOMA_CHANNEL": "prod"]) == .dev)
        #expect(try stage("dome", "/x/.build/release", ["SOMA_CHANNEL": "prod"]) == .prod)
        #expect(try stage("dome", "/src/dome/.build/x86_64-unknown-linux-gnu/release") == .dev)
        #expect(try stage("dome", "/src/my.build/bin") == .prod && stage("dome", nil) == .prod)
    }

    @Test func `is never guessed from a word that is none`() throws {
        for variable in ["DOME_STAGE", "SOMA_STAGE", "SOMA_CHANNEL"] {
            let error = #expect(throws: DomeError.self) { try stage("dome", "/usr/bin", [variable: "production"]) }
            #expect(error?.message == "\(variable) must be dev, staging or prod, not 'production'; or unset it")
        }
    }

    @Test func `is in the names of what it owns, but for prod`() {
        #expect(Stage.allCases.map(\.suffix) == ["-dev", "-staging", ""])
    }
}
