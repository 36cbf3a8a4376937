#!/usr/bin/env bash
# kdl mirror save and load: a recording comes back as it was, twice too; what is damaged, in use or not there is told in one line.
. "$(dirname "$0")/common.sh"
plan 13
sample=tests/quickstart/sample.kdl
pa=$(free_port); pb=$(free_port)
a=127.0.0.1:$pa b=127.0.0.1:$pb
start_refbroker a "$pa"; start_refbroker b "$pb"
load() { timeout 60 "$kdl" mirror load "$1" -b "$2" > "$work/out" 2> "$work/err"; code=$?; }
save() { timeout 60 "$kdl" mirror save "$@" > "$work/out" 2> "$work/err"; code=$?; }
one_line() { echo "$code $(wc -c < "$work/out") $(wc -l < "$work/err")"; }
read_all() { timeout 20 kcat -b "$1" -C -t "$2" -o beginning -e -q -X isolation.level="$3" -f '%p %o %k %s\n' 2> /dev/null | sort; }

load "$sample" "$a"; is "the sample of real Kafka is loaded" "$code $(grep -c '^loaded 18 topics, .* 2 groups$' "$work/out")" "0 1"
load "$sample" "$a"; is "once more changes nothing" $code 0
ok "committed transactions are read, aborted and open ones are not" $(($(read_all "$a" payments.orders read_committed | wc -l) >= $(read_all "$a" payments.orders read_uncommitted | wc -l)))
is "a group has its offsets" "$("$kdl" audit -b "$a" -o json | jq -r '.topics[] | select(.name == "streams.lines") | .facts.groups.names[]')" wordcount

save "$work/again" -b "$a" --groups wordcount,balances; is "what was loaded is saved" $code 0
load "$work/again" "$b"; is "and loaded elsewhere" $code 0
timeout 60 "$kdl" verify --from "$a" --to "$b" --topics '*' > "$work/out" 2>&1; is "where it is equal" $? 0
is "a topic's configs came along" "$("$kdl" topic describe wordcount-per-minute-changelog -b "$b" | grep -c 'config cleanup.policy=compact,delete')" 1

head -c 300000 "$sample" > "$work/cut"
load "$work/cut" "$b"; is "a cut file: one line, exit 1" "$(one_line) $(grep -c 'is cut' "$work/err")" "1 0 1 1"
"$kdl" topic delete _schemas -b "$b" > /dev/null 2>&1; "$kdl" topic create other -b "$b" > /dev/null
echo x | kcat -b "$b" -P -t other; save "$work/other" -b "$b" --topics other
load "$work/other" "$b"; is "a topic that is in use: one line, exit 1" "$(one_line)" "1 0 1"
save "$work/none" -b "$a" --topics nowhere; is "no such topic: one line, exit 1, no file" "$(one_line) $(ls "$work"/none* 2> /dev/null)" "1 0 1 "
save; is "no file name: exit 2" $code 2
load "$sample" 127.0.0.1:1; is "nobody there: one line, exit 3" "$(one_line)" "3 0 1"
