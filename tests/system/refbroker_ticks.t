#!/usr/bin/env bash
# The core's thread answers everybody: a tick of it stays below 2 ms of CPU time while producers send it batches of 1 MB that have to be decompressed, or compressed anew. Validated on that thread every request would be such a tick; a few are allowed, which page faults cost.
. "$(dirname "$0")/common.sh"
plan 6
port=$(free_port) http=$(free_port)
metric() {
    exec 3<> "/dev/tcp/127.0.0.1/$http"
    printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    awk -v name="kdl_$1" '$1 == name { print $2 + 0 }' <&3
    exec 3>&-
}

grep -q __asan_init "$refbroker" && sanitized=1 || sanitized=

start_refbroker one "$port" --http "127.0.0.1:$http" --set kdl.commit.interval.ms=20

# claim NAME CODEC [CONFIG]: one load; most batches go by a lane, and few ticks are long.
claim() {
    local name=$1 codec=$2 requests long lane batches
    "$kdl" topic create "$name" -b "127.0.0.1:$port" -p 4 ${3:+--config "$3"} > /dev/null
    requests=$(metric requests_total) long=$(metric ticks_over_2ms_total) lane=$(metric produce_lane_batches_total) batches=$(metric produce_batches_total)
    "$BUILD/tests/bench/raw_load" 127.0.0.1 "$port" "$name" 4 1000000 2 2 2 "$pid" "$codec" > "$work/load"
    ok "$name: every batch is acknowledged" $?
    requests=$(($(metric requests_total) - requests)) long=$(($(metric ticks_over_2ms_total) - long))
    lane=$(($(metric produce_lane_batches_total) - lane)) batches=$(($(metric produce_batches_total) - batches))
    echo "# $name: $requests requests, $batches batches, $lane of them by a lane; $long ticks over 2 ms, the longest $(metric tick_us_max) µs"
    # Sanitizers make everything slower by a factor of their own: only that lanes are used is judged then.
    [ -n "$sanitized" ] && long=0
    [ "$requests" -ge 20 ] && [ "$lane" -eq "$batches" ] && [ "$long" -le $((requests / 20)) ]
    ok "$name: ticks are short" $?
}
claim zstd zstd
claim recompressed none compression.type=lz4
claim coordinated zstd diskless.enable=true
