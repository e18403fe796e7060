#!/bin/sh
# run.sh REPOSITORY [--revision R] [--max N] [--since D] [--until D] [--path P]...
# One JSON object a commit. The repository's configuration is taken as hostile: nothing in it may start a program.
here=/job/.tool
[ -d "$here" ] || here=$(dirname "$0")
repository=$1
shift
revision=HEAD max=100 since='' until=''
status=$(mktemp) && errors=$(mktemp) || exit 2
trap 'rm -f "$status" "$errors"' EXIT
while [ $# -ge 2 ]; do
    case $1 in
        --revision) revision=$2 ;;
        --max) max=$2 ;;
        --since) since=$2 ;;
        --until) until=$2 ;;
        --path) break ;;
    esac
    shift 2
done
if ! command -v git >/dev/null 2>&1; then
    echo 'git.log: git is not installed on this machine' >&2
    exit 127
fi
if [ -e "$repository" ] && [ ! -d "$repository" ]; then
    printf 'git.log: %s is no folder\n' "$repository" >&2
    exit 2
fi
if [ ! -d "$repository" ]; then
    printf 'git.log: %s is not there; was it granted? (fs.read:%s)\n' "$repository" "$repository" >&2
    exit 2
fi

# The job may run under another uid than the repository's owner: exactly this folder is declared safe, no other.
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$PWD/.gitconfig.$$
GIT_TERMINAL_PROMPT=0 GIT_OPTIONAL_LOCKS=0 GIT_NO_LAZY_FETCH=1 GIT_NO_REPLACE_OBJECTS=1
GIT_CEILING_DIRECTORIES=$(dirname "$repository")
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_TERMINAL_PROMPT GIT_OPTIONAL_LOCKS GIT_NO_LAZY_FETCH
export GIT_NO_REPLACE_OBJECTS GIT_CEILING_DIRECTORIES
git config --file "$GIT_CONFIG_GLOBAL" safe.directory "$repository" || exit 2

# What is left in "$@" are --path PAIRS; each becomes one argument after --.
count=$#
while [ "$count" -ge 2 ]; do
    path=$2
    shift 2
    set -- "$@" "$path"
    count=$((count - 2))
done
# The body is indented by one space, so that no line of it can be taken for one of ours.
format='commit %H%nparents %P%nauthor.name %an%nauthor.email %ae%nauthor.date %aI%n'
format=$format'committer.name %cn%ncommitter.email %ce%ncommitter.date %cI%nsubject %s%nbody%n%w(0,1,1)%b'
{
    git --no-pager -C "$repository" -c log.showSignature=false -c core.hooksPath=/dev/null -c core.fsmonitor=false \
        -c protocol.allow=never -c i18n.logOutputEncoding=UTF-8 \
        log --no-color --no-decorate --no-show-signature --no-ext-diff --no-textconv --no-notes --no-patch \
        --encoding=UTF-8 "--max-count=$max" ${since:+"--since=$since"} ${until:+"--until=$until"} \
        "--format=tformat:$format" --end-of-options "$revision" -- "$@" 2>"$errors"
    echo $? >"$status"
} | awk -f "$here/json.awk" -f "$here/log.awk"
case $(cat "$status") in
    0 | 141) ;;
    *)
        awk -v "repository=$repository" '
            { gsub(/[\001-\037\177]/, "?"); said = said (NR > 1 ? "; " : "") $0 }
            END {
                if (said ~ /bad revision .HEAD.$/) said = said " (has it any commit?)"
                print "git.log: " repository ": " substr(said, 1, 2000)
            }
        ' "$errors" >&2
        echo 2 >"$status"
        ;;
esac
rm -f "$GIT_CONFIG_GLOBAL"
exit "$(cat "$status")"
