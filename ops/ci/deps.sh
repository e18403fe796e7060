#!/bin/bash
# deps.sh GROUP…: sees to it that everything in these groups of packages.txt is there, and installs what is
# not. Group `venv` is the Python virtual environment .venv with requirements.txt in it, group `venv-bench` that
# of programs which are only measured and want other versions, build/bench/venv with requirements-bench.txt.
#
# `make` calls this before everything else, so finding all in place must cost next to nothing (no process
# but one pkg-config). Each item is probed for real each time: a stamp alone would not notice that
# somebody removed a package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf 'deps: %s\n' "$*" >&2; }
die() {
    say "$@"
    exit 1
}

has_library() {
    local directory
    for directory in /usr/lib /usr/lib64 /lib /lib64 /usr/local/lib /usr/lib/*-linux-gnu* /lib/*-linux-gnu*; do
        [[ -e $directory/$1 ]] && return 0
    done
    return 1
}

# All pkg-config modules of a run are asked for at once: starting it is most of the fast path's cost.
modules_ok=
has_module() {
    [[ $modules_ok == yes ]] && return 0
    command -v pkg-config >/dev/null && pkg-config --exists "$1"
}

present() {
    local kind=${1%%:*} name=${1#*:}
    case $kind in
    command) command -v "$name" >/dev/null ;;
    pc) has_module "$name" ;;
    lib) has_library "$name" ;;
    file) [[ -e $name ]] ;;
    *) die "packages.txt: unknown probe $1" ;;
    esac
}

# This machine's, in Debian's words; from the shell itself, because a process costs more than the whole fast path.
case $HOSTTYPE in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) architecture=$HOSTTYPE ;;
esac

# The distribution, likewise.
distribution=
if [[ -r /etc/os-release ]]; then
    while IFS='=' read -r name value; do
        if [[ $name == ID ]]; then distribution=${value//\"/}; fi
    done </etc/os-release
fi

# Fills `missing` with the packages of the groups given that are not there.
missing=()
find_missing() {
    local wanted=" $* " group probe package only modules=() rows=()
    while read -r group probe package only; do
        [[ -z $group || $group == \#* || $wanted != *" $group "* ]] && continue
        [[ -z $only || $only == "$architecture" || $only == "$distribution" ]] || continue
        rows+=("$probe $package")
        [[ $probe == pc:* ]] && modules+=("${probe#pc:}")
    done <ops/ci/packages.txt
    missing=()
    modules_ok=
    if [[ ${#modules[@]} -gt 0 ]] && command -v pkg-config >/dev/null && pkg-config --exists "${modules[@]}"; then
        modules_ok=yes
    fi
    local row
    for row in "${rows[@]}"; do
        package=${row#* }
        if ! present "${row% *}" && [[ " ${missing[*]-} " != *" $package "* ]]; then missing+=("$package"); fi
    done
}

# Installs Debian packages, as root or through `sudo -n`; says what to type where neither is possible.
install_packages() {
    command -v apt-get >/dev/null \
        || die "missing: $*. There is no apt-get here; install your system's packages of these and try again."
    local as_root=()
    if [[ $EUID -ne 0 ]]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root=(sudo -n)
        else
            die "missing: $*
deps: this needs root, and sudo without a password is not to be had. Run
deps:     sudo apt-get update && sudo apt-get install -y --no-install-recommends $*
deps: once, then try again."
        fi
    fi
    say "installing $*"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
    # A stale or empty package index is the usual reason for a failure, but refreshing a good one is slow.
    if ! "${apt[@]}" install -y -q --no-install-recommends "$@"; then
        say "refreshing the package index"
        "${apt[@]}" update -q || say "the index could not be refreshed; trying all the same"
        "${apt[@]}" install -y -q --no-install-recommends "$@" \
            || die "apt-get could not install $*; on Ubuntu, enable 'universe' (add-apt-repository universe)"
    fi
}

ensure_packages() {
    find_missing "$@"
    [[ ${#missing[@]} -eq 0 ]] && return
    install_packages "${missing[@]}"
    hash -r
    find_missing "$@"
    [[ ${#missing[@]} -eq 0 ]] || die "installed, yet still not found: ${missing[*]} (probes: ops/ci/packages.txt)"
}

# venv_is_current FOLDER LIST: true when the folder holds exactly what the list asks for: same list as when it was
# filled, an interpreter that is still there, and every distribution in its place.
venv_is_current() {
    local venv=$1 list=$2
    [[ -x $venv/bin/python && -f $venv/requirements.stamp ]] || return 1
    [[ $(<"$venv/requirements.stamp") == "$(<"$list")" ]] || return 1
    local line name
    while read -r line; do
        [[ -z $line || $line == \#* ]] && continue
        name=${line%%==*}
        # Folders are named with any of these, after the version of what built the wheel.
        name=${name//[-._]/?}
        compgen -G "$venv/lib/python3*/site-packages/${name,,}-${line##*==}.dist-info" >/dev/null || return 1
    done <"$list"
}

# The first Python that can make a virtual environment: $PYTHON, the one in PATH (pyenv's, say), Debian's.
find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 /usr/bin/python3; do
        [[ -n $candidate ]] || continue
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# ensure_venv FOLDER LIST
ensure_venv() {
    local venv=$1 list=$2 python
    venv_is_current "$venv" "$list" && return
    if ! python=$(find_python); then
        install_packages python3 python3-venv
        python=$(find_python) || die "no python3 (3.10 or later) with the venv module; set PYTHON=/path/to/python3"
    fi
    say "making $venv with $python"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: -r "$list" \
        || die "pip could not fill $venv (see above); the list is $list"
    # Last, so that an interrupted run starts over.
    cp "$list" "$venv/requirements.stamp"
    venv_is_current "$venv" "$list" || die "$venv was filled, yet does not look as $list says"
}

groups=()
venv=
venv_bench=
for group in "$@"; do
    case $group in
    venv) venv=yes ;;
    venv-bench) venv_bench=yes ;;
    *) groups+=("$group") ;;
    esac
done
command -v "${SWIFT:-swift}" >/dev/null \
    || die "no 'swift' in PATH. Install Swift 6.3 or later: https://www.swift.org/install/linux/"
[[ ${#groups[@]} -eq 0 ]] || ensure_packages "${groups[@]}"
[[ -z $venv ]] || ensure_venv .venv ops/ci/requirements.txt
[[ -z $venv_bench ]] || ensure_venv build/bench/venv ops/ci/requirements-bench.txt
