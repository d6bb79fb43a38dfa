# For scenarios with guests: `. /share/guests.sh` in dom0.

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
        echo "cmdline = 'console=ttyS0 quiet panic=-1 ${kernel_words-} hypercube.exec=$(base64 | tr -d '\n')'"
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
    follow "$1" "$2"
}

# follow NAME SECONDS: prints the console of a domain that was created, and says how it ended.
follow() {
    timeout "$2" cube console --replay 1048576 "$1" </dev/null
    cube wait --timeout "$2" "$1"
}

# gone NAME...: waits until the domains are no longer listed.
gone() {
    for _ in $(seq 100); do
        for name in "$@"; do cube show "$name" >/dev/null 2>&1 && break; name=; done
        [ -z "$name" ] && return
        sleep 0.2
    done
    echo "still there: $*"
    return 1
}

# count NAME COUNTER: one of the domain's counters.
count() {
    cube --json stats "$1" | tr ',{}' '\n\n\n' | sed -n "s/^\"$2\":\([0-9]*\)$/\1/p" | head -n 1
}
