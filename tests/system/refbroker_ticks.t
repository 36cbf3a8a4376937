#!/usr/bin/env bash
# The core's thread answers everybody: a tick of it stays below 2 ms of CPU time while producers send it batches of 1 MB that have to be decompressed, or compressed anew. Validated on that thread every request would be such a tick; a few are allowed, which page faults cost, and two bad rounds out of three, which a noisy machine costs: nothing makes a round of a core good that validates by itself.
# Runs alone: it measures ticks of 2 ms, and what page faults cost is little only where a processor is free.
. "$(dirname "$0")/common.sh"
plan 9
port=$(free_port) http=$(free_port)
metric() {
    exec 3<> "/dev/tcp/127.0.0.1/$http"
    printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    awk -v name="kdl_$1" '$1 == name { print $2 + 0 }' <&3
    exec 3>&-
}

grep -q __asan_init "$refbroker" && sanitized=1 || sanitized=

start_refbroker one "$port" --http "127.0.0.1:$http" --set kdl.commit.interval.ms=20

# round NAME CODEC: one load; all batches go by a lane, and few ticks are long.
round() {
    local name=$1 codec=$2 requests long lane batches
    requests=$(metric requests_total) long=$(metric ticks_over_2ms_total) lane=$(metric produce_lane_batches_total) batches=$(metric produce_batches_total)
    "$BUILD/tests/bench/raw_load" 127.0.0.1 "$port" "$name" 4 1000000 2 2 2 "$pid" "$codec" > "$work/load" || acknowledged=1
    requests=$(($(metric requests_total) - requests)) long=$(($(metric ticks_over_2ms_total) - long))
    lane=$(($(metric produce_lane_batches_total) - lane)) batches=$(($(metric produce_batches_total) - batches))
    echo "# $name: $requests requests, $batches batches, $lane of them by a lane; $long ticks over 2 ms, the longest $(metric tick_us_max) µs"
    # Sanitizers make everything slower by a factor of their own: only that lanes are used is judged then.
    [ -n "$sanitized" ] && long=0
    [ "$lane" -eq "$batches" ] || by_lane=1
    [ "$requests" -ge 20 ] && [ "$long" -le $((requests / 20)) ]
}

# claim NAME CODEC [CONFIG]
claim() {
    local short=1 acknowledged=0 by_lane=0
    "$kdl" topic create "$1" -b "127.0.0.1:$port" -p 4 ${3:+--config "$3"} > /dev/null
    for _ in 1 2 3; do
        round "$1" "$2" && short=0 && break
    done
    ok "$1: every batch is acknowledged" $acknowledged
    ok "$1: every batch goes by a lane" $by_lane
    ok "$1: ticks are short" $short
}
claim zstd zstd
claim recompressed none compression.type=lz4
claim coordinated zstd diskless.enable=true
