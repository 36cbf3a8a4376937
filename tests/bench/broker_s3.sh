# shellcheck shell=bash disable=SC2154 # its variables are common.sh's and broker_produce.sh's
# Sourced by bench_broker: what comes into an S3 server on the same machine, beside what that takes from a plain loop of PUTs.
# shellcheck source=../kafka/versitygw.sh
. tests/kafka/versitygw.sh
s3_seconds=${S3_SECONDS:-60}
put_bytes=8388608 put_parallel=8
s3_connections=8 s3_in_flight=8 # 64 MiB: a coordinated topic answers four times a second

s3_start() {
    case $BUILD in /*) versitygw_get "$BUILD/kafka" "$work/go" ;; *) versitygw_get "$PWD/$BUILD/kafka" "$work/go" ;; esac || void "no S3 server: $(tail -n 1 "$work/go")"
    s3_port=$(free_port)
    mkdir -p "$work/buckets/bench"
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local-secret
    unset AWS_SESSION_TOKEN AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE
    versitygw_start "$s3_port" "$work/buckets" "$work/s3"
    s3_pid=$!
    wait_for 60 s3_answers || void "the S3 server does not start"
}
s3_answers() { (: <"/dev/tcp/127.0.0.1/$s3_port") 2>/dev/null; }
s3_empty() { find "$work/buckets/bench" -ignore_readdir_race -mindepth 1 -delete; } # the server may still remove some
into_objects() { sed -n 's/^throughput/into objects/p' "$work/load" | figures s3 "$1" "$2"; } # SIDE DURABILITY: all of the last load
bucket_figure() { awk -v bytes="$3" 'BEGIN { printf "in the bucket\tMB\t%.0f\n", bytes / 1e6 }' | figures s3 "$1" "$2"; } # SIDE DURABILITY BYTES
watch_bucket() {
    while :; do
        du -sb "$work/buckets/bench" 2>/dev/null
        pause 1
    done >"$work/bucket"
}
# What lies in the bucket in the second half of a load, in bytes; the kernel writes it to the disk once it is much, so every side has to have as much there.
bucket_bytes() { awk '{ bytes[NR] = $1 } END { for (i = int(NR / 2) + 1; i <= NR; i++) sum += bytes[i]; printf "%.0f\n", NR == 0 ? 0 : sum / (NR - int(NR / 2)) }' "$work/bucket"; }
# s3_load SIDE DURABILITY BACKLOG [CONFIG...]: into a fresh refbroker with its objects there; BACKLOG: acked, where what is acknowledged lies in objects, or waiting.
s3_load() {
    local side=$1 durability=$2 backlog=$3 watcher
    shift 3
    refbroker_start s3-refbroker --store "s3://bench?endpoint=http://127.0.0.1:$s3_port&region=us-east-1&payload=unsigned" "${steady_refbroker[@]}"
    topic_create "$address" load "$partitions" "${steady_topic[@]}" "$@"
    watch_bucket &
    watcher=$!
    lasting_load s3 "$side" "$durability" $s3_connections $s3_in_flight "$s3_seconds" "$(if [ "$backlog" = waiting ]; then echo s3-refbroker; fi)"
    kill $watcher
    bucket_figure "$side" "$durability" "$(bucket_bytes)"
    s3_kept=$((s3_kept + $(bucket_bytes) / 2)) # of two sides
    [ "$backlog" = waiting ] || into_objects "$side" "$durability"
    refbroker_end s3-refbroker
    s3_empty
}
section_s3() {
    local i s3_kept loop="plain loop of $put_parallel PUTs at a time" coordinated="refbroker, coordinated topic" logged="$wal"
    line about s3 "produce into S3 (versitygw on the same machine and disk) for $s3_seconds s: $partitions partitions x $((batch_bytes / 1024)) KiB a request, $s3_connections connections x $s3_in_flight requests under way" \
        "tests/bench/put_loop: libcurl, objects of $((put_bytes / 1048576)) MiB, signed without their payload and with a CRC-32C, as refbroker's are (payload=unsigned, as over https), and old ones removed so that as much lies in the bucket; tests/bench/raw_load, every ack checked; into objects: kdl_produce_bytes_total less kdl_uncommitted_bytes of /metrics, between the first and the last second; backlog as in steady loads; object: lies in an object and is committed before the ack; the server stores without fsync; refbroker keeps 2 GiB of the topic"
    s3_start
    for ((i = 0; i < rounds; i++)); do
        say "S3, round $((i + 1)) of $rounds"
        s3_kept=0
        s3_load "$coordinated" object acked diskless.enable=true
        s3_load "$logged" D2 waiting
        "$bench/put_loop" "http://127.0.0.1:$s3_port" bench us-east-1 $put_bytes $s3_kept $put_parallel "$s3_seconds" >"$work/load" || void "PUTs"
        figures s3 "$loop" - <"$work/load"
        into_objects "$loop" -
        bucket_figure "$loop" - $s3_kept
        s3_empty
    done
    kill "$s3_pid"
    line ratio "S3, coordinated: acked MB/s / the plain loop's" s3 "into objects" "$coordinated" "$loop" 0.8 min
    line ratio "S3, wal: uploaded and committed MB/s / the plain loop's" s3 "into objects" "$logged" "$loop" 0.8 min
    line limit "S3, coordinated: acked MB/s" s3 "into objects" "$coordinated" 250 "" min
    line limit "S3, wal: uploaded and committed MB/s" s3 "into objects" "$logged" 250 "" min
    line limit "S3, wal: growth of the backlog, MB" s3 growth "$logged" 26 ""
    line limit "S3, coordinated: CPU s/GB of refbroker" s3 CPU "$coordinated" 1.0 ""
    line limit "S3, wal: CPU s/GB of refbroker" s3 CPU "$logged" 1.0 ""
}
