#!/usr/bin/env bash
# Crowds of bad clients cost refbroker bounded memory and nobody else's time: thousands that say nothing, thousands that announce more than they send, and
# some that ask for everything and read nothing. Memory is what /proc says, in kB; sanitizers make everything larger.
# Runs alone: it takes nearly all files that a process may open, and others have to be served meanwhile.
. "$(dirname "$0")/common.sh"
plan 10
# As many as the broker lets in here (server.c: open files less a reserve), one of which is for the question whether others are served.
files=$(ulimit -Hn)
[ "$files" = unlimited ] && files=1048576
crowd_max=$((files > 5512 ? 5000 : files > 1024 ? files - 512 : files / 2 - 20))
factor=1
case $BUILD in *san*) factor=6 ;; esac
port=$(free_port)
start_refbroker a "$port"; ok "refbroker starts" $?
broker=$pid
rss() { awk '/^Rss:/{print $2}' "/proc/$broker/smaps_rollup"; }
mkfifo "$work/hold"

# crowd KIND COUNT KB_MAX [TOPIC]
crowd() {
    local before after
    before=$(rss)
    : > "$work/crowd"
    "$BUILD/tests/system/crowd" "$1" "$2" 127.0.0.1 "$port" "${@:4}" < "$work/hold" > "$work/crowd" 2> "$work/crowd.err" &
    exec 8> "$work/hold"
    wait_for 60 grep -q ready "$work/crowd"
    is "$1: $2 connections stand" "$(cat "$work/crowd" "$work/crowd.err")" "ready $2"
    # kcat by itself gives up after 5 s, which a broker with sanitizers may need to see thousands of connections off.
    timeout 20 kcat -m 15 -b "127.0.0.1:$port" -L > "$work/listed" 2>&1; ok "$1: others are served" $?
    after=$(rss)
    ok "$1: $(((after - before) / 1024)) MB more memory, at most $(($3 * factor / 1024))" $((after - before > $3 * factor))
    exec 8>&-
    wait $! 2> /dev/null
}
crowd idle "$crowd_max" 204800
crowd claims $((crowd_max < 1000 ? crowd_max : 1000)) 51200
head -c 45000000 /dev/urandom | base64 -w 1000 | kcat -b "127.0.0.1:$port" -P -t big 2> /dev/null
crowd reads-nothing 100 153600 big
