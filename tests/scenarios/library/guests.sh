# For scenarios with guests: `. /share/guests.sh` in dom0.

# What makes a Linux guest start sooner in an emulator: no self-tests, and programs that are always at the same addresses,
# so that an emulator that translates code translates them once.
guest_words='console=ttyS0 quiet panic=-1 norandmaps cryptomgr.notests initcall_blacklist=crypto_kdf108_init'

# linux NAME [LINE...] <COMMANDS: a domain file /root/NAME.toml for a stock Linux guest that runs
# COMMANDS (a short script) and powers off. Each LINE is added to the file as it is; the words in
# $kernel_words go to the guest's kernel.
linux() {
    name=$1
    shift
    {
        echo "name = '$name'"
        echo "kernel = '/usr/share/hypercube/guest/vmlinuz'"
        echo "initrd = '/usr/share/hypercube/guest/initrd'"
        echo "cmdline = '$guest_words ${kernel_words-} hypercube.exec=$(base64 | tr -d '\n')'"
        printf '%s\n' "$@"
    } >"/root/$name.toml"
}

# small NAME 'CASE [OPTION...]' [LINE...]: the same for a test guest.
small() {
    name=$1 case=$2
    shift 2
    {
        echo "name = '$name'"
        echo "kernel = '/usr/share/hypercube/testguest/testguest'"
        echo "cmdline = '$case'"
        printf '%s\n' "$@"
    } >"/root/$name.toml"
}

# run NAME SECONDS: creates the domain, prints its console, and says how it ended.
run() {
    cube create "/root/$1.toml" || return
    follow "$1" "$2" </dev/null
}

# follow NAME SECONDS: prints the console of a domain that was created, types its own input there, and says how it ended.
follow() {
    timeout "$2" cube console --replay 1048576 "$1"
    cube wait --timeout "$2" "$1"
}

# is_bochs: whether this is Bochs, where all CPUs share one thread of the host and less must do.
is_bochs() {
    cube --json info | grep -q '"backend":"vmx"'
}

# hundredths: hundredths of a second since dom0 started.
hundredths() {
    sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1\2/' /proc/uptime
}

# within SECONDS COMMAND...: tries until the command succeeds.
within() {
    end=$(($(hundredths) + $1 * 100))
    shift
    until "$@"; do
        [ "$(hundredths)" -lt $end ] || return 1
        sleep 0.2
    done
}

# listed NAME: whether the domain is there.
listed() {
    cube list | awk -v name="$1" '$2 == name { found = 1 } END { exit !found }'
}

# unlisted NAME: the contrary.
unlisted() {
    ! listed "$1"
}

# gone NAME...: waits until the domains are no longer there.
gone() {
    for name in "$@"; do
        within 20 unlisted "$name" || { echo "still there: $name"; return 1; }
    done
}

# printed NAME TEXT: whether the domain's console has had TEXT.
printed() {
    cube console --history "$1" 2>/dev/null | grep -aqF -e "$2"
}

# until_seen NAME TEXT SECONDS: waits for that; if it does not come, shows what the console had.
until_seen() {
    within "$3" printed "$1" "$2" && return
    echo "$1: no '$2' within $3 s; the end of its console:"
    cube console --history "$1" | tail -n 20
    return 1
}

# new_daemon SECONDS: kills cubed at once; so much later another one serves, with the same store.
new_daemon() {
    kill -9 "$(pidof cubed)"
    sleep "$1"
    store=$(sed -n 's/.*hypercube\.store=\([^ ]*\).*/\1/p' /proc/cmdline)
    cubed --daemon ${store:+--store "$store"} >>/var/log/cubed.log 2>&1 || { tail /var/log/cubed.log; return 1; }
}

# counters NAME COUNTER...: some of the domain's counters, a line each.
counters() {
    stats=$(cube --json stats "$1")
    shift
    for counter in "$@"; do echo "$counter $(echo "$stats" | member "$counter")"; done
}

# count NAME COUNTER: one of the domain's counters.
count() {
    cube --json stats "$1" | member "$2"
}

# member NAME: the first number with that name in the JSON that comes in.
member() {
    tr ',{}' '\n\n\n' | sed -n "s/^\"$1\":\([0-9]*\)$/\1/p" | head -n 1
}

# rises NAME COUNTER [FROM]: whether the counter is above FROM, or 0.
rises() {
    [ "$(count "$1" "$2")" -gt "${3:-0}" ] 2>/dev/null
}

# works NAME COUNTER [FROM]: waits until it rises, while the limit goes down and up: under one limit both kernels
# settle on the pages that they keep, and R1 to R3 become rare.
works() {
    for round in $(seq 20); do
        rises "$@" && return
        cube mem limit "$1" 60M && within 2 rises "$@"
        cube mem limit "$1" 92M && within 1 rises "$@" && return
    done
    echo "wrong: $2 stays at ${3:-0}"
}
