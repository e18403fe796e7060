internal import DomeAsync
internal import DomeCatalog
internal import DomeJournal
internal import DomeModel
internal import DomePlatform
internal import DomeSchema
internal import DomeStore

/// Output contracts: a tool that promises a result has it checked before its job may end well (docs/adr/0027).
extension Engine {
    /// What a job that ended well has come to. Jobs of tools that promise nothing pass at once. The same events and the
    /// same tool give the same outcome, so that recovery may repeat it.
    func checkResult(of job: LiveJob, _ ending: JobEnding) async -> ResultOutcome {
        guard ending.state == .succeeded, let schema = resultSchema(of: job) else { return .none }
        let (path, id, toolID) = (files.journalPath(job.id), job.id, job.toolID)
        return await onOwnThread("dome-result") {
            do throws(DomeError) {
                let output = try JournalOutput.read(path: path, id, limitBytes: JobResult.limitBytes)
                return JobResult.check(output, schema, of: toolID)
            } catch {
                Log.error("result.unreadable", ["job": id.text, "error": error.description])
                return .invalid("the result of \(toolID) could not be read: \(error.message)")
            }
        } ?? .invalid("the result of \(toolID) could not be checked: there is no thread to be had")
    }

    /// Nil for a tool that promises no result. What an adapter answers is always one.
    private func resultSchema(of job: LiveJob) -> JSONSchema? {
        guard let tool = job.request?.tool, let schema = tool.outputSchema,
            case .executor(let id, _) = tool.manifest.execution
        else { return nil }
        let isAdapter = tool.plugin != nil || plugins.snapshot[id]?.file?.kind == .adapter
        return isAdapter || tool.manifest.output == .result ? schema : nil
    }

    /// The result of an ended job, as it goes along with its record; "" if there is none or it is too large for that.
    func resultText(of id: JobID, _ provenance: JSONValue) async -> String {
        guard let count = provenance["products"]?["result"]?["bytes"]?.integerValue,
            count <= JobResult.inlineLimitBytes
        else { return "" }
        let path = files.journalPath(id)
        let text = await onOwnThread("dome-result") { () -> String? in
            do throws(DomeError) {
                return JobResult.inline(try JournalOutput.read(path: path, id, limitBytes: JobResult.limitBytes))
            } catch {
                // The events are what counts, and reading them says more.
                Log.error("result.unreadable", ["job": id.text, "error": error.description])
                return nil
            }
        }
        return (text ?? nil) ?? ""
    }

    /// What `body` returns, from a thread of its own; nil if there is none to be had.
    func onOwnThread<Value: Sendable>(_ name: String, _ body: @escaping @Sendable () -> Value) async -> Value? {
        let outcome = OneShot<Value>()
        do throws(DomeError) {
            try startThread(named: name) {
                let result = body()
                Core.loop.execute { Core.assumeIsolated { _ = outcome.set(result) } }
            }
        } catch {
            Log.error("thread.failed", ["thread": name, "error": error.description])
            return nil
        }
        return await outcome.wait()
    }
}
