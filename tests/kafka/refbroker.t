#!/usr/bin/env bash
# refbroker.t: Kafka's own command-line tools and Java clients on refbroker: topics, produce, consume in a group, offsets, configs, groups, verifiable producer and consumer.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
tests=0 refbroker_pid=''
finish() {
    [ -n "$refbroker_pid" ] && kill -9 "$refbroker_pid" 2>/dev/null && wait "$refbroker_pid" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

is() { # WHAT GOT WANTED
    tests=$((tests + 1))
    if [ "$2" = "$3" ]; then echo "ok $tests - $1"; else printf 'not ok %d - %s\n# got:    %s\n# wanted: %s\n' "$tests" "$1" "$2" "$3"; tail -n 5 "$work/err" | sed 's/^/# /'; fi
}
tool() { tool_run "$@" 2>"$work/err"; }

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
port=$((20000 + RANDOM % 10000)) b=127.0.0.1:$port
t=org.apache.kafka.tools
"$BUILD/bin/refbroker" --data "$work/data" --listen "$b" >"$work/refbroker" 2>&1 & refbroker_pid=$!
for _ in $(seq 200); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done

is "kafka-topics creates a topic" "$(tool $t.TopicCommand --bootstrap-server "$b" --create --topic orders --partitions 3 --config retention.ms=100000)" "Created topic orders."
is "and describes it" "$(tool $t.TopicCommand --bootstrap-server "$b" --describe --topic orders | sed -n 's/.*\(PartitionCount.*\)/\1/p' | tr '\t' ' ')" "PartitionCount: 3 ReplicationFactor: 1 Configs: retention.ms=100000"
is "and adds partitions" "$(tool $t.TopicCommand --bootstrap-server "$b" --alter --topic orders --partitions 4; tool $t.TopicCommand --bootstrap-server "$b" --describe --topic orders | grep -c 'Partition: ')" "4"
seq 1 5000 >"$work/in"
tool $t.ConsoleProducer --bootstrap-server "$b" --topic orders <"$work/in" >/dev/null
is "the console consumer reads in a group what the console producer wrote" "$(tool $t.consumer.ConsoleConsumer --bootstrap-server "$b" --topic orders --from-beginning --group readers --max-messages 5000 | sort -n | md5sum)" "$(md5sum <"$work/in")"
is "the group has committed all of it" "$(tool $t.consumer.group.ConsumerGroupCommand --bootstrap-server "$b" --describe --group readers | awk '$2 == "orders" { c += $4; l += $6 } END { print c, l }')" "5000 0"
is "kafka-get-offsets counts the same" "$(tool $t.GetOffsetShell --bootstrap-server "$b" --topic orders | awk -F: '{ n += $3 } END { print n }')" "5000"
is "kafka-configs changes a config" "$(tool kafka.admin.ConfigCommand --bootstrap-server "$b" --alter --entity-type topics --entity-name orders --add-config max.message.bytes=2000000)" "Completed updating config for topic orders."
echo '{"partitions":[{"topic":"orders","partition":0,"offset":-1}],"version":1}' >"$work/delete.json"
is "kafka-delete-records empties a partition" "$(tool $t.DeleteRecordsCommand --bootstrap-server "$b" --offset-json-file "$work/delete.json" | grep -c 'partition: orders-0')" "1"
is "the verifiable producer has every record acknowledged" "$(tool $t.VerifiableProducer --bootstrap-server "$b" --topic verified --max-messages 20000 --acks -1 | grep -c producer_send_success)" "20000"
is "the verifiable consumer reads every one" "$(tool $t.VerifiableConsumer --bootstrap-server "$b" --topic verified --group-id verifiers --max-messages 20000 --reset-policy earliest | sed -n 's/.*"name":"records_consumed".*"count":\([0-9]*\).*/\1/p; s/.*"count":\([0-9]*\).*"name":"records_consumed".*/\1/p' | awk '{ n += $1 } END { print n }')" "20000"
is "kafka-log-dirs sees the folder, and a size of every partition" "$(tool $t.LogDirsCommand --bootstrap-server "$b" --describe --topic-list orders,verified | grep '^{' >"$work/dirs"; grep -o '"logDir":"[^"]*"' "$work/dirs"; grep -c '"error":null' "$work/dirs"; grep -o '"partition":"[^"]*"' "$work/dirs" | sort | tr '\n' ' '; grep -o '"verified-0","size":[1-9]' "$work/dirs" | wc -l)" "\"logDir\":\"$(realpath "$work/data")\"
1
\"partition\":\"orders-0\" \"partition\":\"orders-1\" \"partition\":\"orders-2\" \"partition\":\"orders-3\" \"partition\":\"verified-0\" 1"
kill -9 "$refbroker_pid"; wait "$refbroker_pid" 2>/dev/null
"$BUILD/bin/refbroker" --data "$work/data" --listen "$b" >"$work/refbroker" 2>&1 & refbroker_pid=$!
for _ in $(seq 200); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done
is "after kill -9 the groups are as they were" "$(tool $t.consumer.group.ConsumerGroupCommand --bootstrap-server "$b" --describe --group readers | awk '$2 == "orders" { c += $4 } END { print c }')" "5000"
is "kafka-topics deletes the topic" "$(tool $t.TopicCommand --bootstrap-server "$b" --delete --topic orders; tool $t.TopicCommand --bootstrap-server "$b" --list | grep -c '^orders$')" "0"
echo "1..$tests"
