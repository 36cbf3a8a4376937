#!/usr/bin/env bash
# groups.t: consumer groups on refbroker as on Apache Kafka: the server-side assignors on random groups against Kafka's own; the same requests, answer by
# answer, and the same records in __consumer_offsets, which Kafka's own classes read; Java consumers of both protocols, their rebalances, restarts (kill -9)
# and moves from one protocol to the other; Kafka's tools; librdkafka. Speaks TAP.
# Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# ASSIGNOR_SEEDS=3 GROUPS_MADE=2000: how many random groups the assignors get.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
b=$ours
t=org.apache.kafka.tools
# Targets at once, so that the answer to a heartbeat does not depend on the time.
settings=(group.consumer.assignment.interval.ms=0 group.initial.rebalance.delay.ms=0 group.consumer.heartbeat.interval.ms=500
    group.consumer.min.heartbeat.interval.ms=100)
pair_setup

for seed in $(seq "${ASSIGNOR_SEEDS:-3}"); do
    "$BUILD/tests/kafka/assignor_peer" make "$seed" "${GROUPS_MADE:-2000}" "$work/groups"
    is "our assignors give what Kafka's give (seed $seed)" "$("$BUILD/tests/kafka/assignor_peer" solve "$work/groups" | md5sum)" \
        "$(tool kdl.groups.AssignorOracle "$work/groups" | md5sum)"
done

pair_start "${settings[@]}"
kafka=$theirs
tool kdl.groups.GroupScript "$kafka" >"$work/kafka.answers" & asking=$!
tool kdl.groups.GroupScript "$b" >"$work/answers"
wait "$asking"
for name in classic static offsets errors consumer reconcile mixed; do
    is "the same requests are answered the same: $name" "$(part "$name" "$work/answers")" "$(part "$name" "$work/kafka.answers")"
done
is "there were answers" "$(grep -c '^describe' "$work/answers" | awk '{ print ($1 > 20) }')" 1
tool kdl.groups.OffsetsReader "$kafka" >"$work/kafka.records" & asking=$!
tool kdl.groups.OffsetsReader "$b" >"$work/records"
wait "$asking"
is "__consumer_offsets holds the same records, which Kafka's classes read" "$(cat "$work/records")" "$(cat "$work/kafka.records")"
is "there were records" "$(awk 'END { print (NR > 10) }' "$work/records")" 1

groups=$t.consumer.group.ConsumerGroupCommand
both "kafka-groups lists the groups" $t.GroupsCommand --list
both "kafka-consumer-groups lists them with states and types" $groups --list --state --type
both "it describes a group" $groups --describe --group simple2 --group mixed --offsets
both "it resets offsets" $groups --reset-offsets --group simple2 --topic t1 --to-earliest --execute
both "it describes the state" $groups --describe --group simple2 --state
both "it deletes offsets" $groups --delete-offsets --group simple2 --topic t1:0
both "it deletes a group" $groups --delete --group simple2 --group nowhere
is "a config of a group can be set" "$(tool kafka.admin.ConfigCommand --bootstrap-server "$b" --alter --entity-type groups --entity-name mixed \
    --add-config consumer.session.timeout.ms=50000)" "Completed updating config for group mixed."
"$work/restart"
is "and is there after kill -9" "$(tool kafka.admin.ConfigCommand --bootstrap-server "$b" --describe --entity-type groups --entity-name mixed |
    grep -o 'consumer.session.timeout.ms=[0-9]*' | head -n 1)" consumer.session.timeout.ms=50000
is "one out of bounds is refused" "$(tool_run kafka.admin.ConfigCommand --bootstrap-server "$b" --alter --entity-type groups \
    --entity-name mixed --add-config consumer.session.timeout.ms=1 2>&1 | grep -o 'must be greater than or equal to group.consumer.min.session.timeout.ms' | head -n 1)" \
    "must be greater than or equal to group.consumer.min.session.timeout.ms"
"$here/broker" kill "$work/kafka" >/dev/null 2>&1

tool kdl.groups.GroupRun "$b" "$work/restart" >"$work/run"
for name in rebalance-classic static-classic restart-classic rebalance-consumer static-consumer restart-consumer pattern grow migrate; do
    is "Java consumers: $name" "$(grep -E "^(ok|failed) $name\b" "$work/run")" "ok $name"
done
seq 1000 | kcat -b "$b" -P -t lines 2>"$work/err"
is "librdkafka reads in a group" "$(timeout 30 kcat -b "$b" -G rdkafka -c 1000 -o beginning -X auto.offset.reset=earliest lines 2>"$work/err" | sort -n | md5sum)" \
    "$(seq 1000 | md5sum)"
is "and has committed" "$(tool $groups --bootstrap-server "$b" --describe --group rdkafka --offsets | awk '$2 == "lines" { print $4 }')" 1000
echo "1..$tests"
