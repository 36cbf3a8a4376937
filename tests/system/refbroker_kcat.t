#!/usr/bin/env bash
# refbroker and kcat (librdkafka): produce, consume, restart after kill -9 and after SIGTERM, all codecs.
. "$(dirname "$0")/common.sh"
plan 14
port=$(free_port)
b=127.0.0.1:$port
records() { timeout 20 kcat -b "$b" -C -t "$1" -o beginning -e -q 2>/dev/null | md5sum; }

start_refbroker one "$port"; ok "starts without configuration" $?
seq 1 1000 | timeout 20 kcat -b "$b" -P -t plain; ok "a producer makes the topic and writes" $?
wanted=$(seq 1 1000 | md5sum)
is "a consumer reads the same" "$(records plain)" "$wanted"
kill -9 "$pid"; wait "$pid" 2>/dev/null
start_refbroker one "$port"
is "all is there after kill -9" "$(records plain)" "$wanted"
kill -TERM "$pid"; start=$SECONDS; wait "$pid"; is "SIGTERM ends it with 0" $? 0
ok "in less than 2 s" $((SECONDS - start > 2))
ok "an object was written" "$(ls "$work"/one/objects/*.obj > /dev/null 2>&1; echo $?)"
start_refbroker one "$port"
is "all is there after a stop, read from the object" "$(records plain)" "$wanted"
for codec in gzip snappy lz4 zstd; do
    seq 1 5000 | timeout 20 kcat -b "$b" -P -t "z-$codec" -z "$codec"
    is "codec $codec" "$(records "z-$codec")" "$(seq 1 5000 | md5sum)"
done
"$kdl" topic create big -b "$b" -p 8 > /dev/null
yes "$(printf %0990d 0)" | head -n 30000 | timeout 30 kcat -b "$b" -P -t big -X sticky.partitioning.linger.ms=0
kill -TERM "$pid"; wait "$pid"; start_refbroker one "$port"
is "replies larger than a connection takes at once arrive, from objects" "$(timeout 20 kcat -b "$b" -C -t big -o beginning -e -q -X fetch.message.max.bytes=4194304 2>/dev/null | wc -l)" 30000
"$refbroker" --data "$work/one" --listen "127.0.0.1:$(free_port)" 2> "$work/second"; code=$?
is "a second broker on the folder is refused" "$code $(grep -c "in use by another refbroker (pid $pid)" "$work/second")" "7 1"
