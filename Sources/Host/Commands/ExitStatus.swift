import DomeAsync
import DomeClient
import DomeModel

/// Exit statuses of `dome`, after sysexits.h where it has one. `dome run` exits with the tool's own status; see
/// `dome help run` for what it does when there is none.
enum ExitStatus {
    static let success: Int32 = 0
    /// A check failed, or a job failed without an exit code of its own.
    static let failure: Int32 = 1
    /// The command line is wrong.
    static let usage: Int32 = 64
    /// The task or another input is refused.
    static let dataError: Int32 = 65
    /// No such tool, job or file.
    static let notFound: Int32 = 66
    /// No daemon answers.
    static let unavailable: Int32 = 69
    static let internalFault: Int32 = 70
    /// Try again later: the queue or the disk is full, or it took too long.
    static let temporary: Int32 = 75
    /// The daemon said something that the contract does not know.
    static let protocolFault: Int32 = 76
    /// The policy or the sandbox refuses it.
    static let denied: Int32 = 77
    /// `dome run`: the job reached its time limit.
    static let timeout: Int32 = 124
    /// `dome run`: the job could not be started, or was lost.
    static let notRun: Int32 = 125
    /// Interrupted, or the job was canceled.
    static let interrupted: Int32 = 130

    static let table: [(status: Int32, meaning: String)] = [
        (success, "all is well"), (failure, "a check failed, or a job failed without an exit code of its own"),
        (usage, "the command line is wrong"), (dataError, "the task or another input is refused"),
        (notFound, "no such tool, job or file"), (unavailable, "no daemon answers"),
        (internalFault, "a fault of dome"), (temporary, "try again later: full, or too slow"),
        (protocolFault, "the daemon said something unknown"), (denied, "refused by the policy or the sandbox"),
        (timeout, "run: the job reached its time limit"), (notRun, "run: the job could not be started, or was lost"),
        (interrupted, "interrupted, or the job was canceled"),
    ]
}

/// Why a command stops, with what to do about it.
struct CommandFailure: Error {
    var message: String
    var status: Int32
    /// The contract's name, e.g. "E_NOT_FOUND", where there is one.
    var code: String?

    init(_ message: String, status: Int32, code: String? = nil) {
        self.message = message
        self.status = status
        self.code = code
    }

    static func usage(_ message: String) -> CommandFailure { CommandFailure(message, status: ExitStatus.usage) }

    init(_ error: DomeError) {
        message = error.message
        code = error.code.name
        status =
            switch error.code {
            case .invalidRequest, .idempotencyKeyReused, .invalidTransition: ExitStatus.dataError
            case .notFound: ExitStatus.notFound
            case .policyDenied: ExitStatus.denied
            case .resourceExhausted, .timeout, .lockConflict: ExitStatus.temporary
            case .internal: ExitStatus.internalFault
            }
    }

    init(_ error: ClientError) {
        switch error {
        case .refused(let refusal): self.init(refusal)
        case .unavailable(let text), .connectionLost(let text), .unsupported(let text):
            self.init(text, status: ExitStatus.unavailable)
        case .timedOut(let text): self.init(text, status: ExitStatus.temporary)
        case .protocolBroken(let text): self.init(text, status: ExitStatus.protocolFault)
        }
    }

    /// Tells the user, on stderr, and returns the exit status.
    func report(isJSON: Bool = false) -> Int32 {
        if isJSON {
            var error: JSONObject = ["message": .string(message)]
            if let code { error["code"] = .string(code) }
            let document: JSONValue = ["error": .object(error)]
            Output.stderr.writeNow(document.compact + "\n")
        } else {
            Output.stderr.writeNow("dome: " + Rendered.lines(message) + "\n")
        }
        return status
    }
}

/// Runs a call of the client, with its error as a failure of the command.
@Core
func calling<Value: Sendable>(
    _ body: @Core () async throws(ClientError) -> Value
) async throws(CommandFailure) -> Value {
    do throws(ClientError) {
        return try await body()
    } catch {
        throw CommandFailure(error)
    }
}

/// The same for what throws DomeError.
func local<Value>(_ body: () throws(DomeError) -> Value) throws(CommandFailure) -> Value {
    do throws(DomeError) {
        return try body()
    } catch {
        throw CommandFailure(error)
    }
}
