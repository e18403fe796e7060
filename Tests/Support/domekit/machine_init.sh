#!/bin/sh
# The first program of a throw-away machine (machine.py): makes a root of its own over a copy-on-write view of the
# files that it finds, with nothing in it that this host happens to have switched on, and becomes systemd.
#
#   machine_init.sh FOLDER USER UID PROJECT FILES
#
# FOLDER is shared with the outside: the installed tree and the command come in; console, output and status go out.
# USER is made, with a service manager that needs no login. PROJECT is to be found at the same place, read-only.
# FILES is what the machine's own are a view of: / for this host's.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
shared=$1 user=$2 uid=$3 project=$4 files=$5

mkdir "$shared/root"
mount -t tmpfs -o mode=755,size=75% machine "$shared/root"
mkdir "$shared/root/upper" "$shared/root/work" "$shared/root/whole"
cd "$shared/root/whole"
mount -t overlay -o "lowerdir=$files,upperdir=$shared/root/upper,workdir=$shared/root/work" machine .
cd "$shared/root/whole"

mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid devices dev
mkdir dev/pts dev/shm
for name in null zero full random urandom tty; do
    : >"dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "dev/${number#*:}"; done
: >dev/console
mount --bind "$shared/console" dev/console
mount -t tmpfs -o mode=755,nosuid,nodev run run
mount -t tmpfs -o mode=1777,nosuid,nodev tmp tmp
mkdir run/machine
mount --bind "$shared" run/machine
# The project may lie on a file system of its own, or below /tmp.
mkdir -p ".$project"
mount --rbind "$project" ".$project"
mount -o remount,bind,ro ".$project"
[ ! -d "$shared/tree" ] || cp -a "$shared/tree/usr/local/." usr/local/

rm -rf etc/systemd/system etc/systemd/user var/log/journal
mkdir -p etc/systemd/system etc/systemd/user var/lib/systemd/linger
: >etc/fstab
tr -d - <proc/sys/kernel/random/uuid >etc/machine-id
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >etc/systemd/journald.conf
for unit in systemd-networkd systemd-resolved systemd-timesyncd systemd-udevd systemd-udev-trigger; do
    ln -s /dev/null "etc/systemd/system/$unit.service"
done
printf '%s:x:%s:%s::/home/%s:/bin/sh\n' "$user" "$uid" "$uid" "$user" >>etc/passwd
printf '%s:x:%s:\n' "$user" "$uid" >>etc/group
printf '%s:*:19000:0:99999:7:::\n' "$user" >>etc/shadow
install -d -m 700 -o "$uid" -g "$uid" "home/$user"
: >"var/lib/systemd/linger/$user"
cat >etc/systemd/system/machine.target <<END
[Unit]
Requires=dbus.socket
Wants=systemd-journald.service systemd-logind.service user@$uid.service command.service
After=dbus.socket
END
cat >etc/systemd/system/command.service <<END
[Unit]
Requires=user@$uid.service
After=user@$uid.service systemd-logind.service
[Service]
Type=oneshot
ExecStart=/bin/sh /run/machine/command
StandardOutput=append:/run/machine/output
StandardError=inherit
ExecStopPost=/bin/sh -c 'echo \$EXIT_STATUS >/run/machine/status.new; mv /run/machine/status.new /run/machine/status'
END

mkdir -p mnt
pivot_root . mnt
umount -l /mnt
# A container to systemd, so that it leaves alone what is not this machine's: clock, kernel settings, devices.
exec chroot . /usr/bin/env -i PATH="$PATH" LANG=C.UTF-8 container=dome \
    /lib/systemd/systemd --unit=machine.target --log-target=console </dev/null >/dev/console 2>&1
