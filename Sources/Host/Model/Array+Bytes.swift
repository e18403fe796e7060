extension [UInt8] {
    /// Lends the array's memory to `body`, as the standard `withUnsafeBytes`, but with typed errors.
    @inlinable
    package func withBytes<Value, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try withUnsafeBytes { raw in
            Result { () throws(Failure) in try body(raw) }
        }.get()
    }
}
