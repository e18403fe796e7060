extension [UInt8] {
    /// Lends the array's memory to `body`, as the standard `withUnsafeBytes`, but with typed errors.
    package func withBytes<Value>(
        _ body: (UnsafeRawBufferPointer) throws(DomeError) -> Value
    ) throws(DomeError) -> Value {
        try withUnsafeBytes { raw in
            Result { () throws(DomeError) in try body(raw) }
        }.get()
    }
}
