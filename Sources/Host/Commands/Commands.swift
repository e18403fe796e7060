// Room Commands: the `dome` command line. One file a verb, in Verbs/, each with a description of itself from which
// parsing, help, completions and (checked by a test) the manual page follow. Verbs decode arguments, call the
// client once or twice, and render; what a job may do is the daemon's decision, never made here.
//
// Output for people goes through `Rendered`, so that no tool's name or message can drive a terminal; the output of
// a job itself is passed on byte for byte.

import DomeAsync
import DomePlatform

/// The program.
package enum CommandLineTool {
    /// Every verb, in the order of the help.
    static var verbs: [Verb] {
        [
            .tools, .toolsSearch, .toolShow, .run, .rerun, .logs, .jobs, .jobShow, .artifacts, .diff, .provenanceShow,
            .provenanceExport,
            .provenanceVerify, .audit, .auditSummary, .auditExport, .auditVerify, .auditProve, .auditVerifyProof,
            .auditRedact, .keysShow, .keysRotate, .cancel, .status, .gc, .sandboxExplain,
            .doctor, .mcp, .install, .uninstall, .pluginList, .pluginInfo, .pluginNew, .pluginCheck, .pluginInstall,
            .pluginRemove,
            .pluginEnable, .pluginDisable, .configCheck, .configShow, .configPath,
            .serviceInstall, .serviceUninstall, .serviceStart, .serviceStop, .serviceRestart, .serviceStatus,
            .serviceLogs, .releaseVerify, .supportBundle,
            .schemaCheck, .schemaTestSuite, .registryLint, .registryAccept,
            .completions, .version,
            .help, .complete,
        ]
    }

    /// Runs the command line and returns the exit status. Call once, from the main thread.
    package static func main(_ arguments: [String]) -> Int32 {
        let invocation: Invocation
        do throws(CommandFailure) {
            invocation = try ArgumentParser(verbs: verbs).parse(Array(arguments.dropFirst()))
        } catch {
            return error.report()
        }
        Core.adoptCurrentThread()
        let status = ExitStatusBox()
        // The task ends the loop, and with it the program.
        Core.task {
            status.value = await run(invocation)
            Core.loop.stop()
        }
        Core.run()
        return status.value
    }

    @Core
    private static func run(_ invocation: Invocation) async -> Int32 {
        do throws(CommandFailure) {
            let status = try await invocation.verb.run(invocation)
            try Output.stdout.flush()
            return status
        } catch {
            // What was produced before the failure is still worth having.
            try? Output.stdout.flush()
            return error.report(isJSON: invocation.isJSON)
        }
    }

    /// Written by the task, read after the loop: one thread.
    private final class ExitStatusBox: @unchecked Sendable {
        var value: Int32 = ExitStatus.internalFault
    }
}
