import Testing

@testable import DomeStore

@Suite struct `How far the audit log lags` {
    @Test func `is counted from the first event that no checkpoint covers`() {
        var lag = AuditLag()
        #expect(lag.unsigned == 0 && lag.nanoseconds(now: 50) == 0)
        lag.appended(2, atNanoseconds: 100)
        lag.appended(4, atNanoseconds: 200)
        #expect(lag.events == 4 && lag.unsigned == 4 && lag.nanoseconds(now: 250) == 150)
        // One that was made before the newest events leaves them, and their wait.
        lag.signed(3)
        #expect(lag.unsigned == 1 && lag.nanoseconds(now: 250) == 150)
        lag.signed(4)
        #expect(lag.unsigned == 0 && lag.nanoseconds(now: 900) == 0)
        lag.appended(5, atNanoseconds: 1_000)
        #expect(lag.unsigned == 1 && lag.nanoseconds(now: 1_300) == 300 && lag.nanoseconds(now: 900) == 0)
    }
}
