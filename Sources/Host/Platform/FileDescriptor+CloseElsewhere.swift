internal import CLinux
internal import DomeModel
internal import Glibc

extension FileDescriptor {
    /// Gives a reference up to a thread that does nothing but let it go: the last descriptor of a file system in memory
    /// frees all that is in it when it is closed, 1 s for a quarter of a million files, and whoever closes it waits.
    /// Other references to the same object must have gone. Where no thread can be had it is let go here.
    package static func closeElsewhere(_ descriptor: inout FileDescriptor?) {
        guard let address = detached(&descriptor) else { return }
        @Sendable func release() {
            guard let pointer = UnsafeRawPointer(bitPattern: address) else { return }
            Unmanaged<FileDescriptor>.fromOpaque(pointer).release()
        }
        do throws(DomeError) {
            try startThread(named: "dome-close") {
                dome_yield_to_others()
                release()
            }
        } catch {
            release()
        }
    }

    /// A function of its own, so that when it has returned the address stands for the only reference left.
    private static func detached(_ descriptor: inout FileDescriptor?) -> UInt? {
        descriptor.take().map { UInt(bitPattern: Unmanaged.passRetained($0).toOpaque()) }
    }
}
