# For measurements in dom0: `. /share/measure.sh`.

# now: milliseconds since the kernel started, in steps of 10.
now() {
    sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1\20/' /proc/uptime
}

# until_up NAME START: reads a guest's console; a line of JSON with the time from START to the end of
# the guest's (empty) commands. Reads on to the end: a monitor whose output is not taken may hang.
until_up() {
    up=
    while read -r line; do
        case $line in
        *'guest: commands ended'*)
            up=yes
            echo "{\"benchmark\":\"$1\",\"value\":$(($(now) - $2))}"
            ;;
        esac
    done
    [ -n "$up" ] || echo "until_up: the guest's console ended early" >&2
    [ -n "$up" ]
}
