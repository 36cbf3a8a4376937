#!/usr/bin/env bash
# Nothing acknowledged is lost by kill -9 at any instant, on either write path: an idempotent librdkafka producer works through KILLS (default 100) kills at random points, then every record is accounted for.
. "$(dirname "$0")/common.sh"
plan 3
kills=${KILLS:-100}
port=$(free_port)
b=127.0.0.1:$port
flags=(--set kdl.upload.bytes=400000 --set kdl.upload.interval.ms=300 --set kdl.wal.file.bytes=2097152 --set kdl.commit.interval.ms=20)
seconds=$((kills * 4 / 10 + 3))

start_refbroker one "$port" "${flags[@]}"
"$BUILD/tests/system/acked_load" "$b" wal 4 "$seconds" > "$work/wal" 2>&1 &
wal=$!
"$BUILD/tests/system/acked_load" "$b" coordinated 4 "$seconds" diskless.enable=true > "$work/coordinated" 2>&1 &
coordinated=$!
started=0
for ((i = 0; i < kills; i++)); do
    read -r -t "0.$((RANDOM % 25 + 5))" <> <(:) || :
    kill -9 "$pid"; wait "$pid" 2>/dev/null
    start_refbroker one "$port" "${flags[@]}" && started=$((started + 1))
done
is "it came back after each of $kills kills" "$started" "$kills"
wait "$wal"; code=$?; ok "$(tail -n 1 "$work/wal")" $code
wait "$coordinated"; code=$?; ok "$(tail -n 1 "$work/coordinated")" $code
grep -h . "$work/wal" "$work/coordinated" "$work/one.out" | grep -v ready | head -n 20 | sed 's/^/# /'
