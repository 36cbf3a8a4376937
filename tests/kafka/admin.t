#!/usr/bin/env bash
# admin.t: what administrators ask of refbroker, beside the same on Apache Kafka: the same requests, answer by answer (quotas, SCRAM users, ACLs, the quorum, features, unreleased versions,
# folders, configs of topics, brokers, groups and client metrics); what Kafka's tools print; quotas as clients feel them; all of it after kill -9. Speaks TAP.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
t=org.apache.kafka.tools
configs=kafka.admin.ConfigCommand

pair_setup
pair_start authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer unstable.api.versions.enable=true group.streams.initial.rebalance.delay.ms=0 group.streams.max.heartbeat.interval.ms=55000
tool kdl.admin.AdminScript "$theirs" >"$work/kafka.answers" & asking=$!
tool kdl.admin.AdminScript "$ours" >"$work/answers"
wait "$asking"
for name in quotas quota-filters scram quorum features unreleased folders configs brokers inherited metrics by-use; do
    is "the same requests are answered the same: $name" "$(part "$name" "$work/answers")" "$(part "$name" "$work/kafka.answers")"
done
is "there were answers" "$(grep -c '^[a-z].* v[0-9]: {' "$work/answers" | awk '{ print ($1 > 230) }')" 1

tool kdl.admin.QuotaRun "$theirs" >"$work/kafka.quotas" & asking=$!
tool kdl.admin.QuotaRun "$ours" >"$work/quotas"
wait "$asking"
is "quotas slow clients down as on Kafka" "$(cat "$work/quotas")" "$(cat "$work/kafka.quotas")"
is "as they were meant to" "$(cat "$work/quotas")" "a producer waits: as expected
so does another one of its name: true
and is made to: true
without a quota it does not: 0
a consumer gets what the quota has room for: 5 batches
and does not wait: 0
above it there are no records: 0
and it waits: as expected
and is made to: true
without a quota there are more: 5 batches
one request may overdraw: 0
the next one is refused: 89 null
so are more partitions: 89 null
and a deletion: 89 null
until the bucket is full enough: true
and is made to wait: true
then it may: 0
an old client is not refused: 0
but waits: true
requests wait, a second at most: true
an address may make ten seconds' connections at once: 10
and some more later: 1
its own quota goes before that of all: 15"

tool kdl.admin.AclScript "$theirs" >"$work/kafka.acls" & asking=$!
tool kdl.admin.AclScript "$ours" >"$work/acls"
wait "$asking"
is "the same requests are answered the same: ACLs" "$(cat "$work/acls")" "$(cat "$work/kafka.acls")"
is "there were some" "$(grep -c 'User:anna' "$work/acls" | awk '{ print ($1 > 8) }')" 1

both "kafka-topics makes a topic" $t.TopicCommand --create --topic tools --partitions 3 --replication-factor 1 --config retention.ms=5000000
quietly $t.TopicCommand --alter --topic tools --partitions 4
# Kafka keeps min.insync.replicas as a config that somebody set for all brokers, since it has eligible leader replicas.
described() { tool $t.TopicCommand --bootstrap-server "$1" --describe --topic tools | sed 's/min.insync.replicas=1,//' | tidy; }
is "kafka-topics has added a partition" "$(described "$ours")" "$(described "$theirs")"
both "kafka-topics lists" $t.TopicCommand --list --exclude-internal
both "kafka-configs sets a topic's" $configs --alter --topic tools --add-config 'cleanup.policy=[compact,delete],segment.bytes=20000000' --delete-config retention.ms
both "kafka-configs describes a topic's, with synonyms" $configs --describe --topic tools
quietly $configs --alter --entity-type users --entity-name zoe --add-config producer_byte_rate=1000000
quietly $configs --alter --entity-type users --entity-name zoe --add-config 'SCRAM-SHA-256=[iterations=8192,password=x]'
both "kafka-configs has set a user's quotas and password" $configs --describe --entity-type users --entity-name zoe
both "kafka-configs describes clients" $configs --describe --entity-type clients
both "kafka-configs describes addresses" $configs --describe --entity-type ips
both "kafka-client-metrics sets a subscription" $t.ClientMetricsCommand --alter --name fleet --interval 30000 --metrics org.apache.kafka.producer. --match client_id=x
both "kafka-client-metrics describes it" $t.ClientMetricsCommand --describe --name fleet
both "kafka-acls allows somebody to read" $t.AclCommand --add --allow-principal User:eva --consumer --topic tools --group team
both "kafka-acls lists" $t.AclCommand --list --topic tools
both "kafka-get-offsets" $t.GetOffsetShell --topic tools
both "kafka-leader-election" $t.LeaderElectionCommand --election-type preferred --topic tools --partition 0
echo '{"partitions":[{"topic":"tools","partition":0,"offset":0}]}' >"$work/records.json"
both "kafka-delete-records" $t.DeleteRecordsCommand --offset-json-file "$work/records.json"
echo '{"version":1,"partitions":[{"topic":"tools","partition":0,"replicas":[1]}]}' >"$work/moves.json"
both "kafka-reassign-partitions lists moves" $t.reassign.ReassignPartitionsCommand --list
both "kafka-reassign-partitions verifies a move" $t.reassign.ReassignPartitionsCommand --verify --reassignment-json-file "$work/moves.json"
is "kafka-metadata-quorum tells who leads" "$(tool $t.MetadataQuorumCommand --bootstrap-server "$ours" describe --status | awk '$1 == "LeaderId:" { print $2 }')" 1
is "kafka-features tells the levels" "$(tool $t.FeatureCommand --bootstrap-server "$ours" describe | awk '/transaction.version/ { print $0 }' | grep -o 'FinalizedVersionLevel: [0-9]*')" \
    "FinalizedVersionLevel: 2"
is "and changes one" "$(tool $t.FeatureCommand --bootstrap-server "$ours" downgrade --feature transaction.version=1)" "transaction.version was downgraded to 1."

quietly $configs --alter --broker 1 --add-config log.retention.ms=5000000
quietly $configs --alter --broker-defaults --add-config message.max.bytes=2000000,log.cleaner.backoff.ms=20000
both "kafka-configs has set a broker's" $configs --describe --broker 1
is "and those of all brokers" "$(tool $configs --bootstrap-server "$ours" --describe --broker-defaults | grep -cE 'message.max.bytes=2000000|log.cleaner.backoff.ms=20000')" 2

settings() { # all that was set, as one broker tells it
    tool $configs --bootstrap-server "$ours" --describe --broker 1
    tool $configs --bootstrap-server "$ours" --describe --broker-defaults
    tool $configs --bootstrap-server "$ours" --describe --topic tools --all | grep -E 'retention.ms|max.message.bytes'
    tool $configs --bootstrap-server "$ours" --describe --entity-type users
    tool $t.ClientMetricsCommand --bootstrap-server "$ours" --describe --name fleet
    tool $t.AclCommand --bootstrap-server "$ours" --list
    tool $t.FeatureCommand --bootstrap-server "$ours" describe | grep -o 'transaction.version.*FinalizedVersionLevel: [0-9]*'
}
settings | tidy >"$work/before"
"$work/restart"
is "all of it is there after kill -9" "$(settings | tidy)" "$(cat "$work/before")"
is "and something was" "$(awk 'END { print (NR >= 11) }' "$work/before")" 1
echo "1..$tests"
