# shellcheck shell=bash disable=SC2154 # its variables are common.sh's
# Sourced by bench_broker: what brokers take, raw and from librdkafka, for seconds and for as long as it has to last; small requests of many connections.
steady_seconds=${STEADY_SECONDS:-60}
small_bytes=1024 small_connections=32
wal="refbroker, wal topic" flushed="Kafka 4.3.1, flush.messages=1" default="Kafka 4.3.1, its default"

# What lasts would fill the disk: both brokers keep 2 GiB, in segments of 16 MiB, and remove the rest within seconds.
steady_topic=(retention.bytes=33554432 segment.bytes=16777216)
steady_refbroker=(--set log.retention.check.interval.ms=5000 --set kdl.garbage.check.ms=1000 --set kdl.garbage.grace.ms=2000)
steady_kafka=(--prop log.retention.check.interval.ms=5000 --prop log.initial.task.delay.ms=1000)

# watch_backlog NAME PID: while that process runs, once a second: seconds, bytes appended, bytes that lie in no object; to $work/backlog.
watch_backlog() {
    local began
    began=$(date +%s%N)
    : >"$work/backlog"
    while kill -0 "$2" 2>/dev/null; do
        curl -sf "http://${http[$1]}/metrics" | awk -v ns=$(($(date +%s%N) - began)) '
            $1 == "kdl_produce_bytes_total" { appended = $2 }
            $1 == "kdl_uncommitted_bytes" { waiting = $2 }
            END { if (appended != "") print ns / 1e9, appended, waiting }' >>"$work/backlog"
        pause 1
    done
}
# backlog_figures SECTION SIDE SECONDS: means of the second and the last quarter of a load of so many seconds, behind its warm-up; and what came into objects per
# second between its first and its last sample.
backlog_figures() {
    awk -v seconds="$3" -v warm=2 -v OFS='\t' '
        { t = $1 - warm }
        t >= seconds / 4 && t < seconds / 2 { half += $3; halves++ }
        t >= seconds * 3 / 4 && t < seconds { end += $3; ends++ }
        t >= 0 && t < seconds { if (first == "") { first = t; stored = $2 - $3 }; last = t; stored_last = $2 - $3 }
        END {
            if (halves == 0 || ends == 0 || last <= first) exit 1
            print "backlog, half", "MB", half / halves / 1e6
            print "backlog, end", "MB", end / ends / 1e6
            print "growth", "MB", end / ends / 1e6 - half / halves / 1e6
            print "into objects", "MB/s", (stored_last - stored) / (last - first) / 1e6
        }' "$work/backlog" | figures "$1" "$2" D2 || void "too few samples of the backlog"
}

# lasting_load SECTION SIDE DURABILITY CONNECTIONS IN-FLIGHT SECONDS NAME [CODEC]: into the topic load of the broker at address, pid; NAME is a refbroker's, or "".
lasting_load() {
    local loader
    "$bench/raw_load" "${address%:*}" "${address#*:}" load "$partitions" "$batch_bytes" "$4" "$5" "$6" "$pid" ${8:+"$8"} >"$work/load" &
    loader=$!
    [ -z "$7" ] || watch_backlog "$7" $loader
    wait $loader || void "produce to $2"
    figures "$1" "$2" "$3" <"$work/load"
    [ -z "$7" ] || backlog_figures "$1" "$2" "$6"
}
steady_load() { # SECTION [CODEC]: each broker once
    say "$steady_seconds s each"
    refbroker_start steady "${steady_refbroker[@]}"
    topic_create "$address" load "$partitions" "${steady_topic[@]}"
    lasting_load "$1" "$wal" D2 "$connections" "$in_flight" "$steady_seconds" steady ${2:+"$2"}
    refbroker_end steady
    kafka_start steady-kafka "${steady_kafka[@]}"
    kafka_warm
    topic_create "$address" load "$partitions" "${steady_topic[@]}" file.delete.delay.ms=1000
    lasting_load "$1" "$default" D1 "$connections" "$in_flight" "$steady_seconds" "" ${2:+"$2"}
    kafka_end steady-kafka
}

# user_load SECTION SIDE DURABILITY ADDRESS TOPIC PID [CODEC]
user_load() {
    "$bench/rdkafka_load" produce "$4" "$5" "$partitions" "$seconds" "$6" ${7:+"$7"} >"$work/load" || void "librdkafka into $2"
    figures "$1" "$2" "$3" <"$work/load"
}
user_loads() { # SECTION [CODEC]
    refbroker_start user
    topic_create "$address" load "$partitions"
    user_load "$1" "$wal" D2 "$address" load "$pid" ${2:+"$2"}
    refbroker_end user
    topic_create "$kafka_address" user "$partitions" file.delete.delay.ms=1000
    user_load "$1" "$default" D1 "$kafka_address" user "$kafka_pid" ${2:+"$2"}
    topic_delete "$kafka_address" user
}

section_produce() {
    local i kafka_address kafka_pid codec
    about_bare
    about_load produce ""
    about_load zstd ", zstd (MB and GB of compressed bytes)"
    for codec in "" -zstd; do
        line about "user$codec" "produce by librdkafka${codec:+, zstd (MB and GB before compression)}: records of 1,000 bytes, $partitions partitions, one producer, its defaults" \
            "tests/bench/rdkafka_load: each record delivered, $seconds s; latency: rd_kafka_message_latency; CPU: of the broker process until it is idle again, and of the client (getrusage)"
        line about "steady$codec" "produce${codec:+, zstd (MB and GB of compressed bytes)}, the same load for $steady_seconds s" \
            "tests/bench/raw_load, $steady_seconds s after 2 s of warm-up, one run; backlog: kdl_uncommitted_bytes of /metrics, once a second, means of the second and the last quarter; both brokers keep 2 GiB of the topic (retention.bytes) and look each 5 s for what is to go"
    done
    kafka_start produce
    kafka_address=$address kafka_pid=$pid
    kafka_warm
    for ((i = 0; i < rounds; i++)); do
        say "produce, round $((i + 1)) of $rounds"
        bare_appends
        refbroker_load produce "$wal"
        kafka_load produce "$flushed" D2 "$kafka_address" "$kafka_pid"
        kafka_load produce "$default" D1 "$kafka_address" "$kafka_pid"
        refbroker_load zstd "$wal" zstd
        kafka_load zstd "$default" D1 "$kafka_address" "$kafka_pid" zstd
        user_loads user
        user_loads user-zstd zstd
    done
    kafka_end produce
    steady_load steady
    steady_load steady-zstd zstd
    line ratio "produce, D2: refbroker's MB/s / Kafka's" produce throughput "$wal" "$flushed" 25 min
    against_default produce produce
    against_default "produce, zstd" zstd
    against_default "$steady_seconds s" steady
    against_default "$steady_seconds s, zstd" steady-zstd
    line limit "$steady_seconds s: growth of refbroker's backlog, MB" steady growth "$wal" 26 ""
    line limit "$steady_seconds s, zstd: growth of refbroker's backlog, MB" steady-zstd growth "$wal" 26 ""
    line ratio "librdkafka: refbroker's MB/s (D2) / Kafka's (D1)" user throughput "$wal" "$default" "" ""
    line ratio "librdkafka, zstd: refbroker's MB/s (D2) / Kafka's (D1)" user-zstd throughput "$wal" "$default" "" ""
}
against_default() { # WHAT SECTION
    line ratio "$1: refbroker's MB/s (D2) / Kafka's by default (D1)" "$2" throughput "$wal" "$default" 2 min
    line ratio "$1: CPU to the ack, Kafka's (D1) / refbroker's" "$2" "CPU to the ack" "$default" "$wal" 10 min
    line ratio "$1: CPU with the upload, Kafka's (D1) / refbroker's" "$2" CPU "$default" "$wal" 5 min
}

# small_load SIDE DURABILITY ADDRESS TOPIC PID
small_load() {
    "$bench/raw_load" -s "${3%:*}" "${3#*:}" "$4" "$partitions" $small_bytes $small_connections 1 "$seconds" "$5" >"$work/load" || void "small requests to $1"
    figures small "$1" "$2" <"$work/load"
}
small_kafka() { # SIDE DURABILITY
    topic_create "$kafka_address" "small-$2" "$partitions" "flush.messages=$(kafka_flush "$2")" file.delete.delay.ms=1000
    small_load "$1" "$2" "$kafka_address" "small-$2" "$kafka_pid"
    topic_delete "$kafka_address" "small-$2"
}
section_small() {
    local i kafka_address kafka_pid bare="bare group commit, 32 writers"
    line about small "produce, acks=all: requests of $small_bytes bytes, one batch of one record each, $small_connections connections with a partition each, $rounds interleaved rounds" \
        "tests/bench/raw_load -s, every ack checked, $seconds s after 2 s of warm-up; bare group commit: tests/bench/bare_group, threads and no network, O_DIRECT and O_DSYNC into a file that was written before"
    kafka_start small
    kafka_address=$address kafka_pid=$pid
    kafka_warm
    for ((i = 0; i < rounds; i++)); do
        say "small requests, round $((i + 1)) of $rounds"
        disk_settle
        "$bench/bare_group" "$work/bare" $small_connections $small_bytes "$seconds" >"$work/load" || void "bare group commit"
        figures small "$bare" D2 <"$work/load"
        refbroker_start small-refbroker
        topic_create "$address" small "$partitions"
        small_load "$wal" D2 "$address" small "$pid"
        refbroker_end small-refbroker
        small_kafka "$flushed" D2
        small_kafka "$default" D1
    done
    kafka_end small
    line ratio "small requests, D2: refbroker's MB/s / Kafka's" small throughput "$wal" "$flushed" 8 min
    line ratio "small requests: refbroker's p50 / the bare group commit's" small p50 "$wal" "$bare" 1.5 max
    line ratio "small requests: refbroker's MB/s (D2) / Kafka's by default (D1)" small throughput "$wal" "$default" "" ""
}
