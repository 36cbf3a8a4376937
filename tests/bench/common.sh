# shellcheck shell=bash disable=SC2034 # its variables are used by those who source it
# Sourced by bench_first and bench_broker, at the root of the project: the folder of a run, its figures, the brokers beside each other, loads.
# Sets work, BUILD, bench, kdl, rounds, seconds; takes the option -o table|json.
set -uo pipefail
program=$(basename "$0")
BUILD=${BUILD:-build}
bench=$BUILD/tests/bench kdl=$BUILD/bin/kdl
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-4}
format=table
while getopts o: option; do
    case $option in o) format=$OPTARG ;; *) exit 2 ;; esac
done
case $format in table | json) ;; *) echo "$program: -o table or -o json, not $format" >&2; exit 2 ;; esac
work=$(mktemp -d)
case $(stat -f -c %T "$work") in
tmpfs | ramfs) echo "$program: $work is in memory, where nothing is durable: set TMPDIR to a folder on a disk" >&2; rm -rf "$work"; exit 2 ;;
esac
# shellcheck source=../helpers.sh
. tests/helpers.sh
# shellcheck source=kafka_jvm.sh
. tests/bench/kafka_jvm.sh
partitions=64 batch_bytes=16384 connections=4 in_flight=2
threads=(--prop num.network.threads=2 --prop num.io.threads=4)
never=9223372036854775807 # flush.messages of Kafka's default
kafkas=()

finish() {
    local kafka job
    for job in $(jobs -p); do kill -9 "$job" 2>/dev/null && wait "$job" 2>/dev/null; done
    for kafka in "${kafkas[@]}"; do tests/kafka/broker kill "$kafka" >/dev/null 2>&1; done
    rm -rf "$work"
}
trap finish EXIT
say() { printf '%s: %s (%s s)\n' "$program" "$*" "$SECONDS" >&2; }
void() { say "void: $*"; exit 1; }
pause() { read -r -t "$1" <> <(:); } # SECONDS

# Without Kafka there is nothing to stand beside.
needs() {
    local tool
    tests/kafka/setup >"$work/setup" 2>&1 || { tail -n 1 "$work/setup" >&2; exit 1; }
    for tool; do command -v "$tool" >/dev/null || { echo "$program: $tool is not installed" >&2; exit 1; }; done
}

# --- figures ----------------------------------------------------------------------------------------

line() { local IFS=$'\t'; printf '%s\n' "$*" >>"$work/figures"; }
# figures SECTION SIDE DURABILITY: those that a program prints, from stdin.
figures() { local metric unit value; while IFS=$'\t' read -r metric unit value; do line figure "$1" "$2" "$3" "$metric" "$unit" "$value"; done; }
about_machine() {
    line machine cores "$(nproc), $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)"
    line machine memory "$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"
    line machine kernel "$(uname -sr)"
    line machine "file system" "$(stat -f -c %T "$work")"
    line machine durability "D2: synced before the ack, survives power loss; D1: page cache, survives kill -9"
    line machine load "$(cut -d' ' -f1-3 /proc/loadavg) before the start"
}
report() {
    line machine took "$SECONDS s"
    awk -v format="$format" -f tests/bench/report.awk "$work/figures"
}
ratio_of() { awk -v a="$1" -v b="$2" -v digits="${3:-3}" 'BEGIN { printf "%.*f", digits, a / b }'; }
difference() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a - b }'; }
cpu_of() { sed 's/^.*) //' "/proc/$1/stat" | awk -v ticks="$(getconf CLK_TCK)" '{ printf "%.2f", ($12 + $13) / ticks }'; }
settled_cpu() { # PID: once what it does in the background has ended
    local before now i
    now=$(cpu_of "$1")
    for ((i = 0; i < 40; i++)); do
        before=$now
        pause 0.5
        now=$(cpu_of "$1")
        if awk -v a="$before" -v b="$now" 'BEGIN { exit !(b - a < 0.05) }'; then break; fi
    done
    echo "$now"
}
memory_mb() { awk '/^Rss:/ { printf "%.1f", $2 * 1024 / 1e6 }' "/proc/$1/smaps_rollup"; } # PID

# --- the brokers ------------------------------------------------------------------------------------

declare -A http # where /metrics of a refbroker is, by its name
# refbroker_start NAME FLAG...: on the folder of that name; sets address and pid.
refbroker_start() {
    local name=$1
    shift
    address=127.0.0.1:$(free_port)
    http[$name]=127.0.0.1:$(free_port)
    : >"$work/$name.out"
    "$BUILD/bin/refbroker" --data "$work/$name" --listen "$address" --http "${http[$name]}" "$@" >>"$work/$name.out" 2>&1 &
    pid=$!
    until grep -q ready "$work/$name.out"; do kill -0 "$pid" 2>/dev/null || void "refbroker does not start: $(cat "$work/$name.out")"; pause 0.01; done
}
refbroker_kill() { # PID
    kill -9 "$1"
    wait "$1" 2>/dev/null
}
refbroker_end() { # NAME: the one that was started last
    refbroker_kill "$pid"
    rm -rf "${work:?}/$1"
}
metric() { curl -sf "http://${http[$1]}/metrics" | awk -v name="kdl_$2" '$1 == name { print $2 }'; } # NAME METRIC
is_stored() { [ "$(metric "$1" uncommitted_bytes)" = 0 ]; }                                         # NAME
kafka_start() { # NAME FLAG...: sets address and pid
    local name=$1
    shift
    kafkas+=("$work/$name")
    tests/kafka/broker start "$work/$name" "${threads[@]}" "$@" >/dev/null || void "Kafka does not start"
    address=$(cat "$work/$name/bootstrap")
    pid=$(cat "$work/$name/pids")
}
kafka_end() { # NAME
    tests/kafka/broker kill "$work/$1"
    rm -rf "${work:?}/$1"
}
# kafka_warm: makes the JVM at address, pid quick at what it is measured at.
kafka_warm() {
    say "Kafka warms up"
    topic_create "$address" warm $partitions flush.messages=$never file.delete.delay.ms=1000
    "$bench/raw_load" "${address%:*}" "${address#*:}" warm $partitions $batch_bytes $connections $in_flight 6 "$pid" >/dev/null || void "warm-up"
    topic_delete "$address" warm
}
# kafka_command NAME: sets command to what starts the broker of that name once more, as start_probe wants it.
kafka_command() {
    # shellcheck disable=SC2206 # flags are words
    command=(java $BROKER_JVM -Dlog4j2.configurationFile=tests/kafka/conf/broker-log4j2.properties -cp "$BUILD/kafka/lib/*" kafka.Kafka "$work/$1/node-1/server.properties")
}
# end_offsets ADDRESS TOPIC PARTITIONS: of each partition whose leader answers, one a line.
end_offsets() {
    local i ask=()
    for ((i = 0; i < $3; i++)); do ask+=(-t "$2:$i:-1"); done
    kcat -b "$1" -Q "${ask[@]}" 2>/dev/null | sed -n 's/.* offset //p'
}
# What one side has left in the page cache is written away before the other one is measured.
disk_settle() { sync; }
# topic_create ADDRESS NAME PARTITIONS [CONFIG...]: until all leaders know of it, and the disk is at rest.
topic_create() {
    local address=$1 name=$2 partitions=$3 config configs=()
    shift 3
    for config; do configs+=(-c "$config"); done
    "$kdl" topic create "$name" -b "$address" -p "$partitions" "${configs[@]}" >/dev/null || void "topic $name is not created"
    until [ "$(end_offsets "$address" "$name" "$partitions" | wc -l)" -eq "$partitions" ]; do pause 0.05; done
    disk_settle
}
topic_delete() { "$kdl" topic delete "$2" -b "$1" >/dev/null || void "topic $2 is not deleted"; }

# --- start time and idle memory ---------------------------------------------------------------------

measure_start() {
    local i port command
    line about start "start to first answer, and idle, with an empty data folder" \
        "tests/bench/start_probe: exec to the first answer to Metadata, asked each millisecond; then, once idle, /proc/PID/smaps_rollup and /proc/PID/stat. Kafka: formatted before, flags of its own start script (heap 1 GB)"
    kafka_start probe
    tests/kafka/broker stop "$work/probe"
    kafka_command probe
    for ((i = 0; i < rounds; i++)); do
        port=$(free_port)
        "$bench/start_probe" 127.0.0.1 "$port" "$BUILD/bin/refbroker" --data "$work/start$i" --listen "127.0.0.1:$port" 2>"$work/start.out" |
            figures start refbroker - || void "refbroker does not answer"
        "$bench/start_probe" 127.0.0.1 "${address##*:}" "${command[@]}" 2>"$work/start.out" | figures start "Kafka 4.3.1" - || void "Kafka does not answer"
    done
}

# --- loads ------------------------------------------------------------------------------------------

# load SECTION SIDE DURABILITY ADDRESS TOPIC PID [CODEC]: 64 batches of 16 KiB a request.
load() {
    "$bench/raw_load" "${4%:*}" "${4#*:}" "$5" $partitions $batch_bytes $connections $in_flight "$seconds" "$6" ${7:+"$7"} >"$work/load" || void "produce to $2"
    figures "$1" "$2" "$3" <"$work/load"
}
# refbroker_load SECTION SIDE [CODEC]: into a fresh one.
refbroker_load() {
    refbroker_start fresh
    topic_create "$address" load $partitions
    load "$1" "$2" D2 "$address" load "$pid" ${3:+"$3"}
    refbroker_end fresh
}
# kafka_load SECTION SIDE DURABILITY ADDRESS PID [CODEC]: into a topic that is deleted afterwards. D2: every message is flushed.
kafka_load() {
    topic_create "$4" "load-$3" $partitions "flush.messages=$(kafka_flush "$3")" file.delete.delay.ms=1000
    load "$1" "$2" "$3" "$4" "load-$3" "$5" ${6:+"$6"}
    topic_delete "$4" "load-$3"
}
kafka_flush() { if [ "$1" = D2 ]; then echo 1; else echo $never; fi; } # DURABILITY
bare() { # SIDE MODE WRITE-BYTES
    "$bench/bare_append" "$work/bare" "$2" "$3" 1 >"$work/load" || void "bare append"
    figures bare "$1" D2 <"$work/load"
}
bare_appends() {
    disk_settle
    bare "16 KiB, fdatasync" fdatasync $batch_bytes
    bare "1 MiB, fdatasync" fdatasync $((partitions * batch_bytes))
    bare "1 MiB, O_DIRECT" direct $((partitions * batch_bytes))
    bare "8 MiB, O_DIRECT" direct $((8 * partitions * batch_bytes))
}
about_bare() {
    line about bare "the bare durable append of the same rounds: what the disk gives" \
        "tests/bench/bare_append in the same folder. O_DIRECT: O_DIRECT and O_DSYNC into a file that was written before; fdatasync: at the end of a growing file"
}
about_load() { # SECTION WHAT
    line about "$1" "produce$2, acks=all: $partitions partitions x $((batch_bytes / 1024)) KiB a request, $connections connections x $in_flight requests under way, $rounds interleaved rounds" \
        "tests/bench/raw_load: pre-built batches, every ack checked, $seconds s after 2 s of warm-up; CPU: user and system of the broker process (/proc/PID/stat) from the first request to the last ack, and until it is idle again, for all GB"
}
