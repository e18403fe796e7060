/// Who asked for something, as the kernel says of the connection it came by.
package struct Caller: Sendable, Equatable {
    package var userID: UInt32
    package var processID: Int32

    package init(userID: UInt32, processID: Int32) {
        self.userID = userID
        self.processID = processID
    }
}
