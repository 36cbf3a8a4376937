#!/usr/bin/env bash
# connect.t: Kafka Connect on refbroker, beside the same on Apache Kafka: a distributed worker makes its topics, copies a file through a topic into another file, is
# killed (-9) and goes on; what its REST interface tells, and what it leaves in its topics. Then exactly-once sources while worker and refbroker are killed in turn.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. CONNECT_KILLS: how often worker and refbroker are killed (1).
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kills=${CONNECT_KILLS:-1}
[ -z "${LONG:-}" ] || kills=${CONNECT_KILLS:-25}
lines=2000
# A worker that was killed is missed after two seconds instead of ten.
pair_setup
pair_start group.min.session.timeout.ms=1000 transaction.abort.timed.out.transaction.cleanup.interval.ms=500

# --- a worker: its folder is $dir, its address $rest ------------------------------------------------------------------

worker_make() { # FOLDER BOOTSTRAP [PROPERTY]...
    dir=$1
    rest=127.0.0.1:$(free_port)
    mkdir -p "$dir"
    cat >"$dir/worker.properties" <<P
bootstrap.servers=$2
listeners=http://$rest
group.id=connect
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
plugin.discovery=service_load
offset.flush.interval.ms=500
session.timeout.ms=2000
heartbeat.interval.ms=500
scheduled.rebalance.max.delay.ms=0
consumer.session.timeout.ms=2000
consumer.heartbeat.interval.ms=500
consumer.auto.offset.reset=earliest
P
    shift 2
    printf '%s\n' "$@" >>"$dir/worker.properties"
}
worker_start() { # until it answers
    (cd "$dir" && exec "$here/run" org.apache.kafka.connect.cli.ConnectDistributed worker.properties) >>"$dir/worker.out" 2>&1 & echo $! >"$dir/pid"
    wait_for 60 get connectors >/dev/null || echo "the worker does not answer"
}
worker_kill() {
    kill -9 "$(cat "$dir/pid")"
    wait "$(cat "$dir/pid")" 2>/dev/null
    rm "$dir/pid"
}
ask() { # METHOD PATH [JSON]: the answer
    local method=$1 path=$2
    shift 2
    curl -s -S -m 60 -X "$method" ${1:+-H 'Content-Type: application/json' -d "$1"} "http://$rest/$path" 2>>"$dir/curl.err"
}
get() { curl -s -f -m 60 "http://$rest/$1" 2>/dev/null; }
answer() { # METHOD PATH [JSON]: what stands in the answer
    echo "$1 $2"
    ask "$@" | jq -S -c . | plain
}
plain() { # without what differs from run to run
    sed -E 's/127\.0\.0\.1:[0-9]+/WORKER/g; s/(session-key = \{"key":)[^,]*/\1/; s/(timestamp|Timestamp|generation)":[0-9]+/\1":0/g
        s/(CreateTime) [0-9]+/\1/'
}
connector() { # NAME CLASS [KEY VALUE]...: its config
    jq -n -c '$ARGS.positional | [range(0; length; 2) as $i | {(.[$i]): .[$i + 1]}] | add' --args name "$1" connector.class "org.apache.kafka.connect.file.$2" tasks.max 1 "${@:3}"
}
# The source reads 1 KiB at a time, and what it has beyond a batch stays there until the file grows: lines of 128 bytes, 8 times n a batch.
some_lines() { seq -f 'line %0122.0f' "$1" "$2"; }
source_config() { connector source FileStreamSourceConnector topic lines file in batch.size 80 "$@"; }
sink_config() { connector sink FileStreamSinkConnector topics lines file out; }

# --- facts to wait for ------------------------------------------------------------------------------------------------

has_states() { [ "$(get "connectors/$1/status" | jq -r '[.connector.state, .tasks[].state] | join(" ")')" = "$2" ]; } # of the connector and its tasks
has_lines() { [ "$(wc -l <"$dir/out")" -ge "$1" ]; }
has_read() { [ "$(get connectors/source/offsets | jq '.offsets[0].offset.position')" = "$1" ]; }
has_written() { [ "$(get connectors/sink/offsets | jq '.offsets[0].offset.kafka_offset')" = "$1" ]; }
copied() { # N: the first N lines are in the sink's file, and both connectors have said so to the broker
    wait_for 60 has_lines "$1" && wait_for 60 has_read "$(head -n "$1" "$dir/in" | wc -c)" && wait_for 60 has_written "$1"
    echo "$1 lines: $(cmp "$dir/in" "$dir/out" && echo "each of them once, in order")"
}

# --- a file, a topic, a file ------------------------------------------------------------------------------------------

file_to_file() { # NAME BOOTSTRAP
    local offsets
    worker_make "$work/file-$1" "$2"
    worker_start
    some_lines 1 $lines >"$dir/in"
    : >"$dir/out"
    answer PUT connectors/source/config "$(source_config)"
    answer PUT connectors/sink/config "$(sink_config)"
    copied $lines
    worker_kill
    some_lines $((lines + 1)) $((2 * lines)) >>"$dir/in"
    worker_start
    copied $((2 * lines))
    wait_for 60 has_states source "RUNNING RUNNING" && wait_for 60 has_states sink "RUNNING RUNNING"
    for path in connectors connectors/{source,sink}{,/status,/offsets,/tasks,/topics}; do answer GET $path; done
    # What administrators do: stop, set back, forget, go on.
    answer PUT connectors/source/stop
    answer PUT connectors/sink/stop
    wait_for 60 has_states source STOPPED && wait_for 60 has_states sink STOPPED
    offsets=$(get connectors/source/offsets | jq -c '.offsets[0].offset.position -= 128')
    answer PATCH connectors/source/offsets "$offsets"
    answer DELETE connectors/sink/offsets
    answer GET connectors/sink/offsets
    answer PUT connectors/source/resume
    wait_for 60 has_read "$(wc -c <"$dir/in")"
    answer GET connectors/source/offsets
    answer DELETE connectors/sink
    answer GET connectors/sink
    answer PUT connectors/source/pause
    wait_for 60 has_states source "PAUSED PAUSED"
    worker_kill
    tool kdl.topics.Contents "$2" --latest connect-{configs,offsets,status} --groups connect-sink --all lines | plain |
        awk -v file="$dir/topics" '/^== topic lines,/ { file = file ".lines" } { print >file }'
}
file_to_file kafka "$theirs" >"$work/kafka.answers" & running=$!
file_to_file refbroker "$ours" >"$work/refbroker.answers"
wait "$running"
is "a file comes through a topic into a file, over kill -9 of the worker; its REST interface answers as with Kafka" "$(cat "$work/refbroker.answers")" "$(cat "$work/kafka.answers")"
is "each line came once" "$(grep -c 'each of them once, in order' "$work/refbroker.answers")" 2
topics=$work/file-refbroker/topics
is "the worker's topics and the sink's group hold the same" "$(cat "$topics")" "$(cat "$work/file-kafka/topics")"
is "the topics are compacted" "$(grep -c '^== topic connect-.*, configs cleanup.policy=compact$' "$topics")" 3
is "the topic of the lines holds the same" "$(cat "$topics.lines")" "$(cat "$work/file-kafka/topics.lines")"
is "all of them, and the one that was set back" "$(grep -c ' = line ' "$topics.lines")" $((2 * lines + 1))
"$here/broker" kill "$work/kafka" >/dev/null 2>&1

# --- exactly once -----------------------------------------------------------------------------------------------------

# A worker reads its offsets to their end before it starts, and so waits for the transaction that the one before has left open.
worker_make "$work/once" "$ours" group.id=once config.storage.topic=once-configs offset.storage.topic=once-offsets status.storage.topic=once-status \
    exactly.once.source.support=enabled producer.transaction.timeout.ms=3000
worker_start
records=$((8000 * (kills + 1)))
some_lines 1 $records >"$dir/in"
ask PUT connectors/source/config "$(source_config topic once batch.size 16)" >/dev/null
has_passed() { [ "$(get connectors/source/offsets | jq '.offsets[0].offset.position // 0')" -ge "$1" ] 2>/dev/null; }
passed() { wait_for 180 has_passed $(($1 * $(wc -c <"$dir/in") / (2 * kills + 1))) || echo "# the source does not go on"; }
for kill in $(seq "$kills"); do
    passed $((2 * kill - 1))
    "$work/restart"
    passed $((2 * kill))
    worker_kill
    worker_start
done
passed $((2 * kills + 1))
committed() { timeout 60 kcat -b "$ours" -C -t once -o beginning -e -q -X isolation.level=read_committed 2>>"$work/err"; }
is "exactly-once sources: each line once and in order, over $kills kills of refbroker and of the worker" "$(committed | cmp - "$dir/in" 2>&1; committed | wc -l)" $records
is "no transaction is left open" "$(tool org.apache.kafka.tools.TransactionsCommand --bootstrap-server "$ours" find-hanging --topic once | wc -l)" 1
echo "1..$tests"
