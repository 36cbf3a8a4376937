#!/usr/bin/env bash
# verifiable.t: Kafka's VerifiableProducer and VerifiableConsumer on refbroker, which is killed (-9) and started again while both run: each acknowledged record is consumed,
# once, at the offset that it was acknowledged with, in groups of both protocols.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. VERIFIABLE_KILLS: how often refbroker is killed (2).
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kills=${VERIFIABLE_KILLS:-2}
nearly=0.8
# What is sent while no broker is there fails, and beside other work starts take their time.
[ -z "${LONG:-}" ] || kills=${VERIFIABLE_KILLS:-100} nearly=0.5
records=$((12000 * (kills + 1)))
t=org.apache.kafka.tools
partitions=3
pair_setup
pair_start_ours
tool $t.TopicCommand --bootstrap-server "$ours" --create --topic verified --partitions $partitions >/dev/null

consume() { # PROTOCOL
    mkdir "$work/$1"
    "$here/run" $t.VerifiableConsumer --bootstrap-server "$ours" --topic verified --group-id "$1" --group-protocol "$1" --reset-policy earliest --verbose \
        >"$work/$1/out" 2>"$work/$1/err" & echo $! >"$work/$1/pid"
}
for protocol in classic consumer; do consume $protocol; done
: >"$work/produced"
"$here/run" $t.VerifiableProducer --bootstrap-server "$ours" --topic verified --max-messages $records --throughput 5000 >"$work/produced" 2>"$work/err" & producer=$!
# A line for each record, acknowledged or failed: what fails grows with the kills, and acknowledgements alone would never come to the last of them.
answered() { [ "$(wc -l <"$work/produced")" -ge "$1" ]; }
for kill in $(seq "$kills"); do
    wait_for 60 answered $((kill * records / (kills + 2))) || break
    "$work/restart"
    killed=$kill
done
wait "$producer"
is "refbroker is killed $kills times" "${killed:-0}" "$kills"
is "the producer ends, over $kills kills of the broker" "$(tail -n 1 "$work/produced" | jq -r .name)" tool_data

# The tool never sends anything twice: what was under way at a kill has failed, and is there or not.
data() { grep "\"$1\"" "$2" | jq -r '[.partition, .offset, .value] | join(" ")' | sort; } # NAME FILE
data producer_send_success "$work/produced" >"$work/acked"
grep '"producer_send_error"' "$work/produced" | jq -r .value | sort >"$work/failed"
is "each record is acknowledged or has failed" "$(cat "$work/acked" "$work/failed" | wc -l)" $records
is "nearly all are acknowledged" "$(wc -l <"$work/acked" | awk -v records=$records -v nearly=$nearly '{ print ($1 > nearly * records) }')" 1
echo "# $(wc -l <"$work/acked") of $records records acknowledged"
there() { for partition in $(seq 0 $((partitions - 1))); do kcat -b "$ours" -Q -t "verified:$partition:-1"; done 2>>"$work/err" | awk '{ n += $NF } END { print n }'; }
end=$(there)
has_consumed() { [ "$(grep -c '"record_data"' "$work/$1/out")" -ge "$end" ]; }
for protocol in classic consumer; do
    wait_for 60 has_consumed $protocol
    data record_data "$work/$protocol/out" >"$work/$protocol/data"
    is "a group of the $protocol protocol consumes each acknowledged record at its offset" "$(comm -23 "$work/acked" "$work/$protocol/data" | wc -l)" 0
    is "and no record twice" "$(cut -d' ' -f1,2 "$work/$protocol/data" | uniq -d | wc -l) $(wc -l <"$work/$protocol/data")" "0 $end"
    is "and beside them none but what has failed" "$(comm -13 "$work/acked" "$work/$protocol/data" | cut -d' ' -f3 | sort | comm -23 - "$work/failed" | wc -l)" 0
done
is "both groups have committed what they consumed" "$(tool $t.consumer.group.ConsumerGroupCommand --bootstrap-server "$ours" --describe --all-groups --offsets |
    awk '$2 == "verified" { n[$1] += $4 } END { print n["classic"], n["consumer"] }')" "$end $end"
echo "1..$tests"
