# From the lines of run.sh's format to one JSON object a commit. Lines of the body begin with a space (or are empty).
function list(words,    count, index_of_word, parts, output) {
    count = split(words, parts, " ")
    for (index_of_word = 1; index_of_word <= count; index_of_word++)
        output = output (index_of_word > 1 ? "," : "") "\"" parts[index_of_word] "\""
    return "[" output "]"
}

function person(who) {
    return "\"" who "\":{" json_member("name", field[who ".name"]) "," json_member("email", field[who ".email"]) \
        ",\"date\":\"" field[who ".date"] "\"}"
}

function finish() {
    if (!started) return
    sub(/\n+$/, "", body)
    print "{\"commit\":\"" field["commit"] "\",\"parents\":" list(field["parents"]) "," person("author") "," \
        person("committer") "," json_member("subject", field["subject"]) "," json_member("body", body) "}"
}

/^commit / { finish(); started = 1; body = ""; in_body = 0; split("", field) }
/^body$/ && !in_body { in_body = 1; next }
in_body && /^( |$)/ { body = body substr($0, 2) "\n"; next }
{
    space = index($0, " ")
    if (space > 1) field[substr($0, 1, space - 1)] = substr($0, space + 1)
    else field[$0] = ""
}
END { finish() }
