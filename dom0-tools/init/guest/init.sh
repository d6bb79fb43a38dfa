#!/bin/sh
# The first program of a stock Linux guest: drivers, then a root shell on the console, or the
# commands of `hypercube.exec=BASE64` on the kernel's command line, or the script /exec of the
# first disk that has one; their end powers the guest off. Needs busybox only.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root TERM=vt100 PS1='guest:\w# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
while read -r module; do insmod "$module"; done </lib/modules/load.list
# The power button powers off: acpid runs what is in /etc/acpi/PWRF.
acpid

console=/dev/ttyS0
[ -c /dev/hvc0 ] && console=/dev/hvc0

finish() {
    echo "guest: commands ended with status $1"
    sync
    poweroff -f
}

run_script_of_disk() {
    for disk in /dev/vd?; do
        [ -b "$disk" ] || continue
        mount -o ro "$disk" /mnt 2>/dev/null || continue
        [ -f /mnt/exec ] && { sh /mnt/exec; finish $?; }
        umount /mnt
    done
}

cd /root
exec <"$console" >"$console" 2>&1
for word in $(cat /proc/cmdline); do
    case $word in
    hypercube.exec=*)
        echo "${word#hypercube.exec=}" | base64 -d >/run/exec
        sh /run/exec
        finish $?
        ;;
    esac
done
run_script_of_disk
setsid -c sh -l
poweroff -f
