#!/usr/bin/env bash
# mirror.t: an estate on real Apache Kafka, with transactions (one of them open), compacted topics, Streams' topics and all codecs, is mirrored into refbroker, proven equal, and read the same by a read_committed consumer.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
kdl=$BUILD/bin/kdl
tests=0
refbroker_pid='' estate_pid=''
finish() {
    [ -n "$refbroker_pid" ] && kill -9 "$refbroker_pid" 2>/dev/null
    [ -n "$estate_pid" ] && kill "$estate_pid" 2>/dev/null
    "$here/broker" stop "$work/broker" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

check() { # WHAT CODE
    tests=$((tests + 1))
    if [ "$2" -eq 0 ]; then echo "ok $tests - $1"; else echo "not ok $tests - $1"; [ -e "$work/output" ] && tail -n 15 "$work/output" | sed 's/^/# /'; fi
}

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
"$here/broker" start "$work/broker" >"$work/output" 2>&1; check "a Kafka starts" $?
source=$(cat "$work/broker/bootstrap")
mkfifo "$work/hold"
"$here/estate" "$source" "$work/truth.json" --hold >"$work/output" 2>&1 <"$work/hold" & estate_pid=$!
exec 9>"$work/hold"
for _ in $(seq 600); do grep -q READY "$work/output" && break; kill -0 $estate_pid 2>/dev/null || break; read -r -t 0.1 <> <(:); done
grep -q READY "$work/output"; check "the estate is made and held, with a transaction open" $?
# A log that was emptied: its next record must get the same offset on both sides.
seq 1 100 | kcat -b "$source" -P -t emptied 2>/dev/null
echo '{"version":1,"partitions":[{"topic":"emptied","partition":0,"offset":-1}]}' >"$work/emptied.json"
"$here/run" org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$source" --offset-json-file "$work/emptied.json" >"$work/output" 2>&1; check "a topic is emptied" $?
port=$((20000 + RANDOM % 10000))
"$BUILD/bin/refbroker" --data "$work/data" --listen 127.0.0.1:$port >"$work/refbroker" 2>&1 & refbroker_pid=$!
for _ in $(seq 100); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done
target=127.0.0.1:$port
timeout 120 "$kdl" mirror run --from "$source" --to "$target" --topics '*' --until caught-up >"$work/output" 2>&1; check "the estate is mirrored" $?
timeout 120 "$kdl" verify --from "$source" --to "$target" --topics '*' >"$work/output" 2>&1; code=$?; check "both sides are equal: $(tail -n 2 "$work/output" | head -n 1)" $code
ends() { kcat -b "$1" -Q -t emptied:0:-2 -t emptied:0:-1 2>/dev/null | tr '\n' ' '; }
ends "$target" >"$work/output"; [ "$(ends "$source")" = "$(ends "$target")" ] && grep -q 'offset 100.*offset 100' "$work/output"; check "the emptied topic begins and ends where it does at the source" $?
read_all() { timeout 60 kcat -b "$1" -C -t "$2" -o beginning -e -q -X isolation.level="$3" -f '%p %o %k %s\n' 2>/dev/null | sort | md5sum; }
for isolation in read_committed read_uncommitted; do
    same=0
    for topic in payments.orders payments.invoices payments.ledger payments.refunds payments.holds streams.balances; do
        [ "$(read_all "$source" $topic $isolation)" = "$(read_all "$target" $topic $isolation)" ] || { same=1; echo "# $topic differs"; }
    done
    check "consumers with $isolation read the same on both sides" $same
done
[ "$(read_all "$source" payments.orders read_committed)" != "$(read_all "$source" payments.orders read_uncommitted)" ]; check "and there was something to hide from them" $?
echo "1..$tests"
