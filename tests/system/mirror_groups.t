#!/usr/bin/env bash
# kdl mirror groups and kdl mirror run --groups between refbrokers: what consumers have committed goes along, live, over kill -9 of the mirror, and never beyond the target's log; wrong use.
. "$(dirname "$0")/common.sh"
plan 18
pa=$(free_port); pb=$(free_port)
a=127.0.0.1:$pa b=127.0.0.1:$pb
start_refbroker a "$pa"; start_refbroker b "$pb"
"$kdl" topic create orders -b "$a" -p 2 > /dev/null; "$kdl" topic create other -b "$a" > /dev/null
write() { for partition in 0 1; do seq -f "$1-$partition-%g" "$2" | kcat -b "$a" -P -t orders -p $partition 2> /dev/null; done; } # NAME COUNT: so many into each
consume() { timeout 30 kcat -b "$1" -G "$2" -X auto.offset.reset=earliest -c "$3" -q "${4:-orders}" >> "$work/$2.read" 2> /dev/null; } # BROKER GROUP COUNT
groups() { timeout 60 "$kdl" mirror groups --from "$a" --to "$b" --topics orders "$@" > "$work/out" 2> "$work/err"; }
mirror() { timeout 60 "$kdl" mirror run --from "$a" --to "$b" --topics orders -q "$@" > "$work/mirror.out" 2>&1; }

write first 500
consume "$a" billing 700; consume "$a" mail 1000
mirror --until caught-up; is "the records are mirrored" $? 0
groups --dry-run; is "a rehearsal commits nothing" "$? $(grep -c 'nothing was committed' "$work/out")" "0 1"
groups --dry-run -o json; is "and would copy all" "$? $(tr -d ' \n' < "$work/out" | grep -o '"totals":{"equal":0,' | wc -l)" "0 1"
groups --groups 'bill*'; is "one pass, of groups by pattern" "$? $(grep -c '^1 group, .* copied$' "$work/out")" "0 1"
consume "$b" billing 300; is "a consumer goes on at the target where it stopped" "$(sort "$work/billing.read" | uniq -u | wc -l)" 1000
groups; is "what is higher there stays" "$? $(grep -c '^ahead: ' "$work/out")" "4 1"

# The source goes on without the mirror.
write second 500
consume "$a" mail 1000
groups --groups mail; is "nothing goes beyond the end of the target's log" "$? $(grep -c '^behind: ' "$work/out")" "4 1"
groups --groups mail; is "and so it stays" "$? $(grep -c '^  mail .* 2 behind$' "$work/out")" "4 1"
mirror --until caught-up --groups mail; is "until the mirror is there" "$? $(grep -cE '^offsets of 1 group, 2 partitions: 2 (equal|copied)$' "$work/mirror.out")" "0 1"

# Live, over deaths of the mirror.
mirror_start() { "$kdl" mirror run --from "$a" --to "$b" --topics orders -q --groups mail > /dev/null 2>&1 & job=$!; }
mirror_start
for round in 1 2 3; do
    write "third-$round" 300; consume "$a" mail 600
    kill -9 "$job"; wait "$job" 2> /dev/null
    mirror_start
done
is_equal() { groups --groups mail --dry-run -o json && tr -d ' \n' < "$work/out" | grep -q '"totals":{"equal":2,'; }
wait_for 30 is_equal; ok "a live mirror brings the offsets along, over kill -9" $?
kill "$job"; wait "$job" 2> /dev/null
write fourth 10
mirror --until caught-up
consume "$b" mail 20; is "and nobody reads anything twice, or not at all" "$(sort "$work/mail.read" | uniq -u | wc -l) $(sort "$work/mail.read" | uniq -d | wc -l)" "3820 0"

groups --groups nobody; is "groups that are not there: one line" "$? $(cat "$work/err")" "1 kdl: source: no group matches nobody"
timeout 20 kcat -b "$a" -G idle -c 1 other > /dev/null 2>&1 &
idle=$!
is_listed() { groups --groups idle,mail; grep -q '^1 other group has no offsets on these topics' "$work/out"; }
wait_for 20 is_listed; ok "a group without offsets on these topics is counted" $?
kill "$idle"; wait "$idle" 2> /dev/null
echo x | kcat -b "$a" -P -t other; consume "$a" mail 1 other
groups --groups mail; is "and so are offsets of a group on other topics" "$(grep -c '^  mail .*; 1 of other topics$' "$work/out")" 1
timeout 20 "$kdl" mirror groups --from "$a" --to "$b" --topics other > "$work/out" 2> "$work/err"; is "topics that the target has not: one line" "$? $(cat "$work/err")" "1 kdl: target: topic other is not there"
timeout 20 "$kdl" mirror groups --from "$a" --to 127.0.0.1:1 --topics orders 2> "$work/err"; is "an unreachable target: one line, exit 3" "$? $(wc -l < "$work/err")" "3 1"
timeout 20 "$kdl" mirror groups --from "$a" --to "$b" 2> "$work/err"; is "without topics: one line, exit 2" "$? $(wc -l < "$work/err")" "2 1"
timeout 20 "$kdl" mirror groups --from "$a" --to "$b" --topics orders now 2> "$work/err"; is "a stray word: one line, exit 2" "$? $(wc -l < "$work/err")" "2 1"
