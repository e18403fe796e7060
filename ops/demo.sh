#!/bin/bash
# What dome is, in half a minute: lists tools, runs one over this repository, then kills -9 the daemon in the
# middle of a job and shows that its follower misses nothing. All state is private and removed at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
bin=$(readlink -f .build/release)
private=$(mktemp -d /tmp/dome-demo-XXXXXX)
mkdir -m 700 "$private"/{home,run,state,config,data}

export PATH=$bin:$PATH
export HOME=$private/home XDG_RUNTIME_DIR=$private/run XDG_STATE_HOME=$private/state
export XDG_CONFIG_HOME=$private/config XDG_DATA_HOME=$private/data
unset DOMED_ENDPOINT DBUS_SESSION_BUS_ADDRESS DOME_PLUGIN_PATH

# Processes that the demo started: they name the private directory in environment or command line.
ours() {
    local process
    for process in /proc/[0-9]*; do
        if grep -qsF "$private/" "$process/environ" "$process/cmdline"; then echo "${process#/proc/}"; fi
    done
}

daemon_pid() {
    local pid
    for pid in $(ours); do
        if [[ $(readlink "/proc/$pid/exe") == "$bin/domed" ]]; then echo "$pid"; fi
    done
}

finish() {
    local pid
    for pid in $(ours); do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$private"
}
trap finish EXIT

if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# A command as one would type it, then its output.
show() {
    local argument typed=
    for argument in "$@"; do
        if [[ $argument == *[!A-Za-z0-9_./:=-]* ]]; then argument="'$argument'"; fi
        typed+=" $argument"
    done
    printf '%s$%s%s\n' "$bold" "$typed" "$plain"
    "$@"
}
fail() {
    printf '\ndemo: %s\n' "$*" >&2
    exit 1
}

say "1. What can be run"
show dome tools

say "2. A tool over this repository, in a sandbox that sees nothing else of your files"
show dome run text.search --grant "fs.read:$repository" \
    --task "{\"pattern\": \"@Test func\", \"path\": \"$repository/Tests/Unit/Journal\", \"max_matches\": 8}"

say "3. kill -9 in the middle of a job"
lines=40 kill_at=12
# shellcheck disable=SC2016  # the job's shell expands it
script='i=0; while [ $i -lt '$lines' ]; do i=$((i + 1)); echo "line $i"; sleep 0.1; done'
job=$(dome run shell.run --detach -- /bin/sh -c "$script" | tail -n 1)
printf '%s$ dome logs %s --follow%s\n' "$bold" "$job" "$plain"
count=0
while IFS= read -r line; do
    count=$((count + 1))
    printf '  %s\n' "$line"
    [[ $line == "line $count" ]] || fail "a gap: expected 'line $count', got '$line'"
    if [[ $count -eq $kill_at ]]; then
        killed=$(daemon_pid)
        printf '%s$ kill -9 %s    # domed%s\n' "$bold" "$killed" "$plain"
        kill -9 "$killed"
    fi
done < <(dome logs "$job" --follow)
[[ $count -eq $lines ]] || fail "the follower saw $count of $lines lines"
now=$(daemon_pid)
[[ -n $now && $now != "$killed" ]] || fail "no new daemon took over (was $killed, is ${now:-none})"
echo "  all $lines lines, none missing, none twice: the job never noticed that domed $killed died; domed $now took over"

say "4. The record of that job"
show dome job show "$job"
