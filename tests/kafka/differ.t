#!/usr/bin/env bash
# differ.t: the same random requests to Apache Kafka and to refbroker, answers compared field by field; what may differ stands in tests/differ/allowed.def.
# SEED and DIFFER_REQUESTS choose them (check-long sends many more). Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
seed=${SEED:-3} requests=${DIFFER_REQUESTS:-6000}
work=$(mktemp -d)
refbroker_pid=''
finish() {
    [ -n "$refbroker_pid" ] && kill "$refbroker_pid" 2>/dev/null && wait "$refbroker_pid" 2>/dev/null
    "$here/broker" kill "$work/broker" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT
"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
echo 1..3
# Retention and the log cleaner go round at times of their own on either side; the answers must not depend on them.
# The controller gathers changes for 25 ms by default, and these requests make many.
"$here/broker" start "$work/broker" --prop controller.quorum.append.linger.ms=0 --prop log.initial.task.delay.ms=86400000 --prop log.cleaner.backoff.ms=86400000 >"$work/output" 2>&1 && echo "ok 1 - a Kafka starts" || { echo "not ok 1 - a Kafka starts"; exit 1; }
port=$((20000 + RANDOM % 10000))
"$BUILD/bin/refbroker" --data "$work/data" --listen 127.0.0.1:$port --set log.initial.task.delay.ms=86400000 --set log.cleaner.backoff.ms=86400000 >"$work/refbroker" 2>&1 & refbroker_pid=$!
for _ in $(seq 200); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done
grep -q ready "$work/refbroker" && echo "ok 2 - a refbroker starts" || echo "not ok 2 - a refbroker starts"
if timeout 3000 "$BUILD/tests/kafka/differ" "$seed" "$requests" "$(cat "$work/broker/bootstrap")" 127.0.0.1:$port >"$work/output" 2>&1; then
    echo "ok 3 - $(tail -n 1 "$work/output")"
else
    echo "not ok 3 - $(tail -n 1 "$work/output") (SEED=$seed)"
    head -n 40 "$work/output" | cut -c1-400 | sed 's/^/# /'
fi
