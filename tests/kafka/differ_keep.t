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
# Nothing may depend on the time or wait for another: retention, the log cleaner, expiry and regular assignments keep out of the way, markers of transactions are
# years younger than the records and must not roll a segment, and a second member of a classic group is refused instead of being waited for.
both=(log.initial.task.delay.ms=86400000 log.cleaner.backoff.ms=86400000 log.roll.ms=3600000000000
    group.max.size=1 group.initial.rebalance.delay.ms=0 group.max.session.timeout.ms=1800000
    group.consumer.session.timeout.ms=1800000 group.consumer.max.session.timeout.ms=1800000 group.consumer.assignment.interval.ms=0
    offsets.retention.minutes=1000000 transaction.abort.timed.out.transaction.cleanup.interval.ms=86400000)
# Kafka's controller and coordinators gather changes for some ms by default, and these requests make many.
kafka=(controller.quorum.append.linger.ms=0 group.coordinator.append.linger.ms=0 group.consumer.assignor.offload.enable=false transaction.state.log.num.partitions=1)
mapfile -t props < <(printf -- '--prop\n%s\n' "${both[@]}" "${kafka[@]}")
mapfile -t sets < <(printf -- '--set\n%s\n' "${both[@]}")
"$here/broker" start "$work/broker" "${props[@]}" >/tmp/wt/differ.trace 2>&1 && echo "ok 1 - a Kafka starts" || { echo "not ok 1 - a Kafka starts"; exit 1; }
port=$(free_port)
"$BUILD/bin/refbroker" --data "$work/data" --listen 127.0.0.1:$port "${sets[@]}" >"$work/refbroker" 2>&1 & refbroker_pid=$!
for _ in $(seq 200); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done
grep -q ready "$work/refbroker" && echo "ok 2 - a refbroker starts" || echo "not ok 2 - a refbroker starts"
if timeout 3000 "$BUILD/tests/kafka/differ" "$seed" "$requests" "$(cat "$work/broker/bootstrap")" 127.0.0.1:$port >/tmp/wt/differ.trace 2>&1; then
    echo "ok 3 - $(tail -n 1 /tmp/wt/differ.trace)"
else
    echo "not ok 3 - $(tail -n 1 /tmp/wt/differ.trace) (SEED=$seed)"
    head -n 40 /tmp/wt/differ.trace | cut -c1-400 | sed 's/^/# /'
fi
