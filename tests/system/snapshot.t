#!/usr/bin/env bash
# kdl audit's snapshots: reports of them, redacted ones, differences, and a watch over kill -9 that sees what shows for moments only.
. "$(dirname "$0")/common.sh"
plan 37
pa=$(free_port)
a=127.0.0.1:$pa
http=127.0.0.1:$(free_port)
start_refbroker a "$pa" --http "$http"
audit() { timeout 60 "$kdl" audit "$@" > "$work/out" 2> "$work/err"; }
until_line() { wait_for 30 grep -q "$1" "$2"; }

"$kdl" mirror load "$(dirname "$0")/../quickstart/sample.kdl" -b "$a" > /dev/null 2>&1; is "an estate is there" $? 0
"$kdl" topic create acme.orders -b "$a" -p 3 > /dev/null; "$kdl" topic create acme.old -b "$a" > /dev/null

audit -b "$a" -q -o json --design all --snapshot "$work/a.kdla"; is "an audit keeps a snapshot" $? 0
cp "$work/out" "$work/json"
audit report --from "$work/a.kdla" -o json --design all; is "its report is that of the audit, byte for byte" "$? $(cmp "$work/out" "$work/json" && echo same)" "0 same"
audit -b "$a" -q --fail-on blocked; code=$?; audit report --from "$work/a.kdla" --fail-on blocked; is "and so is its exit code" $? $code
audit -b 127.0.0.1:1 --snapshot "$work/a.kdla"; is "a file that is there is refused before the cluster is asked" "$? $(cat "$work/err")" "1 kdl: snapshot $work/a.kdla: it is there already, and is not overwritten"
audit report --from "$0"; is "another file is refused" "$? $(cat "$work/err")" "2 kdl: snapshot $0: it is no snapshot of kdl audit"
audit diff "$0" "$work/a.kdla"; is "so it is as the older one of a difference" "$? $(cat "$work/err")" "2 kdl: snapshot $0: it is no snapshot of kdl audit"
audit diff "$work/a.kdla" "$0"; is "and as the newer one" "$? $(cat "$work/err")" "2 kdl: snapshot $0: it is no snapshot of kdl audit"
echo text > "$work/text"; audit watch -b "$a" --snapshot "$work/text" --for 1d
is "a watch that would go on with one does not begin, and leaves it as it is" "$? $(cat "$work/err") $(cat "$work/text")" "2 kdl: snapshot $work/text: it is no snapshot of kdl audit text"

audit -b "$a" -q -o json --snapshot "$work/r.kdla" --redact "$work/key"; is "a redacted one is kept" $? 0
is "the key is for its owner alone" "$(stat -c %a "$work/key")" 600
is "no name of ours is in it" "$(grep -c -a -i acme "$work/r.kdla")" 0
verdicts() { jq -c '[.topics[] | [.partitions, .bytes, .offsets, .cleanup_policy, (.verdicts | map_values(.verdict)), (.facts | map_values(.value)), ([.findings[].rule] | sort)]] | sort' "$1"; }
audit report --from "$work/r.kdla" -o json; is "facts, verdicts and rules are the same" "$(verdicts "$work/out" | sha256sum)" "$(verdicts "$work/json" | sha256sum)"
"$kdl" audit -b "$a" -q --snapshot "$work/r2.kdla" --redact "$work/key" > /dev/null; audit diff "$work/r.kdla" "$work/r2.kdla"; is "with the same key the names are the same" "$? $(sed -n 2p "$work/out")" "0 0 differences, 0 verdicts worse, 0 better"

"$kdl" topic delete acme.old -b "$a" > /dev/null; "$kdl" topic create acme.ledger -b "$a" --config cleanup.policy=compact > /dev/null
seq 1000 | timeout 20 kcat -P -b "$a" -t acme.orders -X message.timeout.ms=10000 2> /dev/null
audit -b "$a" -q --snapshot "$work/b.kdla"; audit diff "$work/a.kdla" "$work/b.kdla"
is "a difference tells what came, what went and what was written" "$? $(grep -cE '^  (\+ acme.ledger  1 partitions|- acme.old  1 partitions|acme.orders  1000 records, [0-9.]+/s)$' "$work/out")" "0 3"
audit diff "$work/a.kdla" "$work/b.kdla" --design coordinated --fail-on-worse -o json; is "a new topic that may not move is worse" "$? $(jq -r '.changes[] | select(.kind == "verdict" and .worse) | .topic' "$work/out")" "1 acme.ledger"
audit -b "$a" -q --rate 2 -o json & rating=$!
read -r -t 0.7 <> <(:) || :
seq 500 | timeout 20 kcat -P -b "$a" -t acme.orders -X message.timeout.ms=10000 2> /dev/null
wait $rating; is "a rate is what came between two looks" "$(jq -c '.topics[] | select(.name == "acme.orders") | .rate.records' "$work/out")" 500

# An audit that is ended behind its sampling, where it waits for a rate.
fetched() { curl -s "http://$http/metrics" | awk '/^kdl_fetch_bytes_total/ { print $2 }'; }
sampled() { jq -c '[.topics[] | [.name, .sampled]]' "$1"; }
audit -b "$a" -q -o json; cp "$work/out" "$work/whole"
"$kdl" audit -b "$a" -q --rate 3600 --snapshot "$work/e.kdla" > /dev/null 2>&1 & job=$!
wait_for 30 test -e "$work/e.kdla.unfinished"; is "an audit that takes long keeps what it has read" $? 0
kill -9 $job; wait $job 2> /dev/null
before=$(fetched)
audit -b "$a" -o json --snapshot "$work/e.kdla"; code=$?
is "killed (-9), it goes on with the same command" "$code $(grep -c "^going on with $work/e.kdla.unfinished: of [1-9][0-9]* partitions nothing is read again; remove it to begin anew$" "$work/err")" "0 1"
is "and comes to what one comes to that was not killed" "$(sampled "$work/out" | sha256sum)" "$(sampled "$work/whole" | sha256sum)"
is "it has read no topic's records again" "$(($(fetched) - before < $(jq '[.topics[].sampled.bytes | values] | add' "$work/out") / 2))" 1
is "what was kept is gone" "$(ls "$work" | grep -c unfinished)" 0
cp "$work/a.kdla" "$work/o.kdla.unfinished"; pb=$(free_port); start_refbroker b "$pb"
audit -b 127.0.0.1:"$pb" -q --snapshot "$work/o.kdla"
is "what is left of another cluster's audit is refused, with what to do about it" "$? $(grep -c "^kdl: remove $work/o.kdla.unfinished to begin anew: it is of another cluster: .*, and this one is .*" "$work/err") $(wc -l < "$work/err")" "2 1 1"

printf '%s\n' '# who answers' 'CMP-003 acme.* 2099-12-31 me it is small' '* nothing.* 2099-12-31 me x' 'TXN-001 * 2020-01-01 me x' > "$work/waivers"
audit report --from "$work/b.kdla" -o json --waivers "$work/waivers"; is "waivers waive, and those that are over or idle are told" "$? $(jq -r '[.topics[].findings[].waiver.why | values] | unique | join(",")' "$work/out") $(grep -cE '^kdl: waivers, line (3 .*: waives nothing|4 .*: over since 2020-01-01)$' "$work/err")" "0 it is small 2"
audit diff "$work/a.kdla" "$work/b.kdla" --fail-on-worse > /dev/null; code=$?
audit report --from "$work/b.kdla" --fail-on changes -o junit --waivers <(echo '* * 2099-12-31 me all of it'); is "with all waived nothing fails" "$code $?" "1 0"
audit report --from "$work/b.kdla" --baseline "$work/a.kdla" --fail-on blocked -o json; code=$?
"$kdl" audit report --from "$work/a.kdla" --baseline "$work/a.kdla" --fail-on changes > "$work/table"; is "what stood in the baseline fails nobody, what is new does" "$? $code $(jq -r '[.topics[] | select([.findings[].known] | any) | .name] | index("acme.ledger")' "$work/out") $(grep -c '^known.* stood in the baseline' "$work/table")" "0 1 null 1"
audit report --from "$work/b.kdla" --baseline "$work/a.kdla" --fail-on blocked -o junit
is "JUnit fails for the new one alone" "$(grep -c '<failure' "$work/out") $(sed -n 's/.*name="\([^"]*\)"><failure.*/\1/p' "$work/out")" "1 acme.ledger"
audit report --from "$work/b.kdla" --baseline "$work/a.kdla" -o sarif
is "SARIF tells which results are new" "$(jq -r '[.runs[0].results[].baselineState] | unique | join(" ")' "$work/out") $(jq -r '[.runs[0].results[] | select(.baselineState == "new" and .level == "error") | .locations[0].logicalLocations[0].name] | unique | join(" ")' "$work/out")" "new unchanged acme.ledger"
audit -b 127.0.0.1:1 --baseline "$0"; is "a baseline that is no snapshot: one line, before the cluster is asked" "$? $(wc -l < "$work/err") $(grep -c "^kdl: --baseline: .*: it is no snapshot of kdl audit" "$work/err")" "2 1 1"
audit -b 127.0.0.1:1 --waivers <(echo 'CMP-003 acme.*'); is "a waiver that is none: one line, exit 2, before the cluster is asked" "$? $(grep -c '^kdl: --waivers: .*: line 1: it takes RULE TOPICS UNTIL OWNER WHY' "$work/err")" "2 1"

# A watch, killed (-9) while it looks and while it waits; a group and a transaction are there for a moment each.
watch_start() { "$kdl" audit watch -b "$a" --snapshot "$work/w.kdla" --for 1d --every 1s > "$work/w.out" 2>> "$work/w.err" & job=$!; }
watch_start; until_line '^look 1:' "$work/w.err"; is "a watch begins" $? 0
mkfifo "$work/hold" # while it is open, so is kcat's transaction
kcat -b "$a" -P -t acme.orders -X transactional.id=watched-1 < "$work/hold" > "$work/txn.out" 2>&1 & txn=$!
exec 9> "$work/hold"; seq 1000 >&9 # kcat reads a thousand bytes at a time
timeout 20 kcat -b "$a" -G nightly -X auto.offset.reset=earliest acme.orders -e -q > /dev/null 2>&1
before=$(sed -n 's/^look 1: .* \([0-9]*\) seen in transactions.*/\1/p' "$work/w.err")
until_line " $((before + 1)) seen in transactions" "$work/w.err"; is "it sees a transaction that is open" $? 0
exec 9>&-; wait "$txn"; is "and has ended since" $? 0
kill -9 "$job"; wait "$job" 2> /dev/null
looks=$(grep -c '^look' "$work/w.err")
watch_start; until_line "^look $((looks + 2)):" "$work/w.err"; is "killed, it goes on" $? 0
kill -INT "$job"; wait "$job"; is "interrupted, it reports" "$? $(grep -cE '^[0-9]+ looks in [0-9.]+ h, never more than [0-9.]+ min apart$' "$work/w.out")" "0 1"
audit report --from "$work/w.kdla" -o json
is "what showed for a moment is in the snapshot" "$(jq -r '.topics[] | select(.name == "acme.orders") | "\(.facts.transactions.value) \(.facts.groups.names | join(","))"' "$work/out")" "yes nightly"
audit watch -b "$a" --snapshot "$work/w.kdla" --for soon; is "a time that is none: one line, exit 2" "$? $(grep -c '^kdl: --for soon: it takes a time such as' "$work/err")" "2 1"
