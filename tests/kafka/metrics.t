#!/usr/bin/env bash
# metrics.t: kdl audit --metrics on real Apache Kafka with Prometheus' own JMX exporter in it: what was written to and read from each topic, byte for byte, by the names that common rules give,
# and by those without rules; and the price of an audit that knows it.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
pair_setup
kdl=$BUILD/bin/kdl
version=1.0.1
exporter=$kafka_home/jmx_prometheus_javaagent-$version.jar
if [ ! -s "$exporter" ]; then
    mvn -B -q -f "$here/pom.xml" dependency:copy -Dartifact=io.prometheus.jmx:jmx_prometheus_javaagent:$version -DoutputDirectory="$kafka_home" >"$work/maven" 2>&1
fi
[ -s "$exporter" ]; is "the exporter is there" $? 0

# As those that ship with the exporter and with Kubernetes operators; and none at all.
cat >"$work/rules.yml" <<'END'
lowercaseOutputName: true
rules:
- pattern: kafka.(\w+)<type=(.+), name=(.+)PerSec\w*, topic=(.+)><>Count
  name: kafka_$1_$2_$3_total
  type: COUNTER
  labels:
    topic: "$4"
END
echo '{}' >"$work/plain.yml"
metrics=$(free_port)
start() { # RULES
    BROKER_JVM="-Xmx512m ${quick_jvm[*]} -javaagent:$exporter=127.0.0.1:$metrics:$work/$1.yml" "$here/broker" start "$work/kafka" >"$work/start" 2>&1
    source=$(cat "$work/kafka/bootstrap")
}
scrape() { # FILE
    exec 3<>"/dev/tcp/127.0.0.1/$metrics"
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    sed '1,/^\r*$/d' <&3 >"$1"
    exec 3>&-
}
write() { seq "$2" | kcat -P -b "$source" -t "$1" -p 0 2>>"$work/err"; } # TOPIC RECORDS
read_all() { kcat -C -b "$source" -t "$1" -o beginning -e -q 2>>"$work/err" | wc -l; }
audit() { "$kdl" audit -b "$source" -q --sample-bytes 0 -o json "$@" 2>>"$work/err" >"$work/audit.json"; } # FLAG...
traffic() { jq -r ".topics[] | select(.name == \"$1\").traffic | $2" "$work/audit.json"; } # TOPIC EXPRESSION

for rules in rules plain; do
    start $rules; is "a Kafka starts, with $rules names" $? 0
    for topic in feed quiet; do "$kdl" topic create $topic -b "$source" >>"$work/err" 2>&1; write $topic 1000; done
    is "a topic is read twice, by nobody's group" "$(read_all feed) $(read_all feed)" "1000 1000"
    scrape "$work/first"
    audit --metrics "$work/first"; is "an audit takes what it scraped" $? 0
    is "records since the start" "$(traffic feed '.records_in_per_s * .window_ms / 1000 | round')" 1000
    is "twice as many bytes went out as came in" "$(traffic feed '.bytes_out_per_s / .bytes_in_per_s * 1000 | round / 1000')" 2
    is "of the other topic none" "$(traffic quiet '.bytes_out_per_s // 0')" 0
    is "the groups' fact says that it is read all the same" "$(jq -r '.topics[] | select(.name == "feed").facts.groups | .value, (.evidence[0] | .api, .text)' "$work/audit.json" | sed 's/[0-9][0-9]*/N/')" \
        "$(printf 'no\nmetrics\nN bytes a day are read of it: by consumers without a group, or by tools')"
    "$kdl" price --from "$work/audit.json" -o json >"$work/price.json" 2>>"$work/err"; is "which gives a price" $? 0
    # One of the two topics is read twice; how many bytes each holds depends on how its batches were cut.
    fan_out=$(jq '[.topics[].traffic | select(. != null)] | (map(.bytes_out_per_s // 0) | add) / (map(.bytes_in_per_s) | add) * 1000 | round / 1000' "$work/audit.json")
    is "by its own fan-out, two of two topics" "$(jq -r '.inputs.fan_out | (.value * 1000 | round / 1000), .source' "$work/price.json")" "$(printf '%s\n%s, bytes read per byte written, metrics of 2 of 2 topics' "$fan_out" "$work/audit.json")"
    is "which is what was done" "$(jq "([.topics[] | {(.name): .bytes}] | add | 2 * .feed / (.feed + .quiet)) - $fan_out | fabs < 0.005" "$work/audit.json")" true
    write feed 500
    scrape "$work/second"
    touch -r "$work/first" -d '20 seconds' "$work/second"; is "as if 20 s later" $? 0 # a short window tells of few whole records
    audit --metrics "$work/second" --metrics "$work/first"; is "two scrapes are taken, in any order" $? 0
    is "records between them" "$(traffic feed '.window_ms, .records_in_per_s')" "$(printf '20000\n25')"
    echo 'no metrics' >"$work/none"
    audit --metrics "$work/none"; is "a file without counters is wrong use" $? 2
    "$here/broker" kill "$work/kafka"
    rm -rf "$work/kafka"
done
echo "1..$tests"
