#!/usr/bin/env bash
# codec.t: our codec and Apache Kafka's own message classes read and write the same bytes, every API and version, both ways; and our table of APIs is the one that a broker advertises.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. SEED and COUNT choose the messages.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seed=${SEED:-$RANDOM} count=${COUNT:-20}
work=$(mktemp -d)
trap '"$here/broker" stop "$work/broker" >/dev/null 2>&1; rm -rf "$work"' EXIT
peer=$BUILD/tests/kafka/codec_peer
tests=0

check() { # WHAT COMMAND...
    local what=$1
    shift
    tests=$((tests + 1))
    if "$@" >"$work/output" 2>&1; then
        echo "ok $tests - $what: $(tail -n 1 "$work/output")"
    else
        echo "not ok $tests - $what (SEED=$seed)"
        tail -n 20 "$work/output" | sed 's/^/# /'
    fi
}

# A broker advertises no telemetry without a receiver, and the schema has no API that a client's listener lacks.
tables_agree() {
    "$here/run" kdl.codec.ApiTable "$1" | awk '{ print $1, $3, $4 }' | sort -n >"$work/kafka.table" || return 1
    "$peer" table | awk '$1 != 71 && $1 != 72 { print $1, $3, $4 }' | sort -n >"$work/ours.table"
    [ -s "$work/kafka.table" ] && diff "$work/kafka.table" "$work/ours.table" && echo "$(wc -l <"$work/ours.table") APIs"
}

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then
        echo "not ok 1 - $(tail -n 1 "$work/setup")"
        exit 1
    fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
check "Kafka writes, we read and write again" sh -c "'$here/run' kdl.codec.CodecOracle make $seed $count '$work/theirs' >&2 && '$peer' check '$work/theirs'"
check "we write, Kafka reads and writes again" sh -c "'$peer' make $seed $count '$work/ours' && '$here/run' kdl.codec.CodecOracle check '$work/ours'"
check "a broker starts" "$here/broker" start "$work/broker"
check "the APIs and versions are those that a broker advertises" tables_agree "$(cat "$work/broker/bootstrap")"
echo "1..$tests"
