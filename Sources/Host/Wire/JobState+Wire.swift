package import DomeModel
package import DomeProto

extension Domed_V1_JobState {
    package init(_ state: JobState) { self.init(rawValue: state.rawValue) }
}

extension JobState {
    /// The state of that number, or nil for UNSPECIFIED and for numbers that this build does not know.
    package init?(_ state: Domed_V1_JobState) { self.init(rawValue: state.rawValue) }
}

extension Domed_V1_EventType {
    /// Progress has no type of its own on the wire: it travels as a log event whose payload has "value".
    package init(_ kind: EventKind) {
        self =
            switch kind {
            case .stateChange: .stateChange
            case .log, .progress, .report: .log
            case .guard: .guard
            case .error: .error
            }
    }
}
