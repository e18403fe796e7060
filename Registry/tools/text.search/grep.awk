# From `grep -n` lines of the file in ENVIRON["file"] to {"path","line","text"}.
BEGIN { path = json_member("path", ENVIRON["file"]) }
{
    colon = index($0, ":")
    number = substr($0, 1, colon - 1)
    if (colon < 2 || number !~ /^[0-9]+$/) next
    text = substr($0, colon + 1)
    sub(/\r$/, "", text)
    print "{" path ",\"line\":" number "," json_member("text", text) "}"
}
