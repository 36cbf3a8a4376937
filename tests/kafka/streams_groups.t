#!/usr/bin/env bash
# streams_groups.t: streams groups (KIP-1071) on refbroker as on Apache Kafka: the assignor on random groups against Kafka's own; the same requests, answer by
# answer, before and after kill -9, and the same records in __consumer_offsets, which Kafka's own classes read; Kafka's tools; an application of Kafka Streams, exactly
# once, over kill -9. Speaks TAP.
# Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# ASSIGNOR_SEEDS=3 GROUPS_MADE=2000: how many random groups the assignor gets. LINES=600: of the application.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
b=$ours
# Targets at once, so that the answer to a heartbeat does not depend on the time, and nobody is given up who does not want to.
settings=(offsets.topic.num.partitions=1 group.initial.rebalance.delay.ms=0 group.streams.assignment.interval.ms=0 group.streams.initial.rebalance.delay.ms=0
    group.streams.max.size=3 group.streams.min.heartbeat.interval.ms=100 group.streams.heartbeat.interval.ms=400
    group.streams.min.session.timeout.ms=500 group.streams.session.timeout.ms=600000 group.streams.max.session.timeout.ms=600000)
pair_setup

for seed in $(seq "${ASSIGNOR_SEEDS:-3}"); do
    "$BUILD/tests/kafka/streams_assignor_peer" make "$seed" "${GROUPS_MADE:-2000}" "$work/groups"
    is "our assignor gives what Kafka's gives (seed $seed)" "$("$BUILD/tests/kafka/streams_assignor_peer" solve "$work/groups" | md5sum)" \
        "$(tool kdl.streamsgroups.StreamsAssignorOracle "$work/groups" | md5sum)"
done

pair_start "${settings[@]}"
kafka=$theirs
tool_seconds=400
script() { # PART...: what both answer
    tool kdl.streamsgroups.StreamsScript "$kafka" "$@" >"$work/kafka.answers" & asking=$!
    tool kdl.streamsgroups.StreamsScript "$b" "$@" >"$work/answers"
    wait "$asking"
}
script
for name in errors topologies topics members fencing standbys endpoints traits shutdown configs times offsets transactions others; do
    is "the same requests are answered the same: $name" "$(part "$name" "$work/answers")" "$(part "$name" "$work/kafka.answers")"
done
is "there were answers" "$(grep -c ' v[0-9]*: ' "$work/answers" | awk '{ print ($1 > 300) }')" 1
records() { # WHEN; when Kafka has begun the states of the share group depends on time
    tool kdl.groups.OffsetsReader "$kafka" | grep -v '^ShareGroup' >"$work/kafka.records" & asking=$!
    tool kdl.groups.OffsetsReader "$b" | grep -v '^ShareGroup' >"$work/records"
    wait "$asking"
    is "__consumer_offsets holds the same records $1, which Kafka's classes read" "$(cat "$work/records")" "$(cat "$work/kafka.records")"
    is "there were records" "$(grep -c '^StreamsGroup' "$work/records" | awk '{ print ($1 > 20) }')" 1
}
records "after that"

streams=org.apache.kafka.tools.streams.StreamsGroupCommand
both "kafka-groups lists the groups" org.apache.kafka.tools.GroupsCommand --list
both "kafka-groups lists streams groups" org.apache.kafka.tools.GroupsCommand --list --group-type streams
both "kafka-streams-groups lists them" $streams --list
both "with states" $streams --list --state
both "of one state" $streams --list --state notready,empty
both "it describes offsets" $streams --describe --group members
both "offsets with leaders" $streams --describe --group members --offsets --verbose
both "members" $streams --describe --group members --members
both "members with all" $streams --describe --group members --members --verbose
both "the state" $streams --describe --group members --state
both "the state with epochs" $streams --describe --group members --state --verbose
both "all groups" $streams --describe --all-groups --state
both "no group" $streams --describe --group nowhere
both "it would reset offsets" $streams --reset-offsets --group offsets --input-topic t1 --to-earliest --dry-run
both "it resets offsets" $streams --reset-offsets --group offsets --input-topic t1:0,1 --shift-by -2 --execute
both "it resets no offsets of a group with members" $streams --reset-offsets --group members --all-input-topics --to-latest --execute
both "it deletes offsets" $streams --delete-offsets --group offsets --input-topic t1:0
both "it deletes no offsets of topics that are not there" $streams --delete-offsets --group offsets --input-topic t99
both "it deletes no group with members" $streams --delete --group members
both "it deletes groups" $streams --delete --group fixed --group nowhere
both "it deletes a group with its topics" $streams --delete --group made --delete-all-internal-topics
both "they are gone" org.apache.kafka.tools.TopicCommand --list
both "a group has a config" kafka.admin.ConfigCommand --describe --entity-type groups --entity-name standbys

"$here/broker" restart "$work/kafka" >/dev/null 2>&1 & asking=$!
"$work/restart"
wait "$asking"
script after
is "and the same after kill -9" "$(cat "$work/answers")" "$(cat "$work/kafka.answers")"
records "in the end"
script feature
is "streams.version switches it off and on" "$(cat "$work/answers")" "$(cat "$work/kafka.answers")"

cat >"$work/kafka.restart" <<X
#!/usr/bin/env bash
"$here/broker" kill "$work/kafka" && "$here/broker" restart "$work/kafka"
X
chmod +x "$work/kafka.restart"
count() { timeout 600 "$here/run" kdl.streamsgroups.StreamsRun "$1" "$2" "${LINES:-600}" 2>>"$work/err"; }
count "$kafka" "$work/kafka.restart" >"$work/kafka.counted" & asking=$!
count "$b" "$work/restart" >"$work/counted"
is "a word count ends, over a closed instance and a kill of refbroker" $? 0
wait "$asking"
is "its counts, topics and group are those on Kafka" "$(cat "$work/counted")" "$(cat "$work/kafka.counted")"
is "every word was counted once" "$(grep -c '^wrong' "$work/counted") $(awk '/^[a-z]+ [0-9]+$/ { sum += $2 } END { print sum }' "$work/counted")" \
    "0 $((${LINES:-600} * 3 / 2 * 5))"
echo "1..$tests"
