import DomeModel

// Keywords that look at one type of value.
extension SchemaCompiler {
    mutating func compileObject(
        _ keyword: String, _ argument: JSONValue, _ place: String, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        var group = rules.object ?? ObjectRules()
        switch keyword {
        case "properties":
            for (name, schema) in try members(argument, place) {
                group.properties[name] = try subschema(schema, at: place + "/" + JSONPointer.token(name))
                group.propertyNames.append(name)
            }
        case "patternProperties":
            for (text, schema) in try members(argument, place) {
                let node = try subschema(schema, at: place + "/" + JSONPointer.token(text))
                group.patterns.append((try pattern(text, place), node))
            }
        case "additionalProperties": group.additional = try subschema(argument, at: place)
        case "propertyNames": group.names = try subschema(argument, at: place)
        case "required": group.required = try names(argument, place)
        case "minProperties": group.minimum = try count(argument, place)
        case "maxProperties": group.maximum = try count(argument, place)
        case "dependentRequired":
            for (name, list) in try members(argument, place) {
                group.dependentRequired.append((name, try names(list, place)))
            }
        case "dependentSchemas":
            for (name, schema) in try members(argument, place) {
                let node = try subschema(schema, at: place + "/" + JSONPointer.token(name))
                group.dependentSchemas.append((name, node))
            }
        default: return false
        }
        rules.object = group
        return true
    }

    mutating func compileArray(
        _ keyword: String, _ argument: JSONValue, _ place: String, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        var group = rules.array ?? ArrayRules()
        switch keyword {
        case "prefixItems": group.prefix = try list(argument, place)
        case "items":
            guard argument.arrayValue == nil else { throw fail(place, "must be one schema; a list is prefixItems") }
            group.items = try subschema(argument, at: place)
        case "contains": group.contains = try subschema(argument, at: place)
        case "minContains": group.minimumContains = try count(argument, place)
        case "maxContains": group.maximumContains = try count(argument, place)
        case "minItems": group.minimum = try count(argument, place)
        case "maxItems": group.maximum = try count(argument, place)
        case "uniqueItems":
            guard let flag = argument.boolValue else { throw fail(place, "must be true or false") }
            group.mustBeUnique = flag
        default: return false
        }
        rules.array = group
        return true
    }

    func compileScalar(
        _ keyword: String, _ argument: JSONValue, _ place: String, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        var string = rules.string ?? StringRules()
        var number = rules.number ?? NumberRules()
        switch keyword {
        case "minLength": string.minimum = try count(argument, place)
        case "maxLength": string.maximum = try count(argument, place)
        case "pattern":
            guard let text = argument.stringValue else { throw fail(place, "must be a regular expression") }
            string.pattern = try pattern(text, place)
        case "minimum": number.minimum = try self.number(argument, place)
        case "maximum": number.maximum = try self.number(argument, place)
        case "exclusiveMinimum": number.exclusiveMinimum = try self.number(argument, place)
        case "exclusiveMaximum": number.exclusiveMaximum = try self.number(argument, place)
        case "multipleOf":
            number.multipleOf = try self.number(argument, place)
            guard number.multipleOf?.isPositive == true else { throw fail(place, "must be greater than 0") }
        default: return false
        }
        if ["minLength", "maxLength", "pattern"].contains(keyword) {
            rules.string = string
        } else {
            rules.number = number
        }
        return true
    }

    private func members(_ argument: JSONValue, _ place: String) throws(DomeError) -> [(key: String, value: JSONValue)]
    {
        guard let object = argument.objectValue else { throw fail(place, "must be an object") }
        return object.members
    }

    private func names(_ argument: JSONValue, _ place: String) throws(DomeError) -> [String] {
        guard let list = argument.arrayValue else { throw fail(place, "must be a list of names") }
        var names: [String] = []
        for element in list {
            guard let name = element.stringValue else { throw fail(place, "must be a list of names") }
            guard !names.contains(name) else { throw fail(place, "names \"\(name.prefix(64))\" twice") }
            names.append(name)
        }
        return names
    }

    private func count(_ argument: JSONValue, _ place: String) throws(DomeError) -> Int {
        guard let value = argument.integerValue, value >= 0, let count = Int(exactly: value) else {
            throw fail(place, "must be a whole number, 0 or more")
        }
        return count
    }

    private func number(_ argument: JSONValue, _ place: String) throws(DomeError) -> SchemaNumber {
        guard let number = SchemaNumber(argument) else { throw fail(place, "must be a number") }
        return number
    }

    private func pattern(_ text: String, _ place: String) throws(DomeError) -> Pattern {
        do throws(Pattern.Refusal) {
            return try Pattern(text)
        } catch {
            throw fail(place, "has a regular expression that is not supported: \(error.reason)")
        }
    }
}
