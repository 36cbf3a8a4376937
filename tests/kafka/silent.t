#!/usr/bin/env bash
# silent.t: kdl audit on a Kafka of three brokers of which one is gone and one does not answer any more: it costs one deadline, not one for each question, and nothing that only those
# brokers know is called absent. A broker that comes back with other requests than the rest is found.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# Runs alone: it measures a deadline.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
pair_setup
kdl=$BUILD/bin/kdl
# The first alone is a controller: one that is silent costs a deadline of its own, since the others pass questions on to it.
"$here/broker" start "$work/kafka" --brokers 3 --controllers 1 >"$work/start" 2>&1; is "three brokers start" $? 0
IFS=, read -r first _ <"$work/kafka/bootstrap"
mapfile -t pids <"$work/kafka/pids"
partitions=20
for broker in 1 2 3; do
    placed=$(printf "$broker,%.0s" $(seq $partitions))
    tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$first" --create --topic "on-$broker" --replica-assignment "${placed%,}" >>"$work/out"
    seq 1000 | timeout 20 kcat -P -b "$first" -t "on-$broker" -X message.timeout.ms=10000 2>>"$work/err"
done

deadline_ms=4000
# An audit that is not sparing: it asks each broker for offsets, sizes, producers, transactions, groups and stored batches.
audit() {
    local began
    began=$(date +%s%3N)
    timeout 120 "$kdl" audit -b "$first" -X request.timeout.ms=$deadline_ms -q -o json >"$work/json" 2>"$work/audit.err"
    code=$?
    ms=$(($(date +%s%3N) - began))
}
topic() { jq -r ".topics[] | select(.name == \"on-$1\") | $2" "$work/json"; }
audit; whole_ms=$ms
batches=$(topic 1 .sampled.batches) # as the producer has cut them
is "all of it is seen" "$code $(jq -c '[.topics[].facts | map_values(.value) | {transactions, compaction, idempotence}] | unique' "$work/json")" \
    '0 [{"transactions":"no","compaction":"no","idempotence":"no"}]'
versions() { jq -r '.cluster.findings[] | select(.rule == "CLU-020") | .value + " " + .text' "$work/json" | sed -E 's/[0-9.]+:[0-9]+: //; s/ within [0-9]+ ms.*//'; }
is "the brokers are of the same version" "$(versions)" ""

"$here/broker" kill "$work/kafka" 3
leaders() { kcat -L -J -b "$first" -t on-3 2>/dev/null | jq -r '[.topics[].partitions[].leader] | unique | join(" ")'; }
gone() { [ "$(leaders)" = -1 ]; }
wait_for 60 gone; is "a broker is gone, its partitions have no leader" $? 0
kill -STOP "${pids[1]}"
audit
kill -CONT "${pids[1]}"
is "and another is silent: the audit costs one deadline more" "$code $((ms < whole_ms + deadline_ms * 3 / 2))" "0 1"
echo "# $ms ms with a silent broker, $whole_ms ms without, deadlines of $deadline_ms ms"
seen() { topic "$1" '[.facts.compaction.value, .facts.idempotence.value, .facts.transactions.value, .verdicts.coordinated.verdict] | join(" ")'; }
why() { topic "$1" '.facts.transactions.evidence[].text' | sed -E 's/^[0-9.:]+: //; s/ within [0-9]+ ms.*//; s/ \([0-9]+ times\)//' | sort -u | grep -E 'no answer|does not answer|NOT_AVAILABLE' | sort | tr '\n' ';'; }
# The silent broker may coordinate transactions over any topic.
is "of the topic on the broker that answers its batches are seen, and transactions not ruled out" "$(seen 1), $(topic 1 .sampled.batches) batches" "no no unknown UNKNOWN, $batches batches"
is "because of the one that is silent" "$(why 1)" "no answer to api_versions;"
is "of the topic on the silent one what any broker tells" "$(seen 2), $(why 2)" "no unknown unknown UNKNOWN, no answer to api_versions;"
is "and of the topic without leaders, which may not move so" "$(seen 3), $(why 3)" "no unknown unknown BLOCKED, 5 LEADER_NOT_AVAILABLE;no answer to api_versions;"
is "which is a finding" "$(topic 3 '[.findings[].rule] | index("HLT-001") != null')" true
is "whether the silent broker is of the same version as the other is open" "$(versions)" "unknown no answer to api_versions"

# Only brokers with a receiver of clients' metrics list the two requests of KIP-714.
echo metric.reporters=kdl.telemetry.Receiver >>"$work/kafka/node-3/server.properties"
"$here/broker" restart "$work/kafka" 3 >>"$work/start" 2>&1; is "the broker that was gone comes back with more requests" $? 0
back() { [ "$(leaders)" = 3 ]; }
wait_for 60 back
audit
is "it is not of the same version" "$code $(versions)" "0 yes 1 of 3 brokers serve other API versions than the first"
echo "1..$tests"
