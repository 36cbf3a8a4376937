#!/usr/bin/env bash
# mirror_groups.t: offsets of groups of both protocols go from a real Kafka to refbroker with the records, consumers go on there where they stopped, and the offsets go the way back; groups with members are left to them by both.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kdl=$BUILD/bin/kdl
t=org.apache.kafka.tools
each=1000 # records of a partition
pair_setup
pair_start
for topic in orders idle; do tool $t.TopicCommand --bootstrap-server "$theirs" --create --topic $topic --partitions 3 >/dev/null; done
for partition in 0 1 2; do seq -f "$partition-%g" $each | kcat -b "$theirs" -P -t orders -p $partition 2>>"$work/err"; done

mirror() { timeout 120 "$kdl" mirror run --from "$theirs" --to "$ours" --topics orders,idle --until caught-up -q "$@" >"$work/mirror" 2>&1; }
groups() { # FROM TO FLAG...
    timeout 60 "$kdl" mirror groups --from "$1" --to "$2" --topics orders "${@:3}" >"$work/groups" 2>&1
}
offsets() { # BROKER: group, partition, offset
    tool $t.consumer.group.ConsumerGroupCommand --bootstrap-server "$1" --describe --all-groups --offsets | awk '$2 == "orders" && $4 != "-" { print $1, $3, $4 }' | sort
}
consume() { # BROKER PROTOCOL COUNT: so many records, which it commits
    tool $t.VerifiableConsumer --bootstrap-server "$1" --topic orders --group-id "$2" --group-protocol "$2" --reset-policy earliest --verbose --max-messages "$3" |
        grep '"record_data"' | jq -r .value >>"$work/$2.read"
}
# Members of both groups, who read another topic and commit nothing of orders.
members_start() { # BROKER
    for protocol in classic consumer; do
        mkdir -p "$work/$protocol"
        "$here/run" $t.VerifiableConsumer --bootstrap-server "$1" --topic idle --group-id $protocol --group-protocol $protocol >"$work/$protocol/out" 2>>"$work/err" & echo $! >"$work/$protocol/pid"
    done
    for protocol in classic consumer; do wait_for 60 grep -q partitions_assigned "$work/$protocol/out"; done
}
members_stop() {
    for protocol in classic consumer; do
        kill "$(cat "$work/$protocol/pid")"
        wait "$(cat "$work/$protocol/pid")" 2>/dev/null
        rm "$work/$protocol/pid"
    done
}

consume "$theirs" classic 1000
consume "$theirs" consumer 1700
groups "$theirs" "$theirs" --dry-run; is "a cluster beside itself: all are equal" "$? $(tail -n 1 "$work/groups")" "0 nothing was committed (--dry-run)."
groups "$theirs" "$ours"; is "without the topics at the target: one line" "$? $(cat "$work/groups")" "1 kdl: target: topic orders is not there"
mirror; is "the records are mirrored" $? 0

members_start "$ours"
groups "$theirs" "$ours"; is "groups with members at refbroker are left to them" "$? $(grep -c ' in use' "$work/groups")" "4 3"
is "and have no offsets there" "$(offsets "$ours")" ""
members_stop
mirror --groups '*'; is "when they have none, the mirror brings their offsets" "$? $(grep -cE '^offsets of 2 groups, [0-9] partitions: [0-9] (equal|copied)$' "$work/mirror")" "0 1"
is "Kafka's tool tells the same on both sides" "$(offsets "$ours")" "$(offsets "$theirs")"
is "for both groups" "$(offsets "$ours" | awk '{ n[$1] += $3 } END { print n["classic"], n["consumer"] }')" "1000 1700"
groups "$theirs" "$ours" -o json; is "another pass has nothing to do" "$? $(jq -c '[.done, .totals.copied, .totals.behind]' "$work/groups")" "0 [true,0,0]"

consume "$ours" classic 2000
consume "$ours" consumer 1300
for protocol in classic consumer; do
    is "a $protocol group has read each record once, here and there" "$(sort "$work/$protocol.read" | uniq -u | wc -l)" $((3 * each))
done
groups "$theirs" "$ours"; is "what is higher at the target stays" "$? $(offsets "$ours" | awk '{ n += $3 } END { print n }')" "4 6000"
is "and is told" "$(grep -c '^ahead: ' "$work/groups")" 1

# A transaction that is about to commit an offset.
coproc "$here/run" kdl.audit.HoldOffsets "$theirs" orders copier 2>>"$work/err"
read -r ready <&"${COPROC[0]}"; is "a transaction holds an offset" "$ready" READY
groups "$theirs" "$ours" --groups copier; is "which is not copied, and told" "$? $(grep -c '^  copier .* 1 pending; 2 without an offset$' "$work/groups") $(offsets "$ours" | grep -c copier)" "4 1 0"
eval "exec ${COPROC[1]}>&-"
wait "$COPROC_PID" 2>/dev/null

# The way back: the offsets of refbroker's groups go to Kafka.
members_start "$theirs"
groups "$ours" "$theirs"; is "groups with members at Kafka are left to them" "$? $(grep -c ' in use' "$work/groups")" "4 3"
members_stop
groups "$ours" "$theirs" --groups '*,!copier'; is "when they have none, offsets go back to Kafka" "$? $(grep -c ' copied' "$work/groups")" "0 3"
is "Kafka's tool tells the same on both sides again" "$(offsets "$theirs" | grep -v copier)" "$(offsets "$ours")"
tool $t.consumer.group.ConsumerGroupCommand --bootstrap-server "$theirs" --group classic --topic orders --reset-offsets --to-offset 10 --execute >/dev/null
groups "$theirs" "$ours"; is "a reset at the source is no reason to go back" $? 4
groups "$theirs" "$ours" --rewind --groups '*,!copier'; is "but with --rewind" "$? $(offsets "$ours" | awk '$1 == "classic" { n += $3 } END { print n }')" "0 30"
echo "1..$tests"
