#!/usr/bin/env bash
# selftest.t [PART]...: whether what is in this folder does what it says. Parts: codec batch broker tools; secure estate, which secure.t and audit.t cannot do without (with LONG=1).
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

count=0
work=$(mktemp -d)
trap finish EXIT

finish() {
    local result=$? nodes
    for nodes in "$work"/*/nodes; do
        if [ -e "$nodes" ]; then "$here/broker" kill "$(dirname "$nodes")"; fi
    done
    if [ $result -eq 0 ]; then rm -rf "$work"; else echo "# logs are in $work"; fi
}

ok() { echo "ok $((++count)) - $*"; }
# What follows builds on what came before, so the first failure is the last line.
not_ok() {
    echo "not ok $((++count)) - $*"
    tail -n 20 "$work/output" 2>/dev/null | sed 's/^/# /'
    exit 1
}
must() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" >"$work/output" 2>&1 || not_ok "$what"
    ok "$what"
}
must_fail() {
    local what=$1
    shift
    if "$@" >"$work/output" 2>&1; then not_ok "$what"; fi
    ok "$what"
}

set_up() {
    local result=0
    "$here/setup" 2>"$work/output" || result=$?
    if [ $result -eq 77 ] && [ "${KAFKA_REQUIRED:-0}" != 1 ]; then
        echo "1..0 # SKIP $(cat "$work/output")"
        exit 0
    fi
    [ $result -eq 0 ] || not_ok "Apache Kafka is set up"
}

part_codec() {
    must "Kafka writes messages of every type and version" "$here/run" kdl.codec.CodecOracle make 1 5 "$work/messages"
    must "Kafka reads them back, byte for byte" "$here/run" kdl.codec.CodecOracle check "$work/messages"
    { cat "$work/messages"; printf '\0\4none\0\0\0\0\0\0'; } >"$work/unknown"
    must_fail "a message that Kafka does not have is noticed" "$here/run" kdl.codec.CodecOracle check "$work/unknown"
    head -c 1000 "$work/messages" >"$work/cut"
    must_fail "a file that ends inside a message is noticed" "$here/run" kdl.codec.CodecOracle check "$work/cut"
}

part_batch() {
    must "Kafka builds record sets" "$here/run" kdl.codec.BatchOracle make 1 240 "$work/batches"
    "$here/run" kdl.codec.BatchOracle check "$work/batches" >"$work/batches.seen"
    must "Kafka sees in them what it said" cmp "$work/batches.json" "$work/batches.seen"
    # Behind the length of the entry: offset 8, length 4, leader epoch 4, magic 1, and then the checksum.
    { head -c 21 "$work/batches"; printf '\377\377\377\377'; tail -c +26 "$work/batches"; } >"$work/broken"
    must_fail "a wrong checksum is noticed" "$here/run" kdl.codec.BatchOracle check "$work/broken"
}

part_broker() {
    local b=$work/three
    must "three brokers start" "$here/broker" start "$b" --brokers 3 --listener EXTRA=PLAINTEXT --prop num.partitions=7
    must "ApiTable asks one" "$here/run" kdl.codec.ApiTable "$(cat "$b/bootstrap")"
    must "node 2 is killed" "$here/broker" kill "$b" 2
    must_fail "and is gone" "$here/run" kdl.codec.ApiTable "$(cut -d, -f2 "$b/bootstrap")"
    must "node 2 starts again" "$here/broker" restart "$b" 2
    must "and answers at its old address" "$here/run" kdl.codec.ApiTable "$(cut -d, -f2 "$b/bootstrap")"
    must_fail "a folder in use is refused" "$here/broker" start "$b"
    must_fail "a property that Kafka refuses is a failure" "$here/broker" start "$work/bad" --prop num.io.threads=none
    must "all end" "$here/broker" stop "$b"
}

part_tools() {
    local b=$work/tooled list=(org.apache.kafka.tools.TopicCommand --list --bootstrap-server) said
    must "a broker starts" "$here/broker" start "$b"
    must "a tool makes a topic" tool_run org.apache.kafka.tools.TopicCommand --create --topic a --config "retention.ms=5" --bootstrap-server "$(cat "$b/bootstrap")"
    said=$(tool_run "${list[@]}" "$(cat "$b/bootstrap")") || not_ok "another one runs"
    must "what it says is its own" [ "$said" = a ]
    must "so it is of one that Scala has made" grep -q 'retention.ms=5 ' <(tool_run kafka.admin.ConfigCommand --describe --topic a --bootstrap-server "$(cat "$b/bootstrap")")
    must_fail "one that fails does so" tool_run org.apache.kafka.tools.TopicCommand --describe --topic none --bootstrap-server "$(cat "$b/bootstrap")"
    if said=$(tool_run org.apache.kafka.tools.TopicCommand --describe --topic none --bootstrap-server "$(cat "$b/bootstrap")" 2>&1); then not_ok "so does its text"; fi
    must "and says why" [ "${said#*Topic \'none\' does not exist}" != "$said" ]
    must_fail "one that is none fails" tool_run org.apache.kafka.tools.NoCommand
    must "the next one runs" tool_run "${list[@]}" "$(cat "$b/bootstrap")"
    must "the broker ends" "$here/broker" stop "$b"
}

part_secure() {
    must "a secure broker starts" "$here/broker" start "$work/secure" --secure
    must "it lets in whom it should" env KAFKA_LOG_LEVEL=off "$here/run" kdl.broker.SecureCheck "$work/secure/secure.env"
    must "it ends" "$here/broker" stop "$work/secure"
}

part_estate() {
    local b=$work/estate line estate
    must "a broker starts" "$here/broker" start "$b"
    mkfifo "$work/hold" "$work/said"
    "$here/estate" "$(cat "$b/bootstrap")" "$work/truth.json" --hold <"$work/hold" >"$work/said" &
    estate=$!
    exec 7>"$work/hold" 8<"$work/said"
    IFS= read -r line <&8 || not_ok "the estate gets ready"
    must "the estate is ready" [ "$line" = READY ]
    must "it is what it says" "$here/run" kdl.estate.EstateCheck "$(cat "$b/bootstrap")" "$work/truth.json"
    sed 's/"Ongoing"/"CompleteCommit"/' "$work/truth.json" >"$work/false.json"
    must_fail "a false truth is noticed" "$here/run" kdl.estate.EstateCheck "$(cat "$b/bootstrap")" "$work/false.json"
    exec 7>&- 8<&-
    must "it ends with its standard input" wait "$estate"
    must "the broker ends" "$here/broker" stop "$b"
}

set_up
[ $# -gt 0 ] || set -- codec batch broker tools ${LONG:+secure estate}
for part in "$@"; do
    case $part in codec | batch | broker | tools | secure | estate) "part_$part" ;; *) die "no such part: $part" ;; esac
done
echo "1..$count"
