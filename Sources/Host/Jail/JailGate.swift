internal import CJail
package import DomeModel
internal import DomePlatform

/// Where a job waits, built to the last step, until it may run. It goes from the keeper straight to the job's PID 1, so
/// opening it takes no third process, and may be opened before anybody waits at it.
package final class JailGate {
    let descriptor: FileDescriptor

    /// A shut one.
    package init() throws(DomeError) {
        let number = dome_jail_gate()
        guard number >= 0 else { throw .system("make a job's gate", -number) }
        descriptor = FileDescriptor(owning: number)
    }

    package func open() throws(DomeError) {
        let status = dome_jail_open_gate(descriptor.number)
        guard status == 0 else { throw .system("open a job's gate", -status) }
    }
}
