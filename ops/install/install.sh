#!/bin/bash
# install.sh BIN DESTDIR PREFIX: installs what `make build` left beside BIN as a tree that runs from
# anywhere: programs find plugins and registry relative to themselves; only the systemd units
# and the AppArmor profile name PREFIX.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bin=$1 root=$2$3 prefix=$3
# For every user, whatever the umask of who installs and of who checked out.
umask 022
built=$(readlink -f "$bin")/..

# put MODE FROM TO: one file, replaced by rename, because a running daemon may have it mapped.
put() {
    mkdir -p "$(dirname "$3")"
    install -m "$1" "$2" "$3.new.$$"
    mv -f "$3.new.$$" "$3"
}

for program in $PROGRAMS; do
    put 755 "$bin/$program" "$root/bin/$program"
done

put 755 "$built/lib/dome/domed-jail" "$root/lib/dome/domed-jail"
put 755 "$built/lib/dome/domed-plugin-probe" "$root/lib/dome/domed-plugin-probe"

for plugin in "$built"/lib/dome/plugins/*/; do
    [[ -d $plugin ]] || continue
    name=$(basename "$plugin")
    put 755 "$plugin/lib$name.so" "$root/lib/dome/plugins/$name/lib$name.so"
    put 644 "$plugin/plugin.json" "$root/lib/dome/plugins/$name/plugin.json"
done

ops/install/sync.sh "$built/share/dome/registry" "$root/share/dome/registry"
ops/install/sync.sh "$built/share/dome/templates" "$root/share/dome/templates"

# For 'dome service install' where this prefix is none that systemd looks in, and for other stages.
ops/install/sync.sh ops/systemd/user "$root/share/dome/systemd"

ops/install/headers.sh "$root"

filled=$(mktemp -d)
trap 'rm -rf "$filled"' EXIT
for unit in ops/systemd/user/*.in; do
    name=$(basename "$unit" .in)
    sed -e "s|@BINDIR@|$prefix/bin|g" -e "s|@STAGE@|prod|g" -e "s|@SUFFIX@||g" "$unit" >"$filled/$name"
    put 644 "$filled/$name" "$root/lib/systemd/user/$name"
done

sed -e "s|@PREFIX@|$prefix|g" ops/apparmor/dome.in >"$filled/apparmor"
put 644 "$filled/apparmor" "$root/share/dome/apparmor/dome"

for page in docs/man/*.[1-8]; do
    [[ -f $page ]] || continue
    section=${page##*.}
    put 644 "$page" "$root/share/man/man$section/$(basename "$page")"
done

# completion SHELL TO: what `dome completions SHELL` prints, where this dome can.
completion() {
    if "$bin/dome" completions "$1" >"$filled/completion" 2>/dev/null && [[ -s $filled/completion ]]; then
        put 644 "$filled/completion" "$root/share/$2"
    else
        echo "install: dome prints no $1 completions; none installed" >&2
    fi
}
completion bash bash-completion/completions/dome
completion zsh zsh/site-functions/_dome
completion fish fish/vendor_completions.d/dome.fish

echo "installed dome in $root"
if [[ $(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null) == 1 ]]; then
    profile=/etc/apparmor.d/dome
    echo "this system restricts user namespaces; to let dome make them, run"
    echo "  sudo install -m 644 $prefix/share/dome/apparmor/dome $profile && sudo apparmor_parser -r $profile"
fi
