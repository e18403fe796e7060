# From ripgrep's JSON lines to {"path","line","text"}. Strings stay as ripgrep encoded them: nothing is decoded,
# so nothing can be decoded wrongly.

# The JSON string at the front of `text`, with its quotes. By steps, as regular expressions overflow on long lines.
function leading_string(text,    position, length_of_text, character) {
    length_of_text = length(text)
    for (position = 2; position <= length_of_text; position++) {
        character = substr(text, position, 1)
        if (character == "\\") position++
        else if (character == "\"") return substr(text, 1, position)
    }
    return ""
}

# Takes {"text":"…"} or {"bytes":"…"} from the front of `rest`; the result is the member under our name.
function take(name,    suffix) {
    if (index(rest, "{\"text\":") == 1) { suffix = ""; rest = substr(rest, 9) }
    else if (index(rest, "{\"bytes\":") == 1) { suffix = "_b64"; rest = substr(rest, 10) }
    else return ""
    value = leading_string(rest)
    rest = substr(rest, length(value) + 2)
    if (suffix == "") sub(/(\\r)?\\n"$/, "\"", value)
    return "\"" name suffix "\":" value
}

index($0, "{\"type\":\"match\",\"data\":{\"path\":") == 1 {
    rest = substr($0, 32)
    path = take("path")
    if (index(rest, ",\"lines\":") != 1) next
    rest = substr(rest, 10)
    text = take("text")
    # Cut, before the line was told.
    if (length($0) == longest && (value == "" || rest !~ /^,"line_number":[0-9]+,/)) {
        print "a line that matches is too long and left out: " substr(path, index(path, ":") + 1) >left_out
        next
    }
    if (index(rest, ",\"line_number\":") != 1) next
    rest = substr(rest, 16)
    if (!match(rest, /^[0-9]+/)) next
    print "{" path ",\"line\":" substr(rest, 1, RLENGTH) "," text "}"
}
