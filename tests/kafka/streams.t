#!/usr/bin/env bash
# streams.t: Kafka Streams on refbroker, beside the same on Apache Kafka: a windowed join and windowed counts, exactly once, whose local state is deleted and restored, while
# refbroker is killed (-9) and started again: the same pairs, counts, offsets and internal topics.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. STREAMS_KILLS: how often refbroker is killed (2).
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kills=${STREAMS_KILLS:-2}
[ -z "${LONG:-}" ] || kills=${STREAMS_KILLS:-15}
pair_setup
# An application that has ended is missed after two seconds instead of ten.
pair_start group.min.session.timeout.ms=1000 transaction.abort.timed.out.transaction.cleanup.interval.ms=500
first=$(($(date +%s) - kills * 400))000 # ends now
join() { timeout 900 "$here/run" kdl.streams.WindowJoin "$1" "$2" "$kills" "$first" 2>>"$work/err"; }
join "$theirs" true >"$work/kafka.joined" & joining=$!
join "$ours" "$work/restart" >"$work/joined"
is "a windowed join ends, over $kills kills of refbroker, each with the local state deleted" $? 0
wait "$joining" || tail -n 5 "$work/err" | sed 's/^/# /'
is "its pairs, the counts, the offsets and Streams' own topics are those on Kafka" "$(cat "$work/joined")" "$(cat "$work/kafka.joined")"
is "no pair is missing or there twice, and the state was restored" "$(grep -c '^wrong' "$work/joined") $(grep '^records were restored' "$work/joined")" "0 records were restored: true"
is "there are pairs, counts and topics" "$(awk '/^[0-9]+ [0-9] l[0-9]+\+r/ { p = 1 } /^[01] [0-9]@[0-9]+ = / { c = 1 } /^== topic .*-changelog,/ { t++ } END { print p, c, t }' "$work/joined")" "1 1 3"
echo "1..$tests"
