#!/usr/bin/env bash
# telemetry.t: clients that are asked for their metrics (KIP-714): the same requests to refbroker and to an Apache Kafka that has a receiver, answer by answer; Java's producer and consumer
# push to refbroker, and /metrics shows what they did, as Prometheus' parser reads it. Speaks TAP.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
t=org.apache.kafka.tools

pair_setup
http=127.0.0.1:$(free_port)
# shellcheck disable=SC2034 # pair.sh's
ours_flags="--http $http"
"$here/broker" start "$work/kafka" --prop metric.reporters=kdl.telemetry.Receiver >"$work/start" 2>&1 & starting=$!
pair_start_ours kdl.client.metrics.enable=true
wait "$starting"
theirs=$(cat "$work/kafka/bootstrap")

tool kdl.telemetry.TelemetryScript "$theirs" >"$work/kafka.answers" & asking=$!
tool kdl.telemetry.TelemetryScript "$ours" >"$work/answers"
wait "$asking"
for name in nothing matching states changes payloads time; do
    is "the same requests are answered the same: $name" "$(part "$name" "$work/answers")" "$(part "$name" "$work/kafka.answers")"
done
is "there were answers" "$(grep -c '^[a-z].* v[0-9]: {' "$work/answers" | awk '{ print ($1 > 70) }')" 1
listed() { tool kdl.codec.ApiTable "$1" | grep -i telemetry; }
is "both list the requests" "$(listed "$ours")" "$(listed "$theirs")"

metrics() { curl -fs "http://$http/metrics"; }
# value NAME INSTANCE: the last value that a client pushed
value() { metrics | awk -v name="$1" -v id="client_instance_id=\"$2\"" 'index($0, name "{") == 1 && index($0, id) { print $NF; exit }'; }
has() { [ "$(value "$1" "$2")" = "$3" ]; }
id_of() { sed -n "s/^$1 //p" "$work/pushed"; }
sent=client_org_apache_kafka_producer_record_send_total
got=client_org_apache_kafka_consumer_fetch_manager_records_consumed_total
is "somebody subscribes to everything" "$(tool $t.ClientMetricsCommand --bootstrap-server "$ours" --alter --name all --interval 300 --metrics '*')" "Altered client metrics config for all."
mkfifo "$work/orders"
: >"$work/pushed"
exec 5<>"$work/orders"
tool kdl.telemetry.PushRun "$ours" <&5 >"$work/pushed" & pushing=$!
wait_for 30 grep -q ^consumer "$work/pushed"
wait_for 30 has $sent "$(id_of producer)" 25
is "a producer's records are counted" "$(value $sent "$(id_of producer)")" 25
wait_for 30 has $got "$(id_of consumer)" 25
is "and a consumer's" "$(value $got "$(id_of consumer)")" 25
echo more >&5
wait_for 30 has $sent "$(id_of producer)" 50
is "what comes later is added" "$(value $sent "$(id_of producer)")" 50
wait_for 30 has $got "$(id_of consumer)" 50
is "for the consumer, too" "$(value $got "$(id_of consumer)")" 50
metrics >"$work/metrics"
is "each has the labels of its client" "$(grep -c "^$sent{client_id=\"kdl \\\\\"producer\\\\\"\",client_instance_id=\"$(id_of producer)\",client_software_name=\"apache-kafka-java\",client_software_version=\"4" "$work/metrics")" 1
is "and of its group and topic" "$(grep "^$got{" "$work/metrics" | grep -c 'group_id="pushing".*topic="pushed"')" 1
is "Prometheus can read it" "$("$here/prometheus_check" <"$work/metrics")" ok
echo end >&5
wait "$pushing"
gone() { [ "$(metrics | grep -c '^client_org_')" = 0 ]; }
wait_for 30 gone
is "who ends goes from it" "$(metrics | grep -c '^client_org_')" 0
is "and nothing was dropped but what was too much" "$(metrics | sed -n 's/^kdl_client_metrics_dropped_total //p')" 4000
echo "1..$tests"
