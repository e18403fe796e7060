#!/bin/sh
# What a user does with a release, on a system that has nothing else (test_release_roots.py boots it, offline; apt has
# what the package needs in its cache): the package installed, a job under a restart, an upgrade under another, the
# package purged, the tarball used where it is unpacked.
#
#   release_root.sh RELEASE USER UID
set -eu
release=$1 user=$2 uid=$3
home=/home/$user
export LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive

fail() {
    echo "FAILED: $*"
    journalctl --no-pager --output=short-precise "_UID=$uid" | tail -n 40
    exit 1
}

as_user() {
    (cd "$home" && exec setpriv --reuid "$uid" --regid "$uid" --clear-groups env -i HOME="$home" USER="$user" \
        PATH=/usr/bin:/bin LANG=C.UTF-8 XDG_RUNTIME_DIR="/run/user/$uid" \
        DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@")
}

# expect WHAT EXPECTED FOUND
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

# within WHAT COMMAND…: waits up to a minute for the command to succeed.
within() {
    what=$1
    shift
    for _ in $(seq 600); do
        if "$@"; then return; fi
        sleep 0.1
    done
    fail "not within a minute: $what"
}

# Everything on the system's own file system that is called so.
of_dome() { find / -xdev -iname '*dome*' | sort; }

lines_in() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# followed_across DOME COMMAND…: a job's follower sees every line once while the command is carried out.
followed_across() {
    dome=$1
    shift
    # shellcheck disable=SC2016 # for the job's shell
    job=$(as_user "$dome" run shell.run --detach -- sh -c 'for i in $(seq 30); do echo $i; sleep 0.2; done')
    as_user "$dome" logs -f "$job" >/tmp/followed &
    follower=$!
    within "the job writes" lines_in /tmp/followed 3
    lines_in /tmp/followed 30 && fail "the job was over before anything happened"
    "$@" || fail "$*"
    wait "$follower" || fail "the follower of $job ended with $?"
    expect "the lines of $job" "$(seq 30)" "$(cat /tmp/followed)"
}

upgrade() {
    apt-get install -y /tmp/newer.deb >/tmp/apt.log 2>&1 || fail "upgrade: $(cat /tmp/apt.log)"
    as_user dome service restart
}

of_dome >/tmp/before

echo "== libraries"
mkdir /tmp/tree
tar -xzf "$release"/domed-*.tar.gz -C /tmp/tree
missing=$(ldd /tmp/tree/*/bin/* | sed -n 's/^[[:space:]]*\(.*\) => not found/\1/p' | sort -u)
echo "not here: ${missing:-none}"
[ "$(echo "$missing" | wc -w)" -le 3 ] || fail "more than three libraries are missing"
rm -rf /tmp/tree

echo "== install"
apt-get install -y "$release"/dome_*.deb >/tmp/apt.log 2>&1 || fail "install: $(cat /tmp/apt.log)"
as_user systemctl --user start domed || fail "start"
expect "a job" hello "$(as_user dome run shell.run -- echo hello)"
pid=$(as_user systemctl --user show --value --property MainPID domed)
expect "the program" /usr/bin/domed "$(readlink "/proc/$pid/exe")"

echo "== restart"
followed_across dome as_user systemctl --user restart domed
[ "$(as_user systemctl --user show --value --property MainPID domed)" != "$pid" ] || fail "it is the same process"

echo "== doctor"
as_user dome doctor || fail "dome doctor"
as_user dome status || fail "dome status"

echo "== verify"
as_user dome release verify "$release/daemons-release-manifest.json" --key "$release/release-key.pub" || fail "verify"

echo "== upgrade"
dpkg-deb -R "$release"/dome_*.deb /tmp/newer
sed -i 's/^Version: /Version: 1:/' /tmp/newer/DEBIAN/control
dpkg-deb --root-owner-group -Znone -b /tmp/newer /tmp/newer.deb >/dev/null
followed_across dome upgrade
pid=$(as_user systemctl --user show --value --property MainPID domed)
expect "the program" /usr/bin/domed "$(readlink "/proc/$pid/exe")"

echo "== purge"
as_user dome service uninstall || fail "dome service uninstall"
apt-get purge -y dome >/tmp/apt.log 2>&1 || fail "purge: $(cat /tmp/apt.log)"
rm -rf "$home/.local/state/dome" "$home/.config/dome" "$home/.local/share/dome"
of_dome >/tmp/after
diff /tmp/before /tmp/after || fail "the purge left something"
none_runs() { ! grep -qs '^dome' /proc/[0-9]*/comm; }
within "no process of dome is left" none_runs

echo "== tarball"
tar -xzf "$release"/domed-*.tar.gz -C "$home" --no-same-owner
chown -R "$uid:$uid" "$home"
dome=$(echo "$home"/domed-*/bin/dome)
as_user "$dome" status || fail "dome status"
expect "a job" hello "$(as_user "$dome" run shell.run -- echo hello)"
as_user "$dome" service install || fail "dome service install"
followed_across "$dome" as_user "$dome" service restart
as_user "$dome" service uninstall || fail "dome service uninstall"

echo "all is well"
