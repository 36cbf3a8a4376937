#!/usr/bin/env bash
# audit_history.t: kdl audit finds what Kafka tells of the past without its records: aborted transactions that only the brokers' lists still show, and logs that an unclean election
# has cut back below what a group has read. An audit that is killed (-9) in the middle of its sampling goes on with it.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
pair_setup
kdl=$BUILD/bin/kdl
# Producers are forgotten soon, and brokers that are gone, too.
props=()
for prop in producer.id.expiration.ms=2000 producer.id.expiration.check.interval.ms=200 broker.session.timeout.ms=2000 broker.heartbeat.interval.ms=500 \
    remote.log.storage.system.enable=true remote.log.storage.manager.class.name=kdl.broker.FolderStorage "rsm.config.folder=$work/tiered" \
    remote.log.metadata.manager.listener.name=PLAINTEXT rlmm.config.remote.log.metadata.topic.replication.factor=1 \
    rlmm.config.remote.log.metadata.topic.num.partitions=1 remote.log.manager.task.interval.ms=500 log.retention.check.interval.ms=500; do
    props+=(--prop "$prop")
done
"$here/broker" start "$work/kafka" --brokers 3 --controllers 1 "${props[@]}" >"$work/start" 2>&1; is "three brokers start" $? 0
bootstrap=$(cat "$work/kafka/bootstrap")
first=${bootstrap%%,*}
quota() { tool kafka.admin.ConfigCommand --bootstrap-server "$first" --alter --entity-type clients --entity-default "$@" >>"$work/out"; }
produce() { seq "$2" | timeout 60 kcat -P -b "$bootstrap" -t "$1" -p 0 -X acks=all -X message.timeout.ms=30000 2>>"$work/err"; }
audit() { timeout 120 "$kdl" audit -b "$first" -q -o json "$@" >"$work/json" 2>"$work/audit.err"; }
topic() { jq -r ".topics[] | select(.name == \"$1\") | $2" "$work/json"; }

# --- aborted transactions ---
records=8000
of_api() { topic "$1" '.facts.transactions.evidence[] | select(.api == "Fetch") | .text'; }
forgotten() { audit --sample-bytes 0 --topics 'long-*'; [ "$(jq -r '[.topics[] | select(.name | startswith("long-")) | .facts.transactions.value] | unique | join(" ")' "$work/json")" = unknown ]; }
aborted_look() { # BROKER, at $first
    local abort
    rm -f "$work/failed"
    for abort in true false; do "$here/run" kdl.audit.LongAbort "$first" "long-$abort" $records $abort >>"$work/out" 2>>"$work/err" || echo "long-$abort" >>"$work/failed"; done
    is "$1: a long transaction is aborted in one of two topics" "$(cat "$work/failed" 2>/dev/null)" ""
    wait_for 60 forgotten; is "its producer is forgotten, and without records nothing tells" $? 0
    # Too little for the log of transactions, and for all of the topics.
    audit --sample-bytes 3000000 --topics 'long-*'; is "a part of the records is read" "$? $(topic long-true .sampled.whole) $(topic long-false .sampled.whole)" "0 false false"
    is "none of them is transactional" "$(topic long-false '.facts.transactions.value') $(of_api long-true | grep -c 'batches are transactional')" "no 0"
    is "the lists of aborted transactions tell" "$(topic long-true '.facts.transactions | .value + " " + .confidence') $(of_api long-true)" "yes certain aborted transactions span 8 of 8 offsets that were asked about"
    is "and where there was none they say so" "$(of_api long-false | tail -n 1)" "no aborted transaction spans any of 8 offsets that were asked about"
    is "the one topic is blocked, the other is not" "$(topic long-true .verdicts.coordinated.verdict) $(topic long-false '[.findings[].rule] | index("TXN-001")')" "BLOCKED null"
}
aborted_look Kafka
pair_start_ours producer.id.expiration.ms=2000 producer.id.expiration.check.interval.ms=200
first=$ours aborted_look refbroker

# --- an audit that is killed ---
# All of them on one broker, whose quota lets the audit read a part of them at once.
partitions=12
placed=$(printf '1,%.0s' $(seq $partitions))
tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$first" --create --topic part --replica-assignment "${placed%,}" >>"$work/out"
head -c 600000 /dev/urandom | base64 -w 1000 >"$work/lines"
for ((i = 0; i < partitions; i++)); do timeout 60 kcat -P -b "$bootstrap" -t part -p $i -X message.timeout.ms=30000 <"$work/lines" 2>>"$work/err" || echo "part $i" >>"$work/failed"; done
is "partitions are filled" "$(cat "$work/failed" 2>/dev/null)" ""
audit --topics part; cp "$work/json" "$work/whole"
quota --add-config consumer_byte_rate=300000
timeout 300 "$kdl" audit -b "$first" -q --topics part --snapshot "$work/a.kdla" >/dev/null 2>&1 & job=$!
sampled() { sqlite3 -readonly "$work/a.kdla.unfinished" 'SELECT sum(is_sampled) FROM partitions' 2>/dev/null; }
some_sampled() { [ "$(sampled)" -gt 0 ] 2>/dev/null; }
wait_for 120 some_sampled; is "an audit that takes long keeps what it has read" $? 0
kill -9 $job; wait $job 2>/dev/null
quota --delete-config consumer_byte_rate
before=$(sampled)
timeout 120 "$kdl" audit -b "$first" -o json --topics part --snapshot "$work/a.kdla" >"$work/json" 2>"$work/audit.err"; code=$?
is "killed in the middle of it, it goes on with what it has read" "$code $(grep -c "of $before partitions nothing is read again" "$work/audit.err") $((before < partitions))" "0 1 1"
sampled_of() { jq -c '.topics[] | select(.name == "part") | [.sampled, (.facts | map_values(.value))]' "$1"; }
is "and comes to what one comes to that was not killed" "$(sampled_of "$work/json")" "$(sampled_of "$work/whole")"

# --- tiered storage ---
tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$first" --create --topic tiered --replica-assignment 1 \
    --config remote.storage.enable=true --config segment.bytes=1048576 --config local.retention.ms=1000 >>"$work/out"
for _ in 1 2 3 4 5 6; do timeout 60 kcat -P -b "$bootstrap" -t tiered -X message.timeout.ms=30000 <"$work/lines" 2>>"$work/err"; done
local_start() { tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$first" --topic tiered --time -4 | cut -d: -f3; }
some_tiered() { [ "$(local_start)" -gt 0 ]; }
wait_for 90 some_tiered; is "segments lie in tiered storage alone" $? 0
tiered_finding() { topic tiered '.findings[] | select(.rule == "CFG-001") | .text' | sed 's/ of .*//'; }
tiered_agrees() { audit --topics tiered --sample-bytes 0 && [ "$(tiered_finding)" = "$(local_start)" ]; } # it grows until only the active segment is on the disks
wait_for 60 tiered_agrees; is "an audit tells how many offsets these are" "$? $(topic tiered '.findings[] | select(.rule == "CFG-001") | .text' | sed -E 's/[0-9]+/N/g')" \
    "0 N of N offsets lie in tiered storage alone, which its size leaves out"

# --- leader epochs ---
tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$first" --create --topic cut --replica-assignment 2:3 --config unclean.leader.election.enable=true --config min.insync.replicas=1 >>"$work/out"
produce cut 10; is "ten records are on both replicas" $? 0
state() { kcat -L -J -b "$first" -t cut 2>/dev/null | jq -r '.topics[0].partitions[0] | "\(.leader) \([.isrs[].id] | sort | join(","))"'; }
state_is() { [ "$(state)" = "$1" ]; }
audit --topics cut; is "of a topic whose leader is the first nothing is found" "$? $(topic cut '[.findings[].rule | select(. == "HLT-004" or . == "GRP-008")] | length')" "0 0"
"$here/broker" kill "$work/kafka" 3
wait_for 60 state_is "2 2"; is "one of them is gone" $? 0
produce cut 10
tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$first" --topic cut --group reader --from-beginning --max-messages 20 >"$work/read"
is "ten more are on the other alone, and a group has read all" "$(wc -l <"$work/read")" 20
"$here/broker" kill "$work/kafka" 2
"$here/broker" restart "$work/kafka" 3 >>"$work/out" 2>&1
wait_for 60 state_is "3 3"; is "the one that has missed them is elected" $? 0
produce cut 15
"$here/broker" restart "$work/kafka" 2 >>"$work/out" 2>&1
wait_for 60 state_is "3 2,3"; is "others took their offsets, and the replicas are the same again" $? 0
audit --topics cut; code=$?
finding() { topic "$1" ".findings[] | select(.rule == \"$2\") | .text"; }
is "an audit tells since when the last leader leads" "$code $(finding cut HLT-004 | sed -E 's/epoch [0-9]+/epoch N/')" "0 partition 0 is at epoch N, whose records begin at offset 10"
is "and whose group has read what is gone" "$(finding cut GRP-008)" "group reader, in 1 partitions: later leaders begin below its offset"

# --- offsets that an open transaction holds back ---
"$kdl" topic create fresh -b "$first" >>"$work/out"
produce fresh 20
coproc "$here/run" kdl.audit.HoldOffsets "$first" fresh copier 2>>"$work/err"
holding=$COPROC_PID
read -r -t 60 line <&"${COPROC[0]}"; is "a transaction is about to commit an offset" "$line" READY
audit --topics fresh; code=$?
is "an audit says so, and who reads the topic in transactions" "$code $(finding fresh TXN-004)" "0 an open transaction holds offsets of group copier back, in 1 partitions"
is "which says nothing of who writes it" "$(topic fresh '.facts.transactions.value')" no
exec {COPROC[1]}>&-
wait "$holding"

# --- why epochs matter to a copy ---
is "an offset that is carried to a new topic together with the old one's epoch makes a consumer read nothing" "$("$here/run" kdl.audit.CarriedEpoch "$first" fresh 37 20 2>>"$work/err")" "20 0"
echo "1..$tests"
