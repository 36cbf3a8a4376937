#!/usr/bin/env bash
# kdl cutover between refbrokers: each gate refuses what it is for, a cut-over that is killed (-9) again and again ends with every record at the target once, and the way back.
# CUTOVER_KILLS: how often (6).
. "$(dirname "$0")/common.sh"
plan 47
kills=${CUTOVER_KILLS:-6}
[ -z "${LONG:-}" ] || kills=${CUTOVER_KILLS:-60}
pa=$(free_port); pb=$(free_port); pc=$(free_port)
a=127.0.0.1:$pa b=127.0.0.1:$pb c=127.0.0.1:$pc
start_refbroker a "$pa"; start_refbroker b "$pb"; start_refbroker c "$pc"
write() { seq -f "$3-%g" "$4" | kcat -b "$1" -P -t "$2" -p "${5:-0}" 2> "$work/kcat"; } # BROKER TOPIC NAME COUNT
consume() { timeout 30 kcat -b "$1" -G "$2" -X auto.offset.reset=earliest -c "$3" -q "$4" > /dev/null 2>&1; } # BROKER GROUP COUNT TOPIC
all() { kcat -b "$1" -C -t "$2" -o beginning -e -q 2> /dev/null | sort; }
cutover() { # SUBCOMMAND TOPICS FLAG...: from a to b
    timeout 60 "$kdl" cutover "$1" --from "$a" --to "$b" --topics "$2" --still-seconds 1 "${@:3}" > "$work/out" 2> "$work/err"
}
outcome() { sed -n "s/^  \(ok\|refused\|left out\)  *$1  .*/\1/p" "$work/out"; } # STEP

for topic in orders payments; do "$kdl" topic create $topic -b "$a" -p 2 > /dev/null; done
for partition in 0 1; do write "$a" orders first 2000 $partition; write "$a" payments first 100 $partition; done
consume "$a" billing 1000 orders

cutover check orders; is "a target without the topics: one line" "$? $(cat "$work/err")" "1 kdl: target: topic orders is not there"
timeout 60 "$kdl" mirror run --from "$a" --to "$b" --topics orders,payments --until caught-up -q > /dev/null
cutover check 'orders,payments' --groups '*'; is "all gates are open where all is still and there" "$? $(tail -n 1 "$work/out")" "0 all gates are open; nothing was changed."
is "each is told" "$(outcome still) $(outcome drained) $(outcome equal) $(outcome groups) $(outcome 'as still')" "ok ok ok ok ok"
write "$b" orders refused 1 > /dev/null 2>&1; is "and nothing was changed: the target takes no records yet" "$(all "$b" orders | grep -c refused)" 0
write "$a" orders second 100
cutover check orders; is "records that the target lacks are told" "$? $(outcome drained) $(grep -c '100 records are missing in orders-0: kdl mirror run brings them' "$work/out")" "5 refused 1"
cutover check orders -o json; is "for programs, too" "$? $(tr -d ' \n' < "$work/out" | grep -o '"holds":false,"phase":"none"')" '5 "holds":false,"phase":"none"'

# Somebody goes on writing.
(while :; do write "$a" orders busy 5; read -r -t 0.1 <> <(:) || :; done) &
writer=$!
cutover run orders --record "$work/r" --wait-seconds 2; is "a source that grows is not left" "$? $(outcome still)" "5 refused"
is "and is named" "$(grep -c ' records came to orders-0 within 1 s: stop the producers' "$work/out")" 1
is "and what it waits for was told meanwhile" "$(grep -c '^  waits     still' "$work/err")" 1
"$kdl" cutover run --from "$a" --to "$b" --topics orders --still-seconds 1 --record "$work/r" --wait-seconds 60 > /dev/null 2> "$work/waits" & runner=$!
wait_for 20 test -s "$work/waits"
timeout 20 "$kdl" cutover run --from "$a" --to "$b" --topics orders --record "$work/r" > "$work/second" 2>&1; is "two processes do not share a record" "$? $(cat "$work/second")" "7 kdl: record r: r.lock is held by another process"
"$kdl" cutover status --record "$work/r" > "$work/second"; is "but may look at it" "$? $(head -n 1 "$work/second")" "0 begun: the target takes no records yet. 1 topics, not fenced."
kill -TERM "$runner"
wait "$runner"; is "an interruption ends it" $? 130
kill "$writer"; wait "$writer" 2> /dev/null

# A group that still works at the source.
timeout 120 kcat -b "$a" -G billing orders -q > /dev/null 2>&1 &
member=$!
is_at_work() { "$kdl" cutover check --from "$a" --to "$b" --topics orders --still-seconds 1 --groups billing 2>&1 | grep -q 'group billing has members at the source'; }
wait_for 30 is_at_work
cutover run orders --record "$work/r" --groups '*' --wait-seconds 1; is "a group with members at the source is waited for" "$? $(outcome groups)" "5 refused"
is "and says how to go on" "$(tail -n 1 "$work/out")" 'refused at "groups"; the target is as it was. Run the same command again, or kdl cutover back.'
# As after a crash before the promotion that was noted: the gates are asked again.
sed 's/"phase": "begun"/"phase": "promoting"/' "$work/r" > "$work/crashed"
cutover run orders --record "$work/crashed" --groups '*' --wait-seconds 1; is "a promotion that did not come to be is none" "$? $(outcome still) $(outcome groups) $("$kdl" cutover status --record "$work/crashed" | cut -d: -f1 | head -n 1)" "5 ok refused begun"
# Whoever writes while the group is waited for is found before the target is promoted.
"$kdl" cutover run --from "$a" --to "$b" --topics orders,payments --still-seconds 1 --record "$work/two" --groups '*' --wait-seconds 60 > "$work/out" 2> "$work/waits" & runner=$!
wait_for 30 grep -q '^  waits     groups' "$work/waits"
write "$a" payments between 1
kill "$member"; wait "$member" 2> /dev/null
wait "$runner"; is "records that come behind the gates are found" "$? $(outcome groups) $(outcome 'as still') $(grep -c '1 records came to payments-0 meanwhile' "$work/out")" "5 ok refused 1"

# Killed at any moment, beside a mirror that follows; the last one ends it.
"$kdl" mirror run --from "$a" --to "$b" --topics orders,payments --groups '*' > "$work/mirror" 2>&1 & mirror=$!
for round in $(seq "$kills"); do
    "$kdl" cutover run --from "$a" --to "$b" --topics orders --still-seconds 1 --record "$work/r" --groups '*' > /dev/null 2>&1 & runner=$!
    read -r -t "$(awk -v r=$RANDOM 'BEGIN { print 0.02 + r / 32768 * 1.4 }')" <> <(:)
    kill -9 "$runner" 2> /dev/null; wait "$runner" 2> /dev/null
    "$kdl" cutover status --record "$work/r" > "$work/second" 2>&1 || break
done
is "a record that was killed with its process can be read ($kills kills)" "$(grep -cE '^(begun|promoting|promoted): ' "$work/second")" 1
cutover run orders --record "$work/r" --groups '*'; is "the same command goes on, and ends" "$? $(outcome promoted) $(tail -n 1 "$work/out")" "0 ok cut over: producers, and the groups' consumers, may be started at the target."
is "every record is at the target, once" "$(all "$b" orders | md5sum)" "$(all "$a" orders | md5sum)"
"$kdl" cutover status --record "$work/r" -o json > "$work/second"; is "the record says so" "$(tr -d ' \n' < "$work/second" | grep -o '"phase":"promoted","fenced":false')" '"phase":"promoted","fenced":false'
cutover run orders --record "$work/r"; is "once more changes nothing" "$? $(grep -c 'which has 0 of its own; none came late' "$work/out")" "0 1"

# The way back, while nothing would be lost.
cp "$work/r" "$work/kept"
back() { timeout 60 "$kdl" cutover back --from "$a" --to "$b" --record "$1" "${@:2}" > "$work/out" 2> "$work/err"; }
back "$work/r"; is "it can be taken back as long as the target has no records of its own" "$? $(tail -n 1 "$work/out")" "0 taken back: producers and consumers may be started at the source."
back "$work/r"; is "once" "$? $(cat "$work/err")" "1 kdl: record r: it was taken back, so there is nothing to take back"
cutover run orders --record "$work/r"; is "and not gone on with" "$? $(grep -c 'name another record to begin anew' "$work/err")" "1 1"
# As after a crash between the promotion and its note.
sed 's/"phase": "promoted"/"phase": "promoting"/' "$work/kept" > "$work/r"
back "$work/r"; is "a promotion that was interrupted is not taken back unseen" "$? $(grep -c 'a promotion was interrupted: kdl cutover run ends it first' "$work/err")" "1 1"
cutover run orders --record "$work/r"; is "but gone on with" "$? $(outcome promoted) $("$kdl" cutover status --record "$work/r" | head -n 1 | cut -d: -f1)" "0 ok promoted"
cp "$work/kept" "$work/r"
write "$b" orders here 10; is "producers write at the target" "$(all "$b" orders | grep -c '^here-')" 10
consume "$b" billing 10 orders; is "the group goes on there" $? 0
back "$work/r"; is "from then on the way back would lose records" "$? $(grep -c '10 records were written at the target since' "$work/out")" "5 1"
cutover run orders --record "$work/r"; is "which the record tells, too" "$? $(grep -c 'which has 10 of its own' "$work/out")" "0 1"
write "$a" orders late 3
cutover run orders --record "$work/r"; is "records that come late, to the source, are told" "$? $(outcome promoted) $(grep -c '3 came late, to the source' "$work/out")" "5 refused 1"
wait_for 30 grep -q '^1 of 4 partitions have failed, as orders-0 at offset [0-9]*: the target refuses: ' "$work/mirror"; is "a mirror that still runs does not bring them, and says so" "$? $(all "$b" orders | grep -c late)" "0 0"
kill "$mirror"; wait "$mirror"; is "and ends as failed" $? 1
back "$work/r" --lose-writes; is "who says so goes back all the same" $? 0

# A target that is no copy: the same number of other records.
"$kdl" topic create payments -b "$c" -p 2 > /dev/null
for partition in 0 1; do write "$c" payments other 100 $partition; done
write "$c" payments between 1
timeout 60 "$kdl" cutover run --from "$c" --to "$b" --topics payments --still-seconds 1 --record "$work/other" > "$work/out" 2>&1; is "a target with other records is not promoted" "$? $(outcome equal)" "5 refused"
is "and the first difference is named" "$(grep -c 'payments-0: offset 0: ' "$work/out")" 1
timeout 60 "$kdl" cutover run --from "$c" --to "$b" --topics payments --still-seconds 1 --tail-records 0 --record "$work/other" --groups nobody --wait-seconds 0 > "$work/out" 2>&1; is "unless nobody wants to know" "$? $(outcome equal)" "0 left out"
timeout 60 "$kdl" cutover run --from "$a" --to "$b" --topics payments --still-seconds 1 --record "$work/other" > "$work/out" 2>&1; is "a record is of one pair of clusters" "$? $(grep -c 'record other is of a cut-over from cluster' "$work/out")" "1 1"

timeout 60 "$kdl" cutover run --from "$c" --to "$a" --topics payments --fence --record "$work/fenced" > "$work/out" 2> "$work/err"; is "without an authorizer there is no fence: one line" "$? $(grep -c '^kdl: source: it has no authorizer, .* leave out --fence$' "$work/err")" "1 1"
"$kdl" cutover status --record "$work/fenced" > "$work/out"; is "and none to be lifted" "$? $(head -n 1 "$work/out")" "0 begun: the target takes no records yet. 1 topics, not fenced."

# A source that says nothing: what is under way is waited for, unless it is said once more.
: > "$work/silent"
"$BUILD/tests/system/null_server" silent > "$work/silent" &
wait_for 10 grep -q : "$work/silent"
began=$SECONDS
"$kdl" cutover run --from "$(cat "$work/silent")" --to "$b" --topics payments --record "$work/y" > /dev/null 2>&1 & runner=$!
wait_for 10 test -e "$work/y.lock"
is_over() { kill -INT "$runner" 2> /dev/null; ! kill -0 "$runner" 2> /dev/null; }
wait_for 20 is_over; wait "$runner"; is "two interruptions end it at once" "$? $((SECONDS - began < 20))" "130 1"

# Wrong use.
timeout 20 "$kdl" cutover run --from "$a" --to "$b" 2> "$work/err"; is "without topics: one line, exit 2" "$? $(wc -l < "$work/err")" "2 1"
timeout 20 "$kdl" cutover run --from "$a" --to "$b" --topics x --record "$work/no/r" 2> "$work/err"; is "a record in no folder: one line, exit 2" "$? $(wc -l < "$work/err")" "2 1"
timeout 20 "$kdl" cutover back --from "$a" --to "$b" --record "$work/none" 2> "$work/err"; is "nothing to take back: one line" "$? $(cat "$work/err")" "1 kdl: record none: nothing was done, so there is nothing to take back"
timeout 20 "$kdl" cutover status --record "$work/none" 2> "$work/err"; is "no record to look at: one line" "$? $(wc -l < "$work/err")" "1 1"
echo '{}' > "$work/strange"; timeout 20 "$kdl" cutover status --record "$work/strange" 2> "$work/err"; is "no record of ours: one line" "$? $(cat "$work/err")" "1 kdl: record strange: it is no record of a cut-over"
timeout 20 "$kdl" cutover run --from 127.0.0.1:1 --to "$b" --topics x --record "$work/y" 2> "$work/err"; is "an unreachable source: one line, exit 3" "$? $(wc -l < "$work/err")" "3 1"
