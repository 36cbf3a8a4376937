#!/usr/bin/env bash
# kdl audit reads no more of the logs than it was allowed, and a part of each topic where that is enough for nothing else.
. "$(dirname "$0")/common.sh"
plan 7
topics=40 partitions=5
a=127.0.0.1:$(free_port)
start_refbroker a "${a#*:}"
for ((t = 0; t < topics; t++)); do "$kdl" topic create "t$t" -b "$a" -p $partitions > /dev/null; done
# Batches of some 100 KB, four in each partition: 80 MB.
line=$(head -c 75000 /dev/urandom | base64 -w 0)
for ((i = 0; i < 4; i++)); do echo "$line"; done > "$work/lines"
for ((t = 0; t < topics; t++)); do
    for ((p = 0; p < partitions; p++)); do timeout 30 kcat -P -b "$a" -t "t$t" -p $p -X batch.num.messages=1 < "$work/lines" 2> /dev/null || echo "t$t $p" >> "$work/failed"; done
done
is "the logs are filled" "$(cat "$work/failed" 2> /dev/null)" ""

audit() { timeout 60 "$kdl" audit -b "$a" -q -o json --sample-bytes "$1" > "$work/json" 2> "$work/err"; }
read_bytes() { jq .audit.sampled_bytes "$work/json"; }
sampled() { jq "[.topics[] | select(.sampled.batches > 0)] | length" "$work/json"; }
# Four requests are under way when the bytes are used up, each for a batch at least.
for bytes in 5000000 20000000; do
    audit $bytes; echo "# $(read_bytes) bytes, $(jq .audit.requests "$work/json") requests"; is "an audit may read $bytes bytes" $? 0
    is "it reads that, and no more than what was on its way" "$(awk -v n="$(read_bytes)" -v max=$bytes 'BEGIN { print (n > max / 2 && n <= max + 4 * 110000) }')" 1
    is "of each topic something" "$(sampled)" $topics
done
