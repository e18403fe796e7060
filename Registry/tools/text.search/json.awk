# JSON members from any bytes. Bytes that are UTF-8 become "name":"text"; others "name_b64":"base 64", so that
# nothing is lost or replaced. Runs under LC_ALL=C, where a character is a byte.
BEGIN {
    for (json_code = 1; json_code < 256; json_code++) json_ord[sprintf("%c", json_code)] = json_code
    json_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
}

function json_member(name, bytes) {
    if (json_is_utf8(bytes)) return "\"" name "\":" json_string(bytes)
    return "\"" name "_b64\":\"" json_base64(bytes) "\""
}

# RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
function json_is_utf8(bytes,    position, count, byte, more, low, high) {
    if (bytes !~ /[^ -~\t]/) return 1
    count = length(bytes)
    for (position = 1; position <= count; position++) {
        byte = json_ord[substr(bytes, position, 1)]
        if (byte < 128) continue
        low = 128; high = 191
        if (byte >= 194 && byte <= 223) more = 1
        else if (byte >= 224 && byte <= 239) {
            more = 2
            if (byte == 224) low = 160
            if (byte == 237) high = 159
        } else if (byte >= 240 && byte <= 244) {
            more = 3
            if (byte == 240) low = 144
            if (byte == 244) high = 143
        } else return 0
        for (; more > 0; more--) {
            if (++position > count) return 0
            byte = json_ord[substr(bytes, position, 1)]
            if (byte < low || byte > high) return 0
            low = 128; high = 191
        }
    }
    return 1
}

function json_string(text,    position, count, character, code, output) {
    if (text !~ /["\\\001-\037\177]/) return "\"" text "\""
    count = length(text)
    for (position = 1; position <= count; position++) {
        character = substr(text, position, 1)
        code = json_ord[character]
        if (character == "\"" || character == "\\") output = output "\\" character
        else if (character == "\n") output = output "\\n"
        else if (character == "\t") output = output "\\t"
        else if (code < 32 || code == 127) output = output sprintf("\\u%04x", code)
        else output = output character
    }
    return "\"" output "\""
}

function json_base64(bytes,    position, count, first, second, third, output) {
    count = length(bytes)
    for (position = 1; position <= count; position += 3) {
        first = json_ord[substr(bytes, position, 1)]
        second = position + 1 <= count ? json_ord[substr(bytes, position + 1, 1)] : 0
        third = position + 2 <= count ? json_ord[substr(bytes, position + 2, 1)] : 0
        output = output json_digit(int(first / 4)) json_digit(first % 4 * 16 + int(second / 16)) \
            (position + 1 <= count ? json_digit(second % 16 * 4 + int(third / 64)) : "=") \
            (position + 2 <= count ? json_digit(third % 64) : "=")
    }
    return output
}

function json_digit(value) { return substr(json_digits, value + 1, 1) }
