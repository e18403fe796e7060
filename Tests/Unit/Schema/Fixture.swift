// Unit tests of the room Schema: verdicts against tables, refusals by name, bounds. The large suite is in Tests/Schema.

import DomeModel
import Testing

func json(_ text: String) throws -> JSONValue { try JSONParser.parse(text, what: "test") }

/// The message of the error that `body` throws; fails the test if there is none.
func refusal(_ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> String {
    do {
        try body()
        Issue.record("nothing was refused", sourceLocation: location)
    } catch let error as DomeError {
        return error.message
    } catch {
        Issue.record("not a DomeError: \(error)", sourceLocation: location)
    }
    return ""
}
