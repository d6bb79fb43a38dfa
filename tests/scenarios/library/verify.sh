# Commands for a guest with a file system on its first disk and nothing on its second, which becomes its
# swap area: until a line comes on its console, and at least twice, it fills files, in memory and on the disk,
# beside a program that cycles through memory, and compares all of it.
echo 0 >/proc/sys/vm/page-cluster
mkswap /dev/vdb >/dev/null && swapon /dev/vdb && mount /dev/vda /mnt || exit 1
(read -r line && : >/run/enough) </dev/hvc0 &
{
    until [ -e /run/enough ]; do workload 80 5 || exit; done >/run/workload
} &
same() { [ "$(sha256sum <"$1")" = "$sum" ] || { echo "guest: $1 differs"; exit 1; }; }
round=0
while kill -0 $! 2>/dev/null || [ $round -lt 2 ]; do
    round=$((round + 1))
    head -c 6543210 /dev/urandom >/tmp/data
    sum=$(sha256sum </tmp/data)
    cp /tmp/data /mnt/$((round % 4)) && echo "$sum" >/mnt/$((round % 4)).sum && sync || exit 1
    echo 3 >/proc/sys/vm/drop_caches
    same /tmp/data && same /mnt/$((round % 4))
    echo "guest: round $round is the same"
done
wait $!
status=$?
tail -n 1 /run/workload
umount /mnt && exit $status
