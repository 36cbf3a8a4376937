# shellcheck shell=bash disable=SC2154 # its variables are common.sh's and broker_produce.sh's
# Sourced by bench_broker: what brokers give, from memory and from the disk, raw and to librdkafka.
cached_mb=${CACHED_MB:-128} cold_mb=${COLD_MB:-1000}
writes="bare loop of writes to sockets"
request_bytes=$((partitions * batch_bytes))

# fill ADDRESS PID TOPIC MB: a topic with so many MB; the broker is idle again afterwards.
fill() {
    topic_create "$1" "$3" "$partitions"
    "$bench/raw_load" -r $(($4 * 1000000 / request_bytes)) "${1%:*}" "${1#*:}" "$3" "$partitions" "$batch_bytes" "$connections" "$in_flight" 600 "$2" >/dev/null || void "topic $3 is not filled"
}
# fetch SECTION SIDE DURABILITY ADDRESS PID TOPIC SECONDS
fetch() {
    "$bench/raw_fetch" "${4%:*}" "${4#*:}" "$6" "$partitions" "$connections" "$7" "$5" >"$work/load" || void "consume from $2"
    figures "$1" "$2" "$3" <"$work/load"
}
# caches_drop: of the kernel, what lies in files; sets dropped.
dropped=''
caches_drop() {
    sync
    if { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null; then
        [ -n "$dropped" ] || line machine caches "of the kernel: dropped before what is read cold"
        dropped=yes
        return
    fi
    [ -n "$dropped" ] || line machine caches "of the kernel: NOT dropped before what is read cold, which root alone may"
    dropped=no
}
# user_consume SIDE DURABILITY ADDRESS PID
user_consume() {
    "$bench/rdkafka_load" consume "$3" cold "$partitions" 600 "$4" >"$work/load" || void "librdkafka from $1"
    figures user-consume "$1" "$2" <"$work/load"
}
consume_round() { # in section_consume
    say "consume, round $((i + 1)) of $rounds"
    refbroker_start consume
    fill "$address" "$pid" cached "$cached_mb"
    wait_for 60 is_stored consume || void "what is read does not come into objects"
    fetch cached refbroker D2 "$address" "$pid" cached "$seconds"
    fetch cached "Kafka 4.3.1" D1 "$kafka_address" "$kafka_pid" cached "$seconds"
    "$bench/bare_write" $((cached_mb * 1000000 / request_bytes * request_bytes)) "$connections" "$seconds" >"$work/load" || void "bare writes"
    figures cached "$writes" - <"$work/load"

    fill "$address" "$pid" cold "$cold_mb"
    wait_for 60 is_stored consume || void "what is read does not come into objects"
    refbroker_kill "$pid"
    caches_drop
    refbroker_start consume
    fetch cold refbroker D2 "$address" "$pid" cold 0
    user_consume refbroker D2 "$address" "$pid"
    refbroker_end consume
    caches_drop
    fetch cold "Kafka 4.3.1" D1 "$kafka_address" "$kafka_pid" cold 0
    user_consume "Kafka 4.3.1" D1 "$kafka_address" "$kafka_pid"
}
section_consume() {
    local i kafka_address kafka_pid
    line about cached "consume what is in memory: $cached_mb MB, $partitions partitions, batches of 16 KiB, again and again, $connections connections, $rounds interleaved rounds" \
        "tests/bench/raw_fetch, $seconds s, every batch checked; refbroker: its log cache; Kafka: the page cache; D1, D2: as it was written; tests/bench/bare_write: a process that holds as many bytes and sends them in pieces of 1 MiB; CPU: of the process that sends"
    line about cold "consume what is in files: $cold_mb MB once, the same way" \
        "tests/bench/raw_fetch from offset 0 to the end. refbroker: all in objects, killed and started again; Kafka: as it runs; both: the kernel's caches dropped before"
    line about user-consume "consume by librdkafka: the same $cold_mb MB once more, one consumer, its defaults" \
        "tests/bench/rdkafka_load: from the start to the last record; CPU: of the broker process until it is idle again, and of the client (getrusage)"
    kafka_start consume-kafka
    kafka_address=$address kafka_pid=$pid
    fill "$kafka_address" "$kafka_pid" cached "$cached_mb"
    fill "$kafka_address" "$kafka_pid" cold "$cold_mb"
    "$bench/raw_fetch" "${address%:*}" "${address#*:}" cached "$partitions" "$connections" 6 "$pid" >/dev/null || void "Kafka does not warm up"
    for ((i = 0; i < rounds; i++)); do consume_round; done
    kafka_end consume-kafka
    line ratio "consume, cached: refbroker's MB/s / Kafka's" cached throughput refbroker "Kafka 4.3.1" 1 min
    line ratio "consume, cached: refbroker's CPU / that of bare writes" cached CPU refbroker "$writes" 1.5 max
    line ratio "consume, cold: refbroker's MB/s / Kafka's" cold throughput refbroker "Kafka 4.3.1" 1 min
    line ratio "consume by librdkafka: refbroker's MB/s / Kafka's" user-consume throughput refbroker "Kafka 4.3.1" "" ""
}
