extension ServerCall {
    /// Keeps a part of a call's only request; one that is too long, or more than one, ends the call here.
    func keepRequest(_ bytes: UnsafeRawBufferPointer) {
        let limit = connection?.limits.maxMessageBytes ?? 0
        keep(bytes)
        guard let length = assembler.keptMessageLength else {
            if let failure = assembler.keptFailure { fail(failure.status) }
            return
        }
        if length > limit {
            fail(MessageAssembler.Failure.tooLong(bytes: length, limit: limit).status)
        } else if assembler.heldBytes > length + 5 {
            fail(GRPCStatus(.internal, "the method takes one message, and more than one was sent"))
        }
    }

    /// Calls `body` with the only request, or ends the call if there is none.
    func takeRequest(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard let length = assembler.keptMessageLength, assembler.heldBytes == length + 5 else {
            let text =
                assembler.isEmpty
                ? "the method takes one message, and none was sent" : "the stream ended in the middle of a message"
            return fail(GRPCStatus(.internal, text))
        }
        let kept = assembler.takeKept()
        discardInbound()
        kept.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[5...])) }
    }
}

extension MessageAssembler {
    /// The length that the kept bytes' prefix announces; nil with fewer than five bytes, or a flag set.
    var keptMessageLength: Int? {
        withKept { bytes in
            guard bytes.count >= 5, bytes[0] == 0 else { return nil }
            return Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        }
    }

    /// What is wrong with the kept bytes' flag.
    var keptFailure: Failure? {
        withKept { bytes in
            guard let flag = bytes.first, flag != 0 else { return nil }
            return flag == 1 ? .compressed : .badFlag(flag)
        }
    }
}
