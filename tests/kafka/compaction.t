#!/usr/bin/env bash
# compaction.t: the same log (keys, tombstones, headers, all codecs, idempotent and transactional producers, by seed) compacted by real Apache Kafka and by refbroker, round for round: the same batches, and consumers find the same records.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. SEED and COUNT choose what is written.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
seed=${SEED:-$RANDOM} count=${COUNT:-400}
tests=0 refbroker_pid=''
finish() {
    [ -n "$refbroker_pid" ] && kill -9 "$refbroker_pid" 2>/dev/null && wait "$refbroker_pid" 2>/dev/null
    "$here/broker" stop "$work/broker" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

check() { # WHAT CODE
    tests=$((tests + 1))
    if [ "$2" -eq 0 ]; then echo "ok $tests - $1: $(tail -n 1 "$work/output")"; else echo "not ok $tests - $1 (SEED=$seed)"; tail -n 15 "$work/output" | sed 's/^/# /'; fi
}

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
"$here/broker" start "$work/broker" --prop log.cleaner.backoff.ms=50 >"$work/output" 2>&1; check "a Kafka starts" $?
source=$(cat "$work/broker/bootstrap")
port=$((20000 + RANDOM % 10000)) target=127.0.0.1:$port
refbroker_start() {
    : >"$work/refbroker"
    "$BUILD/bin/refbroker" --data "$work/data" --listen "$target" --set log.cleaner.backoff.ms=50 --set kdl.upload.interval.ms=50 >>"$work/refbroker" 2>&1 & refbroker_pid=$!
    for _ in $(seq 200); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done
}
refbroker_start

# Tombstones and markers stay in the first topic; in the second their time is over before the next round.
for topic in kept gone; do
    keep_ms=$([ $topic = kept ] && echo 86400000 || echo 1)
    "$here/run" kdl.compaction.Load "$source" $topic "$seed" "$count" "$keep_ms" >"$work/output" 2>&1; check "$topic: written" $?
    timeout 60 "$BUILD/bin/kdl" mirror run --from "$source" --to "$target" --topics $topic --until caught-up >"$work/output" 2>&1; check "$topic: mirrored" $?
    "$here/run" kdl.compaction.Promotion "$target" $topic >"$work/output" 2>&1; check "$topic: promoted" $?
    "$here/run" kdl.compaction.Rounds "$source" "$target" $topic 4 20 >"$work/output" 2>&1; check "$topic: equal in every round" $?
    dump() { timeout 30 kcat -b "$target" -C -t $topic -o beginning -e -q -f '%o %T %k %s %h\n' 2>/dev/null | md5sum; }
    before=$(dump)
    kill -9 "$refbroker_pid"; wait "$refbroker_pid" 2>/dev/null
    refbroker_start
    [ "$(dump)" = "$before" ]; check "$topic: the same after kill -9" $?
done
echo "1..$tests"
