//! Enough JSON for an action's payload. dome has checked it against the action's input_schema before, so whatever does
//! not fit is only refused here. Objects and arrays inside the payload are not needed by this plugin, and refused.

pub enum Value {
    Null,
    Bool,
    Number(f64),
    Text(String),
}

/// The members of an object, in order; None if `bytes` is no object of plain values.
pub fn members(bytes: &[u8]) -> Option<Vec<(String, Value)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader { rest: text };
    reader.expect('{')?;
    let mut members = Vec::new();
    if reader.expect('}').is_none() {
        loop {
            let name = reader.string()?;
            reader.expect(':')?;
            members.push((name, reader.value()?));
            if reader.expect(',').is_none() {
                break;
            }
        }
        reader.expect('}')?;
    }
    reader.skip_space();
    reader.rest.is_empty().then(|| members)
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut output = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            character if (character as u32) < 0x20 => output.push_str(&format!("\\u{:04x}", character as u32)),
            character => output.push(character),
        }
    }
    output.push('"');
    output
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(|character| matches!(character, ' ' | '\t' | '\n' | '\r'));
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn value(&mut self) -> Option<Value> {
        self.skip_space();
        if self.rest.starts_with('"') {
            return self.string().map(Value::Text);
        }
        let end = self.rest.find(|character| matches!(character, ',' | '}' | ' ' | '\t' | '\n' | '\r'))?;
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" => Some(Value::Null),
            "true" | "false" => Some(Value::Bool),
            number => number.parse().ok().map(Value::Number),
        }
    }

    fn string(&mut self) -> Option<String> {
        self.expect('"')?;
        let mut output = String::new();
        loop {
            let character = self.next()?;
            match character {
                '"' => return Some(output),
                '\\' => output.push(self.escape()?),
                character if (character as u32) < 0x20 => return None,
                character => output.push(character),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let high = self.unit()?;
                if (0xd800..0xdc00).contains(&high) {
                    (self.next()? == '\\' && self.next()? == 'u').then(|| ())?;
                    let low = self.unit()?;
                    (0xdc00..0xe000).contains(&low).then(|| ())?;
                    return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                }
                return char::from_u32(high);
            }
            character if matches!(character, '"' | '\\' | '/') => character,
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }
}
