#!/usr/bin/env bash
# price.t: kdl price measures real Apache Kafka: what its logs grew by, also where a log loses its beginning meanwhile; and changes nothing.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
kdl=$BUILD/bin/kdl load=$BUILD/tests/system/fixed_load
tests=0
finish() {
    "$here/broker" stop "$work/broker" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

check() { # WHAT CODE
    tests=$((tests + 1))
    if [ "$2" -eq 0 ]; then echo "ok $tests - $1"; else echo "not ok $tests - $1"; [ -e "$work/output" ] && tail -n 25 "$work/output" | sed 's/^/# /'; fi
}

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
"$here/broker" start "$work/broker" --prop broker.rack=zone-a --secure \
    --prop authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer --prop super.users=User:ANONYMOUS >"$work/output" 2>&1; check "a Kafka starts" $?
source=$(cat "$work/broker/bootstrap")
# What fixed_load writes is years old.
for topic in orders events; do "$kdl" topic create $topic -b "$source" -p 3 --config retention.ms=-1 >"$work/output" 2>&1; "$load" "$source" $topic 3 1000 2>"$work/output"; done
log_bytes() { cat "$work"/broker/node-1/data/"$1"-*/*.log | wc -c; }

# Starts kdl on a terminal of its own, where it says how far it is, and comes back when its first look is over.
price_start() { # FLAG...
    local command
    printf -v command '%q ' "$kdl" price "$@" --sample-seconds 15 -o json
    : >"$work/output"
    TERM=dumb script -qfec "$command >$work/json" "$work/output" >/dev/null & price_pid=$!
    for _ in $(seq 1200); do
        grep -q 'looked once, again in 15 s' "$work/output" && return 0
        read -r -t 0.05 <> <(:)
    done
    return 1
}
price_end() { wait $price_pid && ! grep -q 'kdl:' "$work/output"; }
# The measured rate times the measured time, over what was written; the time is printed to a tenth of its 15 seconds (0.34 %).
is_rate_of() { # BYTES
    [ -s "$work/json" ] || return 1
    jq --argjson written "$1" '.inputs.produce_mbps, $written' "$work/json" >"$work/output"
    jq -e --argjson written "$1" '.inputs.produce_mbps | (.value * 1e6) as $rate | (.source | capture("in (?<s>[0-9.]*) s").s | tonumber) as $s | ($rate * $s / $written - 1 | fabs) < 0.005' "$work/json" >/dev/null
}

before=$(log_bytes orders) topics=$("$kdl" topic list -b "$source")
price_start -b "$source"; check "a first look" $?
"$load" "$source" orders 3 5000 2>/dev/null
price_end; check "and a second one" $?
is_rate_of $(($(log_bytes orders) - before)); check "the rate is what the broker's files grew by" $?
[ "$(jq -c '.inputs | [.brokers.value, .zones.value, .partitions.value, .replication_factor.value, .fan_out.origin]' "$work/json")" = '[1,1,6,1,"measured"]' ]; check "brokers, zones by racks, partitions, replicas" $?
[ "$("$kdl" topic list -b "$source")" = "$topics" ]; check "no topic came by it" $?

before=$(log_bytes events)
price_start -b "$source"; check "a first look at a log that will lose its beginning" $?
"$load" "$source" events 3 5000 2>/dev/null
printf '{"version": 1, "partitions": [{"topic": "events", "partition": 0, "offset": 200}]}' >"$work/delete.json"
"$here/run" org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$source" --offset-json-file "$work/delete.json" >"$work/deleted" 2>&1; check "records are deleted meanwhile" $?
price_end; check "a second look" $?
# The numbers in the 5000 have more digits than those in the 1000: they are longer than the mean of what was stored, by less than 2 %.
is_rate_of $((5000 * before / 1000)); check "the rate is that of 5000 records of the size that the stored ones have" $?
[ $((100 * ($(log_bytes events) - before))) -lt $((102 * 5000 * before / 1000)) ]; check "which the broker's files agree with, within 2 %" $?
jq -r .inputs.produce_mbps.source "$work/json" >"$work/output"; grep -q '1 by records times their mean size' "$work/output"; check "and it says that it was found so" $?

# shellcheck source=/dev/null
. "$work/broker/secure.env"
login=(-b "$SASL_PLAINTEXT_BOOTSTRAP" -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X "sasl.username=$PLAIN_USER" -X "sasl.password=$PLAIN_PASSWORD")
"$kdl" price "${login[@]}" --sample-seconds 1 >"$work/output" 2>&1; code=$?
[ $code -eq 1 ] && grep -qx 'kdl: no topic fits \*: add --produce-mbps N, or a longer --sample-seconds.' "$work/output"; check "a login that sees no topic is told so" $?
"$here/run" org.apache.kafka.tools.AclCommand --bootstrap-server "$source" --add --force --allow-principal "User:$PLAIN_USER" --operation Describe --topic '*' >"$work/output" 2>&1
price_start "${login[@]}"; check "one that may see names: a first look" $?
"$load" "$source" orders 3 1000 2>/dev/null
wait $price_pid; [ $? -eq 1 ] && grep -q 'kdl: sizes are not known (DescribeLogDirs: .*CLUSTER_AUTHORIZATION_FAILED.*): add --produce-mbps N' "$work/output"; check "it is told which request was refused" $?
"$kdl" price "${login[@]}" --sample-seconds 1 --produce-mbps 5 -o json >"$work/json" 2>"$work/output"
[ "$(jq -c '.inputs | [.produce_mbps.origin, .partitions.origin, .retention_hours.origin, .fan_out.origin]' "$work/json")" = '["given","measured","default","default"]' ]; check "with a rate that is given the rest stays a default" $?
echo "1..$tests"
