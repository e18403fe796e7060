/// The formats of 2020-12, validation, section 7.3. Each is checked by a parser of its own, in one pass.
enum SchemaFormat: String, Sendable {
    case dateTime = "date-time"
    case date, time, duration, email, hostname, ipv4, ipv6, uri, iri, uuid, regex
    case idnEmail = "idn-email"
    case idnHostname = "idn-hostname"
    case uriReference = "uri-reference"
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"

    /// draft-07 has all but two.
    func exists(in dialect: SchemaDialect) -> Bool { dialect != .draft7 || self != .duration && self != .uuid }

    /// Whether `text`, which is UTF-8, has the format.
    func accepts(_ text: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .dateTime: TimeFormat.isDateTime(text)
        case .date: TimeFormat.isDate(text)
        case .time: TimeFormat.isTime(text)
        case .duration: TimeFormat.isDuration(text)
        case .email: MailFormat.isAddress(text, isInternational: false)
        case .idnEmail: MailFormat.isAddress(text, isInternational: true)
        case .hostname: HostFormat.isHostname(text)
        case .idnHostname: HostFormat.isInternationalHostname(text)
        case .ipv4: AddressFormat.isIPv4(text)
        case .ipv6: AddressFormat.isIPv6(text)
        case .uri: URIFormat.isURI(text, isInternational: false, mayBeRelative: false)
        case .uriReference: URIFormat.isURI(text, isInternational: false, mayBeRelative: true)
        case .iri: URIFormat.isURI(text, isInternational: true, mayBeRelative: false)
        case .iriReference: URIFormat.isURI(text, isInternational: true, mayBeRelative: true)
        case .uriTemplate: URIFormat.isTemplate(text)
        case .uuid: isUUID(text)
        case .jsonPointer: JSONPointer.tokens(text) != nil
        case .relativeJSONPointer: isRelativePointer(text)
        case .regex: Pattern.isExpression(String(decoding: text, as: UTF8.self))
        }
    }

    /// RFC 4122, section 3.
    private func isUUID(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count == 36 else { return false }
        for (position, byte) in text.enumerated() {
            if [8, 13, 18, 23].contains(position) {
                guard byte == UInt8(ascii: "-") else { return false }
            } else if !byte.isHexDigit {
                return false
            }
        }
        return true
    }

    /// draft-bhutton-relative-json-pointer: steps up, along in an array, then a pointer or `#`.
    private func isRelativePointer(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        guard rest.takeNumber() else { return false }
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
            rest.removeFirst()
            guard rest.first != UInt8(ascii: "0"), rest.takeNumber() else { return false }
        }
        return rest.elementsEqual([UInt8(ascii: "#")]) || JSONPointer.tokens(rest) != nil
    }

    /// For messages.
    var prose: String {
        switch self {
        case .dateTime: "a date and time as RFC 3339 has it"
        case .date: "a date, YYYY-MM-DD"
        case .time: "a time with its offset, as RFC 3339 has it"
        case .duration: "a duration, e.g. P1DT12H"
        case .email, .idnEmail: "an e-mail address"
        case .hostname, .idnHostname: "a host name"
        case .ipv4: "an IPv4 address"
        case .ipv6: "an IPv6 address"
        case .uri: "an absolute URI"
        case .uriReference: "a URI or relative reference"
        case .iri: "an absolute IRI"
        case .iriReference: "an IRI or relative reference"
        case .uriTemplate: "a URI template (RFC 6570)"
        case .uuid: "a UUID"
        case .jsonPointer: "a JSON pointer (RFC 6901)"
        case .relativeJSONPointer: "a relative JSON pointer"
        case .regex: "a regular expression of ECMA-262"
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 <= 9 }
    var isLetter: Bool { (self | 0x20) &- 0x61 <= 25 }
    var isHexDigit: Bool { isDigit || (self | 0x20) &- 0x61 <= 5 }
}

extension ArraySlice<UInt8> {
    /// Takes `byte` if it is next.
    mutating func take(_ byte: Character) -> Bool {
        guard let value = byte.asciiValue, first == value else { return false }
        removeFirst()
        return true
    }

    /// Takes a whole number without leading zeros.
    mutating func takeNumber() -> Bool {
        let digits = prefix { $0.isDigit }
        guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else { return false }
        removeFirst(digits.count)
        return true
    }

    /// Takes exactly `count` digits.
    mutating func takeDigits(_ count: Int) -> Int? {
        guard self.count >= count, prefix(count).allSatisfy(\.isDigit) else { return nil }
        defer { removeFirst(count) }
        return prefix(count).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
