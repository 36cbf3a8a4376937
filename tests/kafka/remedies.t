#!/usr/bin/env bash
# remedies.t: each command that a rule of kdl audit offers is understood by the tool that it is for: Kafka's, on a real Kafka, and kdl. Speaks TAP.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kdl=$BUILD/bin/kdl
topic=remedies

pair_setup
"$kdl" audit explain -o markdown | sed -n 's/^    //p' | sort -u >"$work/commands"
is "there are commands" "$(awk 'END { print (NR > 25) }' "$work/commands")" 1
is "all are of known tools" "$(grep -vE '^(kafka-[a-z-]+|kdl) ' "$work/commands")" ""

"$here/broker" start "$work/kafka" --prop authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer --prop super.users=User:ANONYMOUS >"$work/start" 2>&1
theirs=$(cat "$work/kafka/bootstrap")
"$kdl" topic create $topic -b "$theirs" --config flush.messages=1 --config unclean.leader.election.enable=false --config message.timestamp.before.max.ms=1000 >/dev/null
# What deletes the topic comes last.
{ grep '^kafka-' "$work/commands" | grep -v -- --delete' '; grep '^kafka-.*--delete ' "$work/commands"; } | sed "s/CLUSTER/$theirs/; s/TOPIC/$topic/" >"$work/asked"
tool kdl.remedies.Remedies <"$work/asked" >"$work/told"
is "Kafka's tools understand theirs" "$(grep -v '^exit 0 ' "$work/told")" ""
is "all were asked" "$(grep -c '^exit' "$work/told")" "$(wc -l <"$work/asked")"

# Wrong use is 2; that nobody listens on the target is another matter.
grep '^kdl ' "$work/commands" | sed "s/CLUSTER/$theirs/; s/TOPIC/$topic/; s/localhost:9092/127.0.0.1:1/" >"$work/own"
while read -r program words; do
    # shellcheck disable=SC2086 # words of a command
    timeout 60 "$kdl" $words >/dev/null 2>"$work/said" </dev/null
    [ $? -ne 2 ] || echo "$program $words: $(cat "$work/said")"
done <"$work/own" >"$work/wrong"
is "kdl understands its own" "$(cat "$work/wrong")" ""
echo "1..$tests"
