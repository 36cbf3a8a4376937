# shellcheck shell=bash disable=SC2154 # its variables are common.sh's
# Sourced by bench_broker: what brokers hold and how soon they are there: memory, groups, the first ack after kill -9.
recovery_partitions=${RECOVERY_PARTITIONS:-10000} recovery_mb=${RECOVERY_MB:-560} # batches are whole records
topic_partitions=1000 # of those that audit_estate makes
idle_groups=5000 live_members=500 idle_seconds=10

estate() { "$bench/audit_estate" "$1" "$2" "$3" "${4:-0}" || void "no estate"; } # ADDRESS TOPICS PARTITIONS-EACH [GROUPS]

# --- the first ack after kill -9 --------------------------------------------------------------------

# recovery_fill ADDRESS PID: some batches into each partition. A broker that takes no more before it has stored some ends this with 1.
recovery_fill() {
    local topics=$((recovery_partitions / topic_partitions)) requests=4 topic
    for ((topic = 0; topic < topics; topic++)); do
        timeout 30 "$bench/raw_load" -r $requests "${1%:*}" "${1#*:}" "$(printf 'estate-%05d' $topic)" $topic_partitions \
            $((recovery_mb * 1000000 / recovery_partitions / requests)) 2 1 60 "$2" >/dev/null || return 1
    done
}
# recover SIDE DURABILITY MB PORT COMMAND...: to the first ack of a topic of the estate; then it is killed.
recover() {
    local side=$1 durability=$2 mb=$3 port=$4
    shift 4
    line figure recovery "$side" "$durability" "written before" MB "$mb"
    "$bench/start_probe" -k -t estate-00000 127.0.0.1 "$port" "$@" 2>"$work/start.out" | figures recovery "$side" "$durability" || void "$side does not come back: $(tail -n 1 "$work/start.out")"
}
recovery_refbroker() {
    local i port mb
    # What it holds lies in no object: nothing is old or large enough for one. It may hold so much, before the kill and behind it.
    local holds=(--set kdl.unstored.bytes=1073741824)
    refbroker_start crashed "${holds[@]}" --set kdl.upload.bytes=1073741824 --set kdl.upload.interval.ms=86400000
    estate "$address" $((recovery_partitions / topic_partitions)) $topic_partitions
    recovery_fill "$address" "$pid" || say "refbroker takes no more before it has stored some"
    mb=$(($(metric crashed uncommitted_bytes) / 1000000))
    refbroker_kill "$pid"
    for ((i = 0; i < rounds; i++)); do
        cp -a "$work/crashed" "$work/recovered"
        # The log is written past the kernel's cache, and a copy is not: without this it would be read from memory.
        sync
        find "$work/recovered/wal" -type f -exec dd if={} iflag=nocache count=0 status=none \;
        port=$(free_port)
        recover refbroker D2 "$mb" "$port" "$BUILD/bin/refbroker" --data "$work/recovered" --listen "127.0.0.1:$port" "${holds[@]}"
        rm -rf "$work/recovered"
    done
    rm -rf "$work/crashed"
    line limit "$recovery_partitions partitions: refbroker's log at the kill, in no object, MB" recovery "written before" refbroker 536 "" min
    line limit "$recovery_partitions partitions: refbroker's first ack after kill -9, ms" recovery "first ack" refbroker 250 ""
}
recovery_kafka() { # its state stays as it was: one record more, and not one run is like the other in any case
    local i command
    kafka_start crashed-kafka
    estate "$address" $((recovery_partitions / topic_partitions)) $topic_partitions
    # It answers before it has made what was asked for.
    for ((i = 0; i < 60; i++)); do
        recovery_fill "$address" "$pid" 2>/dev/null && break
        pause 2
    done
    [ "$i" -lt 60 ] || void "Kafka does not make its partitions"
    kafka_command crashed-kafka
    tests/kafka/broker kill "$work/crashed-kafka"
    for ((i = 0; i < rounds; i++)); do
        recover "Kafka 4.3.1" D1 "$recovery_mb" "${address##*:}" "${command[@]}"
    done
    rm -rf "$work/crashed-kafka"
}
recovery() {
    line about recovery "kill -9 with $recovery_partitions partitions, then to the first ack" \
        "tests/bench/start_probe -t: exec to the first acknowledged record, tried each millisecond. refbroker: what was written before is in its log alone (kdl_uncommitted_bytes of /metrics), which is read from the disk; it starts with the one setting that lets it hold more than 256 MiB there (kdl.unstored.bytes, without which producers wait until the rest is stored). Kafka: its files are in the page cache, as kill -9 leaves them"
    recovery_refbroker
    recovery_kafka
}
section_start() {
    measure_start
    line limit "start from nothing: refbroker's first answer, ms" start "first answer" refbroker 30 ""
    recovery
}

# --- memory -----------------------------------------------------------------------------------------

memory_line() { # SIDE PID
    settled_cpu "$2" >/dev/null
    line figure memory "$1" - RSS MB "$(memory_mb "$2")"
}
section_memory() {
    local i
    line about memory "memory of an idle broker of the default configuration" \
        "/proc/PID/smaps_rollup once it is idle, in the process that made the topics (1,000 partitions each; nothing is written to them); Kafka: heap of 1 GB that its scripts ask for, not touched in advance"
    for ((i = 0; i < rounds; i++)); do
        say "memory, round $((i + 1)) of $rounds"
        refbroker_start memory
        estate "$address" 10 $topic_partitions
        memory_line "refbroker, 10,000 partitions" "$pid"
        refbroker_end memory
        refbroker_start memory
        estate "$address" 100 $topic_partitions
        memory_line "refbroker, 100,000 partitions" "$pid"
        refbroker_end memory
        kafka_start memory-kafka
        memory_line "Kafka 4.3.1, no partitions" "$pid"
        kafka_end memory-kafka
    done
    line limit "memory: refbroker with 10,000 idle partitions, MB" memory RSS "refbroker, 10,000 partitions" 60 ""
    line limit "memory: refbroker with 100,000 idle partitions, MB" memory RSS "refbroker, 100,000 partitions" 500 ""
}

# --- groups -----------------------------------------------------------------------------------------

# members_start ADDRESS: holds the members until members_end.
members_start() {
    topic_create "$1" empty "$partitions"
    mkfifo "$work/hold"
    "$bench/live_members" "${1%:*}" "${1#*:}" empty "$partitions" $live_members <"$work/hold" >"$work/members" 2>"$work/members.err" &
    members=$!
    exec 8>"$work/hold"
    wait_for 120 grep -q ready "$work/members" || void "members do not live: $(tail -n 1 "$work/members.err")"
}
members_end() {
    kill -0 "$members" 2>/dev/null || void "members died: $(tail -n 1 "$work/members.err")"
    exec 8>&-
    wait "$members"
    rm "$work/hold"
}
# idle_line SIDE DURABILITY PID: while only heartbeats and fetches of the members come.
idle_line() {
    local before
    before=$(cpu_of "$3")
    pause $idle_seconds
    line figure groups "$1" "$2" "CPU idle" % "$(ratio_of "$(difference "$(cpu_of "$3")" "$before")" "$idle_seconds.0e-2" 2)"
}
# single_load SIDE DURABILITY ADDRESS PID
single_load() {
    "$bench/raw_load" "${3%:*}" "${3#*:}" load 1 1024 1 1 "$seconds" "$4" >"$work/load" || void "produce to $1"
    grep '^p50' "$work/load" | figures groups "$1" "$2"
}
# crowd ADDRESS: topics to write to and to commit in, and the idle groups.
crowd() {
    topic_create "$1" load 1
    estate "$1" 10 1 $idle_groups
}
groups_refbroker() {
    local i address pid alone_address alone_pid alone="refbroker without groups" crowded="refbroker with them"
    refbroker_start alone
    alone_address=$address alone_pid=$pid
    topic_create "$address" load 1
    estate "$address" 10 1
    refbroker_start crowded
    crowd "$address"
    settled_cpu "$pid" >/dev/null
    line figure groups "$crowded" D2 "a group" kB "$(ratio_of "$(difference "$(memory_mb "$pid")" "$(memory_mb "$alone_pid")")" "$idle_groups.0e-3" 2)"
    members_start "$address"
    for ((i = 0; i < rounds; i++)); do
        say "groups, round $((i + 1)) of $rounds"
        idle_line "$alone" D2 "$alone_pid"
        single_load "$alone" D2 "$alone_address" "$alone_pid"
        idle_line "$crowded" D2 "$pid"
        single_load "$crowded" D2 "$address" "$pid"
    done
    members_end
    refbroker_kill "$pid"
    refbroker_kill "$alone_pid"
    rm -rf "$work/alone" "$work/crowded"
    line limit "groups: refbroker's CPU with $live_members live members, %" groups "CPU idle" "$crowded" 5 ""
    line ratio "groups: refbroker's p50 with them / without" groups p50 "$crowded" "$alone" 1.1 max
    line limit "groups: refbroker's memory of a group, kB" groups "a group" "$crowded" 4 ""
}
groups_kafka() {
    local crowded="Kafka 4.3.1 with them"
    kafka_start groups-kafka
    # librdkafka 2.0 finds no coordinator while the broker still makes the topic of offsets; a consumer waits for it.
    topic_create "$address" first 1
    timeout 60 kcat -b "$address" -G first -e -q first >/dev/null 2>&1
    crowd "$address"
    members_start "$address"
    settled_cpu "$pid" >/dev/null
    idle_line "$crowded" D1 "$pid"
    single_load "$crowded" D1 "$address" "$pid"
    members_end
    kafka_end groups-kafka
}
section_groups() {
    line about groups "$idle_groups idle groups and $live_members live members: heartbeats, and a Fetch of each that finds nothing" \
        "a group: tests/bench/audit_estate, Rss of /proc/PID/smaps_rollup of two refbrokers that differ in the groups; members: tests/bench/live_members, half of them classic; CPU: of one core, /proc/PID/stat over $idle_seconds s in which nothing is written; p50: tests/bench/raw_load, one connection, requests of 1 KiB one after another, $seconds s, in turn without and with groups"
    groups_refbroker
    groups_kafka
}
