# Helpers of the system tests. A test sources this, calls plan, then ok or is for each claim.
# shellcheck shell=bash
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
# shellcheck source=../helpers.sh
. tests/helpers.sh
BUILD=${BUILD:-build}
kdl=$PWD/$BUILD/bin/kdl
refbroker=$PWD/$BUILD/bin/refbroker
work=$(mktemp -d)
count=0

# Only jobs of this shell that still run: the number of one that has ended may be somebody else's by now.
finish() {
    local pid
    for pid in $(jobs -pr); do kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT

plan() { echo "1..$1"; }

# ok TEXT CODE: a claim that holds where the code is 0.
ok() {
    count=$((count + 1))
    if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}

# is TEXT GOT WANTED
is() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '# got:    %s\n# wanted: %s\n' "$2" "$3"
    fi
}

# start_refbroker NAME PORT [FLAG...]: sets $pid; data in $work/NAME, output in $work/NAME.out.
start_refbroker() {
    local name=$1 port=$2
    shift 2
    : > "$work/$name.out"
    "$refbroker" --data "$work/$name" --listen "127.0.0.1:$port" "$@" >> "$work/$name.out" 2>&1 &
    pid=$!
    wait_for 60 grep -q ready "$work/$name.out" # a disk may stall
}
