#!/usr/bin/env bash
# mirrormaker.t: MirrorMaker 2 between refbroker and Apache Kafka, both ways at once: the copies on refbroker of what Kafka holds are those on Kafka of what refbroker holds,
# record by record, with configs of topics, offsets of groups, checkpoints and offset syncs, while refbroker is killed (-9) and started again.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. MIRROR_KILLS: how often refbroker is killed (1).
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kills=${MIRROR_KILLS:-1}
[ -z "${LONG:-}" ] || kills=${MIRROR_KILLS:-25}
pair_setup
pair_start

mkdir "$work/maker"
# Without idempotence, Connect's default, a batch whose answer is lost comes twice. Without lag each record is an offset sync.
cat >"$work/maker/mm2.properties" <<P
clusters=kafka,refbroker
kafka.bootstrap.servers=$theirs
refbroker.bootstrap.servers=$ours
kafka->refbroker.enabled=true
refbroker->kafka.enabled=true
topics=story\\..*
groups=readers
replication.factor=1
checkpoints.topic.replication.factor=1
heartbeats.topic.replication.factor=1
offset-syncs.topic.replication.factor=1
offset.lag.max=0
sync.group.offsets.enabled=true
sync.group.offsets.interval.seconds=1
emit.checkpoints.interval.seconds=1
refresh.topics.interval.seconds=1
refresh.groups.interval.seconds=1
sync.topic.configs.interval.seconds=1
sync.topic.acls.enabled=false
emit.heartbeats.enabled=false
plugin.discovery=service_load
$(for side in kafka refbroker; do
    printf "$side.%s\n" {config,offset,status}.storage.replication.factor=1 consumer.isolation.level=read_committed producer.enable.idempotence=true \
        offset.flush.interval.ms=1000 plugin.discovery=service_load
done)
P
"$here/run" org.apache.kafka.connect.mirror.MirrorMaker "$work/maker/mm2.properties" >"$work/maker/out" 2>&1 & echo $! >"$work/maker/pid"
tool_seconds=$((120 + 20 * kills))
tool kdl.topics.MirrorRun "$work/restart" "$kills" "kafka=$theirs" "refbroker=$ours" >"$work/shown"
is "MirrorMaker copies each way, over $kills kills of refbroker" $? 0

held() { # SIDE: without the names of the sides
    awk -v side="$1" '$1 == "==" && $2 == "side" { on = $3 == side; next } on' "$work/shown" | sed -E 's/(kafka|refbroker)\./SIDE./g'
}
records() { sed -E 's/^== topic (SIDE\.)?([^,]*),.*/== topic \2/; s/^([0-9]+) [0-9]+ /\1 /'; } # without offsets and configs
is "the originals are the same on both" "$(held refbroker)" "$(held kafka)"
is "so are the copies, record by record, and configs, groups, checkpoints and offset syncs" "$(held refbroker-copies)" "$(held kafka-copies)"
is "a copy on refbroker holds the records of the original, with times and headers" "$(held refbroker-copies | sed '/^== topic SIDE.checkpoints/,$d' | records)" "$(held kafka | records)"
count() { held refbroker-copies | grep -cE "$1"; }
is "that is something: records with headers, checkpoints, syncs, configs" "$(count ' header-0:of [0-9]+') $(count Checkpoint) $(count OffsetSync) \
$(count '^== topic .*(retention.bytes=123456789|cleanup.policy=compact)')" "$((1200 * (kills + 1))) 6 6 4"
echo "1..$tests"
