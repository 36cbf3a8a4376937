#!/usr/bin/env bash
# share.t: share groups (KIP-932) on refbroker as on Apache Kafka: the assignor on random groups against Kafka's own; the same requests, answer by answer, before and
# after kill -9, and the same records in __consumer_offsets and __share_group_state, which Kafka's own classes read; Java share consumers over kill -9 with an exact
# account; Kafka's tools. Speaks TAP.
# Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# SHARE_KILLS: how often refbroker is killed (3; 25 with LONG=1), with 2,000 records each. ASSIGNOR_SEEDS=3 GROUPS_MADE=2000: how many random groups the assignor gets.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
b=$ours
kills=${SHARE_KILLS:-3}
[ -z "${LONG:-}" ] || kills=${SHARE_KILLS:-25}
records=$((2000 * kills))
t=org.apache.kafka.tools.consumer.group
settings=(group.share.assignment.interval.ms=0 group.share.min.heartbeat.interval.ms=100 group.share.heartbeat.interval.ms=500
    group.share.min.record.lock.duration.ms=1000 group.share.record.lock.duration.ms=60000 share.coordinator.state.topic.num.partitions=3
    share.coordinator.snapshot.update.records.per.snapshot=10 log.retention.ms=-1) # records are years old
pair_setup

for seed in $(seq "${ASSIGNOR_SEEDS:-3}"); do
    "$BUILD/tests/kafka/share_assignor_peer" make "$seed" "${GROUPS_MADE:-2000}" "$work/groups"
    is "our assignor gives what Kafka's gives (seed $seed)" "$("$BUILD/tests/kafka/share_assignor_peer" solve "$work/groups" | md5sum)" \
        "$(tool kdl.share.ShareAssignorOracle "$work/groups" | md5sum)"
done

pair_start "${settings[@]}"
kafka=$theirs
tool kdl.share.ShareScript "$kafka" >"$work/kafka.answers" & asking=$!
tool kdl.share.ShareScript "$b" >"$work/answers"
wait "$asking"
for name in members states fetch acks renew sessions offsets others; do
    is "the same requests are answered the same: $name" "$(part "$name" "$work/answers")" "$(part "$name" "$work/kafka.answers")"
done
is "there were answers" "$(grep -c ' v[0-9]*: ' "$work/answers" | awk '{ print ($1 > 150) }')" 1
for reader in "kdl.groups.OffsetsReader" "kdl.share.StateReader states" "kdl.share.StateReader acks"; do
    read -r class group <<<"$reader"
    tool "$class" "$kafka" ${group:+"$group"} >"$work/kafka.records" & asking=$!
    tool "$class" "$b" ${group:+"$group"} >"$work/records"
    wait "$asking"
    is "the same records are left, which Kafka's classes read: $reader" "$(cat "$work/records")" "$(cat "$work/kafka.records")"
    is "there were records" "$(awk 'END { print (NR > 5) }' "$work/records")" 1
done
both "kafka-groups lists the groups" org.apache.kafka.tools.GroupsCommand --list
both "kafka-share-groups lists them with states" $t.ShareGroupCommand --list --state
both "it describes a group" $t.ShareGroupCommand --describe --group acks --offsets
both "it describes the state" $t.ShareGroupCommand --describe --group acks --state
both "it resets offsets" $t.ShareGroupCommand --reset-offsets --group acks --topic s3:0 --to-earliest --execute
both "it deletes offsets" $t.ShareGroupCommand --delete-offsets --group fetch --topic s2
both "it deletes a group" $t.ShareGroupCommand --delete --group fetch
"$here/broker" restart "$work/kafka" >/dev/null 2>&1 & asking=$!
"$work/restart"
wait "$asking"
tool kdl.share.ShareScript "$kafka" after >"$work/kafka.answers" & asking=$!
tool kdl.share.ShareScript "$b" after >"$work/answers"
wait "$asking"
is "and the same after kill -9" "$(cat "$work/answers")" "$(cat "$work/kafka.answers")"
"$here/broker" kill "$work/kafka" >/dev/null 2>&1
account=$(tool kdl.share.ShareRun "$b" "$work/restart" $records "$kills")
is "Java share consumers get every record, and none that is done again, over $kills kills" "$account" \
    "$records sent, $records given, lag 0, 0 again, $kills kills"
echo "1..$tests"
