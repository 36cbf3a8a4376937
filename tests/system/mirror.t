#!/usr/bin/env bash
# kdl mirror and kdl verify between refbrokers: copy, live tail, kill -9 of the mirror and of the target, one differing byte, wrong use.
. "$(dirname "$0")/common.sh"
plan 26
pa=$(free_port); pb=$(free_port); pc=$(free_port)
a=127.0.0.1:$pa b=127.0.0.1:$pb c=127.0.0.1:$pc
load() { "$BUILD/tests/system/fixed_load" "$@" 2>/dev/null; }
mirror() { timeout 60 "$kdl" mirror run --from "$a" --to "$b" --topics orders,invoices "$@" > "$work/mirror.out" 2> "$work/mirror.err"; }
verify() { timeout 60 "$kdl" verify --from "$1" --to "$2" --topics "$3" > "$work/verify.out" 2> "$work/verify.err"; }

# What fixed_load writes is years old: retention, which looks 30 s after a start, would delete it.
start() { start_refbroker "$1" "$2" --set log.retention.ms=-1; }
start a "$pa"; start c "$pc"; start b "$pb"; pid_b=$pid
for broker in "$a" "$c"; do
    "$kdl" topic create orders -b "$broker" -p 3 > /dev/null; "$kdl" topic create invoices -b "$broker" -p 2 --config retention.ms=-1 > /dev/null
done
load "$a" orders 3 30000; load "$a" invoices 2 1000
mirror --until caught-up; is "mirrors until it has caught up" $? 0
verify "$a" "$b" orders,invoices; is "both sides are equal" "$? $(grep -c '^  equal' "$work/verify.out")" "0 5"
"$kdl" topic describe invoices -b "$b" | grep -q 'config retention.ms=-1'; ok "the topic's config came along" $?
timeout 5 kcat -b "$b" -C -t orders -p 0 -o 7 -c 1 -f '%o %k\n' -q > "$work/one"; is "a consumer reads the same record at the same offset" "$(cat "$work/one")" "7 key-21"
echo x | timeout 10 kcat -b "$b" -P -t orders -p 0 -X message.timeout.ms=1000 > /dev/null 2>&1; verify "$a" "$b" orders; is "a producer cannot write into a mirrored topic" $? 0

load "$a" orders 3 20000 &
loader=$!
# The mirror itself, with no timeout above it that would be killed in its place.
mirror_start() {
    : > "$work/mirror.err" # by whom it is read: the job empties it when it comes to it
    "$kdl" mirror run --from "$a" --to "$b" --topics orders,invoices > "$work/mirror.out" 2> "$work/mirror.err" &
    job=$!
}
mirror_kill() { kill -9 "$job"; wait "$job" 2>/dev/null; }
mirror_start
for _ in 1 2 3 4 5 6; do
    read -r -t 0.15 <> <(:) || :
    mirror_kill
    mirror_start
done
wait "$loader"; is "the load goes on meanwhile" $? 0
told() { wait_for 20 grep -q "$1" "$work/mirror.err"; }
told ' copied'; ok "tells how far it is" $?
kill -9 "$pid_b"; wait "$pid_b" 2>/dev/null
load "$a" orders 3 1000
told "wait, and are tried again: target: .*$b: .*nothing listens there"; ok "says why partitions wait" $?
start b "$pb"; pid_b=$pid
mirror_kill
mirror --until caught-up; is "goes on after kills of the mirror and of the target" $? 0
verify "$a" "$b" orders,invoices; is "nothing is lost or doubled" $? 0

mirror --until caught-up; is "a second run has nothing to do" "$? $(grep -c 'caught up: 2 topics, 5 partitions, 0 B' "$work/mirror.out")" "0 1"
timeout 2 "$kdl" mirror run --from "$a" --to "$b" --topics orders -q > "$work/live" 2>&1 &
live=$!
load "$a" orders 3 300
wait_for 5 verify "$a" "$b" orders; ok "follows live" $?
wait "$live"

load "$c" orders 3 30000 17777; load "$c" invoices 2 1000
verify "$a" "$c" orders; is "one byte of one record is noticed" "$? $(grep -c '^  different' "$work/verify.out")" "6 $(grep -c '^  different' "$work/verify.out")"
load "$c" orders 3 20000; load "$c" orders 3 1000; load "$c" orders 3 300
verify "$a" "$c" orders; is "and named: the record, and what of it differs" "$? $(grep '^  different' "$work/verify.out" | sed 's/[0-9a-f]\{16\}/HASH/g')" "6   different  orders-2  offset 5925: value differs (source 28 bytes HASH, target 28 bytes HASH)"
is "with other hashes" "$(grep '^  different' "$work/verify.out" | grep -o '[0-9a-f]\{16\}' | sort -u | wc -l)" 2
timeout 60 "$kdl" verify --from "$a" --to "$c" --topics orders -o json -q > "$work/json"
is "and for programs" "$? $(tr -d ' \n' < "$work/json" | grep -o '"difference":{"what":\["value"\],"last_of_key":false,"source":{"offset":5925,"batch":5925,')" '6 "difference":{"what":["value"],"last_of_key":false,"source":{"offset":5925,"batch":5925,'
"$kdl" topic create short -b "$a" > /dev/null; "$kdl" topic create short -b "$c" > /dev/null
load "$a" short 1 9001; load "$c" short 1 9000
verify "$a" "$c" short; is "a record that is missing at the target is named" "$? $(grep '^  different' "$work/verify.out" | sed 's/[0-9a-f]\{16\}/HASH/g')" "6   different  short-0  offset 9000: missing at the target (source: timestamp 1700000009000, key 8 bytes HASH, value 27 bytes HASH)"
verify "$c" "$a" short; is "a record that came after the source's end is none of its" $? 0
for broker in "$a" "$c"; do "$kdl" topic create wide -b "$broker" -p 40 > /dev/null; done
load "$a" wide 40 440; load "$c" wide 40 400
verify "$a" "$c" wide; is "of many differing partitions each record is named" "$? $(grep -c '^  different  wide-[0-9]*  offset 10: missing at the target' "$work/verify.out")" "6 40"
"$kdl" topic create empty -b "$a" > /dev/null; "$kdl" topic create empty -b "$c" > /dev/null; load "$a" empty 1 2
verify "$a" "$c" empty; is "an empty target differs at the first record" "$? $(grep -c '^  different  empty-0  offset 0: missing at the target' "$work/verify.out")" "6 1"
for broker in "$a" "$c"; do "$kdl" topic create keyed -b "$broker" --config cleanup.policy=compact > /dev/null; done
keyed() { printf '%s\n' "${@:2}" | timeout 10 kcat -b "$1" -P -t keyed -p 0 -K: -Z; }
keyed "$a" one:1 two:1 one:2 two:2; keyed "$c" one:1 one:2 two:2
verify "$a" "$c" keyed; is "a compacted topic is equal where the last values are" $? 0
keyed "$a" one:3; keyed "$c" one:4
verify "$a" "$c" keyed; is "and where one is another, its key's hash and both offsets are named" "$? $(grep '^  different' "$work/verify.out" | sed 's/[0-9a-f]\{16\}/HASH/g')" "6   different  keyed-0  last record of the key of 3 bytes HASH, at the source at offset 4, at the target at offset 3: value differs (source 1 byte HASH, target 1 byte HASH)"
verify "$a" "$c" invoices; is "what was written alike is equal" $? 0
timeout 20 "$kdl" mirror run --from "$a" --to "$c" --topics orders --until caught-up > /dev/null 2> "$work/refused"; is "a topic in use is not mirrored into" "$? $(grep -c 'cannot be mirrored into' "$work/refused")" "1 1"
timeout 20 "$kdl" verify --from "$a" --to "$b" 2> "$work/refused"; is "without topics: one line, exit 2" "$? $(wc -l < "$work/refused")" "2 1"
timeout 20 "$kdl" mirror run --from 127.0.0.1:1 --to "$b" --topics x 2> "$work/refused"; is "an unreachable source: one line, exit 3" "$? $(wc -l < "$work/refused")" "3 1"
