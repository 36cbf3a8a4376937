#!/usr/bin/env bash
# conformance.t: kdl conformance on real Apache Kafka: every check passes there, eight at a time, also those that restart the broker or give it other properties
# (LONG=1: four at a time and one after the other, too). In front of it every mutant of producing is killed (LONG=1: every mutant, and no null broker passes
# anything; tests/system/refbroker_conformance.t proves that in front of refbroker every time). Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
#
# conformance.t ctl DIR start [KEY=VALUE...] | kill | restart | stop      what `kdl conformance --ctl` calls, for the brokers in DIR
# Runs first: it takes longest, and mostly waits.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
kdl=$BUILD/bin/kdl

# start: with these properties beside those it was made with, and with none of an earlier start.
control() { # DIR VERB [KEY=VALUE...]
    local dir=$1 verb=$2 properties=$1/node-1/server.properties
    shift 2
    case $verb in
    start)
        [ -e "$properties.first" ] || cp "$properties" "$properties.first"
        { cat "$properties.first"; [ $# -eq 0 ] || printf '%s\n' "$@"; } >"$properties"
        "$here/broker" restart "$dir"
        ;;
    kill | restart | stop) "$here/broker" "$verb" "$dir" ;;
    *) die "no such verb: $verb" ;;
    esac
}
if [ "${1:-}" = ctl ]; then
    shift
    control "$@"
    exit
fi

work=$(mktemp -d)
tests=0
finish() {
    local result=$?
    if [ -e "$work/kafka/nodes" ]; then "$here/broker" kill "$work/kafka"; fi
    if [ $result -eq 0 ]; then rm -rf "$work"; else echo "# output and logs are in $work"; fi
}
trap finish EXIT

ok() { # TEXT CODE
    tests=$((tests + 1))
    if [ "$2" -eq 0 ]; then echo "ok $tests - $1"; else
        echo "not ok $tests - $1"
        { grep -A12 '^not ok' "$work/output" || tail -n 60 "$work/output"; } | head -n 60 | sed 's/^/# /'
        exit 1
    fi
}
sums() { grep -c "^$1" "$work/output"; }

result=0
"$here/setup" 2>"$work/output" || result=$?
if [ $result -eq 77 ] && [ "${KAFKA_REQUIRED:-0}" != 1 ]; then
    echo "1..0 # SKIP $(cat "$work/output")"
    exit 0
fi
ok "Apache Kafka is set up" $result
result=0
# Files of deleted topics go soon: with the minute that Kafka keeps them it would need some thousand open files.
# One that was killed starts again only when its session is over: nine seconds, by default.
# Clients have to log in for some checks, and the brokers not: they have a listener of their own.
"$here/broker" start "$work/kafka" --listener INTERNAL=PLAINTEXT --prop inter.broker.listener.name=INTERNAL \
    --prop log.segment.delete.delay.ms=500 --prop broker.session.timeout.ms=3000 --prop broker.heartbeat.interval.ms=500 \
    >"$work/output" 2>&1 || result=$?
ok "a broker starts" $result
bootstrap=$(cat "$work/kafka/bootstrap")

run() { # FLAG...: code in $code, output in $work/output
    code=0
    "$kdl" conformance -b "$bootstrap" -o tap "$@" >"$work/output" 2>&1 || code=$?
}

run --jobs 8 --ctl "'${BASH_SOURCE[0]}' ctl '$work/kafka'"
ok "every check passes with an empty profile, restarts included ($(sums 'ok ') checks)" $code
ok "none is skipped" "$(grep -c '# SKIP' "$work/output")"
ok "they are 90 or more" $(($(sums 'ok ') < 90))
proof=(--run 'mutant.produce_*') proven='every mutant of producing is killed by the check that names it'
if [ -n "${LONG:-}" ]; then # minutes
    for jobs in 4 1; do
        run --jobs $jobs
        ok "so they do with $jobs at a time" $code
    done
    # The long run has other work beside it.
    proof=(--timeout-mult 2) proven='every mutant is killed by the check that names it, and no null broker passes anything'
fi

run --prove --jobs 4 "${proof[@]}" --ctl "'${BASH_SOURCE[0]}' ctl '$work/kafka'"
ok "$proven ($(sums 'ok ') of them)" $code
ok "the mutants are 30 or more" $(($(grep -c '^ok .* - mutant\.' "$work/output") < 30))
"$kdl" topic list -b "$bootstrap" >"$work/output" 2>&1 || true
ok "no topic is left behind" "$(grep -c '^kc-' "$work/output")"
echo "1..$tests"
