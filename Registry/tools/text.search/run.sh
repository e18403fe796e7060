#!/bin/sh
# run.sh PATTERN PATH [--fixed BOOL] [--ignore-case BOOL] [--glob GLOB] [--max N]
# One JSON object a match. Exit 0 with or without matches, 2 when something could not be searched.
here=/job/.tool
[ -d "$here" ] || here=$(dirname "$0")
pattern=$1 path=$2
shift 2
fixed=false ignore_case=false glob='' max=1000
# Of what ripgrep says of one line: its text, and each place in it that matches. awk takes ages over longer ones.
longest=262144
while [ $# -ge 2 ]; do
    case $1 in
        --fixed) fixed=$2 ;;
        --ignore-case) ignore_case=$2 ;;
        --glob) glob=$2 ;;
        --max) max=$2 ;;
    esac
    shift 2
done
if [ ! -e "$path" ]; then
    printf 'text.search: %s is not there; was it granted? (fs.read:%s)\n' "$path" "$path" >&2
    exit 2
fi
# A FIFO would be waited for.
if [ ! -f "$path" ] && [ ! -d "$path" ]; then
    printf 'text.search: %s is neither a file nor a folder\n' "$path" >&2
    exit 2
fi
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# Both searches write finished JSON lines and return 0 (matches), 1 (none) or 2 (trouble), as grep does. Both see
# the same files whatever the programs' defaults: hidden ones too, ignore files unheeded.
search_with_ripgrep() {
    set -- --no-config --json --no-ignore --hidden --sort path --glob '!.git'
    if [ "$fixed" = true ]; then set -- "$@" --fixed-strings; fi
    if [ "$ignore_case" = true ]; then set -- "$@" --ignore-case; fi
    if [ -n "$glob" ]; then set -- "$@" --glob "$glob"; fi
    {
        rg "$@" --regexp "$pattern" -- "$path"
        echo $? >"$scratch/rg"
    } | cut -b "-$longest" | awk -v "longest=$longest" -v "left_out=$scratch/long" -f "$here/ripgrep.awk"
    if [ -s "$scratch/long" ]; then
        cat "$scratch/long" >&2
        return 2
    fi
    return "$(cat "$scratch/rg")"
}

# One grep a file, so that no file name can be taken for output.
search_with_grep() {
    set -- -n
    if [ "$fixed" = true ]; then set -- "$@" -F; else set -- "$@" -E; fi
    if [ "$ignore_case" = true ]; then set -- "$@" -i; fi
    # -I, where it is known, leaves binary files out.
    if printf 'x\n' | grep -I x >/dev/null 2>&1; then set -- "$@" -I; fi
    # A wrong expression is told once, not once a file.
    grep "$@" -e "$pattern" </dev/null
    if [ $? -gt 1 ]; then return 2; fi
    options=$*
    export here pattern options
    # The options are words of our own: splitting them is meant.
    # shellcheck disable=SC2016
    find "$path" -name .git -prune -o -type f -name "${glob:-*}" -exec sh -c '
        for file do
            grep $options -e "$pattern" -- "$file" | file=$file awk -f "$here/json.awk" -f "$here/grep.awk"
        done' sh {} +
}

{
    if command -v rg >/dev/null 2>&1 && [ -z "$TEXT_SEARCH_WITHOUT_RIPGREP" ]; then
        search_with_ripgrep
    else
        search_with_grep
    fi
    echo $? >"$scratch/status"
} 2>"$scratch/errors" | head -n "$max"
# What the search says is wrong: an expression in one line, files in a line each.
awk '
    NR == 1 && /^(regex parse error|grep: [^:]*$)/ { whole = "the pattern is no regular expression:" }
    { sub(/^(grep|rg): /, "") }
    whole != "" { sub(/^ +/, ""); whole = whole " " $0; next }
    NR <= 20 { print "text.search: " $0 }
    END { if (whole != "") print "text.search: " whole }
' "$scratch/errors" >&2
# 141: the reader had enough matches and hung up.
case $(cat "$scratch/status") in
    0 | 1 | 141) exit 0 ;;
    *) exit 2 ;;
esac
