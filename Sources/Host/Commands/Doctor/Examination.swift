import DomeModel
import DomePlatform

/// What `dome doctor` finds. Its extensions are what it looks at.
struct Examination {
    enum Verdict: String {
        case good = "ok"
        /// Worth knowing; jobs run all the same.
        case remark = "note"
        /// Jobs, or some of them, cannot run.
        case failed = "FAILED"
    }

    private var findings: [(verdict: Verdict, name: String, detail: String)] = []

    var hasFailed: Bool { findings.contains { $0.verdict == .failed } }

    mutating func note(_ verdict: Verdict, _ name: String, _ detail: String) {
        findings.append((verdict, name, detail))
    }

    /// What is in order, or what is wrong with its remedy.
    mutating func check(_ name: String, _ isGood: Bool, _ detail: String, remedy: String) {
        note(isGood ? .good : .failed, name, isGood ? detail : "\(detail): \(remedy)")
    }

    var json: JSONValue {
        .array(
            findings.map { finding in
                [
                    "check": .string(finding.name), "verdict": .string(finding.verdict.rawValue.lowercased()),
                    "detail": .string(finding.detail),
                ]
            })
    }

    func text(_ style: Style) -> String {
        let width = findings.map(\.name.count).max() ?? 0
        return findings.map { finding in
            let mark = finding.verdict.rawValue.padded(to: 6)
            let coloured =
                switch finding.verdict {
                case .good: style.green(mark)
                case .remark: style.yellow(mark)
                case .failed: style.red(mark)
                }
            return "\(coloured)  \(finding.name.padded(to: width))  \(Rendered.line(finding.detail))\n"
        }.joined()
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
