#!/usr/bin/env bash
# kdl price: what it prints for a load that is given, its sources, prices of one's own, wrong use; what it measures at a cluster; and that the page of the
# command has the tables as they are. Golden files: tests/system/price/.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
plan 48
golden=tests/system/price
export LC_ALL=C COLUMNS=80
price() { timeout 60 "$kdl" price "$@" 2>&1; }

# --- a load that is given -------------------------------------------------------------------------------------------------

study=(--produce-mbps 100 --fan-out 3 --retention-hours 72)
is "the table of a load of 100 MB/s" "$(price "${study[@]}")" "$(cat $golden/table.txt)"
is "the same in UTF-8, 100 columns wide" "$(LC_ALL=C.UTF-8 COLUMNS=100 price "${study[@]}" | head -12)" "$(cat $golden/table-utf8.txt)"
is "its JSON: the designs" "$(price "${study[@]}" -o json | jq '.designs | walk(if type == "number" then (. * 10000 | round / 10000) else . end)')" "$(cat $golden/designs.json)"
is "without any flag: an example, and it says so" "$(price | sed -n 2p)" "an example: --produce-mbps N says how much is produced, -b HOST:PORT measures it"
price "${study[@]}" -o json > "$work/json"
is "JSON: format, version, prices" "$(jq -c '[.format, (.kdl | length > 0), .prices]' "$work/json")" '[1,true,"AWS us-east-1, list prices"]'
is "JSON: every formula has a number, a unit, a text and a sense" \
    "$(jq '[.formulas[] | select((.value | type) != "number" or .unit == "" or .formula == "" or .what == "")] | length' "$work/json")" 0
is "JSON: every input has a source" "$(jq '[.inputs[] | select(.source == "" or .low > .value or .high < .value)] | length' "$work/json")" 0
is "JSON: totals are the sums of the costs that they name" \
    "$(jq '. as $all | [.designs[] | ([.costs[] as $c | $all.formulas[$c].value] | add) - .total | fabs | select(. > 0.001)] | length' "$work/json")" 0
is "JSON: a band holds its total" "$(jq '[.designs[] | select(.low > .total or .high < .total)] | length' "$work/json")" 0
is "what moves the price most comes first, and is moved alone" \
    "$(price "${study[@]}" --set follower_fetch=0 -o json | jq '.designs[0].total == ($json[0].designs[0].tornado[] | select(.input == "follower_fetch") | .at_low)' --slurpfile json "$work/json")" true

# At the rate that is told both cost the same.
at=$(jq '.designs[] | select(.name == "inkless") | .cliffs[] | select(.input == "produce_mbps") | .at' "$work/json")
is "the cliff: at this rate diskless and classic cost the same" \
    "$(price "${study[@]}" --produce-mbps "$at" -o json | jq '((.formulas.inkless_total.value - .formulas.classic_best.value) | fabs) < 0.01')" true
is "below it diskless is dearer" "$(price "${study[@]}" --produce-mbps "$(jq -n "$at / 2")" -o json | jq '.formulas.inkless_total.value > .formulas.classic_best.value')" true

# --- where numbers are from -----------------------------------------------------------------------------------------------

is "--explain: formulas and inputs down to the lines of the price file" "$(price "${study[@]}" --explain inkless_put_cost)" "$(cat $golden/explain.txt)"
is "--explain all: every value of the JSON" "$(price --explain all | sed -n 's/^\([a-z0-9_]*\) = .*/\1/p' | sort)" "$(jq -r '.formulas | keys[]' "$work/json" | sort)"
is "a given value is told as given, a default with its reason" \
    "$(price --zones 2 -e zone_share | sed -n 's/^ *zones *//p'; price -e zone_share | sed -n 's/^ *zones *//p')" \
    "2 zones         given: --zones
3 zones         default: usual"

# --- prices of one's own --------------------------------------------------------------------------------------------------

price --print-prices > "$work/mine.conf"
is "the file that ships is the one that is built in" "$(cmp price/prices.conf "$work/mine.conf" 2>&1)" ""
is "a copy of it gives the same prices" "$(price --prices "$work/mine.conf" -o json | jq .designs)" "$(price -o json | jq .designs)"
sed -i 's/^zone_gb .*/zone_gb 0 2026-01-01 https:\/\/azure.microsoft.com\/pricing\//' "$work/mine.conf"
is "free traffic between zones: nothing is paid for it" "$(price --prices "$work/mine.conf" -o json | jq '.formulas | .classic_replication.value + .classic_producers.value')" 0
is "and the source of the price is told" "$(price --prices "$work/mine.conf" -e zone_gb | grep -c "mine.conf:[0-9]*, 2026-01-01, https://azure.microsoft.com/pricing/")" 2
line=$(grep -n '^zone_gb' "$work/mine.conf" | cut -d: -f1)
sed -i "${line}s/ 0 / free /" "$work/mine.conf"
is "a wrong line: one line with file and number, exit 2" "$(price --prices "$work/mine.conf"; echo $?)" \
    "kdl: $work/mine.conf:$line: zone_gb wants a price from 0 to 1e9, not free. (kdl price --help)
2"
sed -i "${line}d" "$work/mine.conf"
is "a price that is missing is named, exit 2" "$(price --prices "$work/mine.conf" | grep -c 'zone_gb is missing'; price --prices "$work/mine.conf" > /dev/null; echo $?)" "1
2"
make --no-print-directory -o all DESTDIR="$work/root" PREFIX=/usr BUILD="$BUILD" install > "$work/out" 2>&1
is "make install brings the price file" "$(cmp price/prices.conf "$work/root/usr/share/kdl/prices.conf" 2>&1)" ""

# --- wrong use ------------------------------------------------------------------------------------------------------------

while IFS='|' read -r flags said; do
    # shellcheck disable=SC2086
    is "wrong: ${flags:-nothing}" "$(price $flags; echo "exit $?")" "kdl: $said (kdl price --help)
exit 2"
done <<'Y'
--produce-mbps -5|--produce-mbps wants a number from 1e-06 to 1e+06 (MB/s), or LOW:VALUE:HIGH, not -5.
--produce-mbps nan|--produce-mbps wants a number from 1e-06 to 1e+06 (MB/s), or LOW:VALUE:HIGH, not nan.
--produce-mbps 1e999|--produce-mbps wants a number from 1e-06 to 1e+06 (MB/s), or LOW:VALUE:HIGH, not 1e999.
--zones 2.5|--zones wants a whole number from 1 to 10 (zones), or LOW:VALUE:HIGH, not 2.5.
--disk-fill 0|--disk-fill wants a number from 0.05 to 1 (share), or LOW:VALUE:HIGH, not 0.
--fan-out 3:2:1|--fan-out wants a number from 0 to 1000 (x), or LOW:VALUE:HIGH, not 3:2:1.
--fanout 3|unknown option --fanout. Did you mean --fan-out?
--set nic_gbp=1|--set knows no nic_gbp. Did you mean nic_gbps?
--set classic_total=1|--set classic_total: that is computed; --explain classic_total shows from what.
--explain clasic_total|--explain knows no clasic_total. Did you mean classic_total?
--prices /no/such/file|--prices: cannot read /no/such/file: No such file or directory
--from /no/such/file|--from: cannot read /no/such/file: No such file or directory
--from README.md -b 127.0.0.1:1|--from and a cluster (-b, -F, -X) exclude each other.
-o csv|--output wants table|json, not csv.
something|unexpected word something.
Y
price -b 127.0.0.1:1 --sample-seconds 1 > "$work/out"; is "a broker that is none: exit 3 and one line" "$? $(wc -l < "$work/out")" "3 1"

# --- a cluster ------------------------------------------------------------------------------------------------------------

port=$(free_port); http=$(free_port)
a=127.0.0.1:$port
start_refbroker a "$port" --http "127.0.0.1:$http" --set log.retention.ms=-1 # what fixed_load writes is years old
metric() { # NAME
    exec 3<> "/dev/tcp/127.0.0.1/$http"
    printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    sed -n "s/^kdl_$1 //p" <&3 | tr -d '\r'
    exec 3<&-
}
"$kdl" topic create orders -b "$a" -p 3 > /dev/null; "$kdl" topic create quiet -b "$a" -p 2 > /dev/null
"$BUILD/tests/system/fixed_load" "$a" orders 3 1000 2> /dev/null
"$BUILD/tests/system/fixed_load" "$a" quiet 2 100 2> /dev/null
is "nothing is written: exit 1, and what to do" "$(price -b "$a" --sample-seconds 1; echo $?)" \
    "kdl: nothing was written between the two looks: add --produce-mbps N, or a longer --sample-seconds.
1"
is "no topic at all: the same" "$(price -b "$a" --sample-seconds 1 --topics 'none-*'; echo $?)" \
    "kdl: no topic fits none-*: add --produce-mbps N, or a longer --sample-seconds.
1"
# Two readers of what is written, and one of what is not.
for group in one two; do kcat -b "$a" -q -u -G $group -X auto.offset.reset=earliest orders > "$work/$group" 2> /dev/null & done
kcat -b "$a" -q -u -G three -X auto.offset.reset=earliest quiet > "$work/three" 2> /dev/null &
read_all() { [ "$(wc -l < "$work/one") $(wc -l < "$work/two") $(wc -l < "$work/three")" = "1000 1000 100" ]; }
wait_for 30 read_all; ok "three groups have read everything" $?

# On a terminal kdl says when the first look is over.
before=$(metric produce_bytes_total)
: > "$work/err"
TERM=dumb script -qfec "$kdl price -b $a --sample-seconds 12 -o json > $work/measured" "$work/err" > /dev/null &
pid=$!
wait_for 30 grep -q 'looked once, again in 12 s' "$work/err"; ok "the first look is over" $?
"$BUILD/tests/system/fixed_load" "$a" orders 3 5000 2> /dev/null
written=$(($(metric produce_bytes_total) - before))
wait "$pid"; is "the second, too" "$?" 0
is "what was written between them, to the byte" \
    "$(jq --argjson written "$written" '.inputs.produce_mbps | (.value * 1e6) as $rate | (.source | capture("in (?<s>[0-9.]*) s").s | tonumber) as $s | ($rate * $s / $written - 1 | fabs) < 0.02' "$work/measured")" true
is "each number says that it was measured, and by what" \
    "$(jq -r '.inputs | [.produce_mbps, .fan_out, .partitions, .brokers, .retention_hours, .replication_factor, .zones] | map(.origin) | join(" ")' "$work/measured")" \
    "measured measured measured measured measured measured default"
is "fan-out: the groups of what is written; partitions; brokers" "$(jq -c '.inputs | [.fan_out.value, .brokers.value, (.partitions.value >= 5)]' "$work/measured")" "[2,1,true]"
is "a flag beats what is measured" "$(price -b "$a" --sample-seconds 1 --produce-mbps 7 --fan-out 4 -o json | jq -c '.inputs | [.produce_mbps.value, .fan_out.value, .produce_mbps.origin, .brokers.origin]')" \
    '[7,4,"given","measured"]'

# --- an audit -------------------------------------------------------------------------------------------------------------

"$kdl" audit -b "$a" -o json -q > "$work/audit.json"
is "an audit's JSON: sizes, groups, partitions, brokers" "$(price --from "$work/audit.json" --produce-mbps 1 -o json | jq -c '.inputs | [.brokers, .partitions, .fan_out, .retention_hours] | map(.origin) | unique')" '["audit"]'
is "an audit without a rate: one line, exit 2" "$(price --from "$work/audit.json"; echo $?)" "kdl: an audit without --metrics knows no rates: add --produce-mbps N. (kdl price --help)
2"

# --- the page -------------------------------------------------------------------------------------------------------------

jq -r '.formulas | to_entries[] | "| `\(.key)` | \(.value.unit) | `\(.value.formula)` | \(.value.what) |"' "$work/json" > "$work/formulas"
is "docs/price.md has every formula as it is" "$(grep -vxFf docs/price.md "$work/formulas")" ""
price -o json | jq -r '.inputs | to_entries[] | select(.value.origin == "default") | "| `\(.key)` | \(.value.value) | \(.value.low) to \(.value.high) | \(.value.unit) | \(.value.what) | \(.value.source) |"' > "$work/inputs"
is "docs/price.md has every parameter as it is" "$(grep -vxFf docs/price.md "$work/inputs")" ""
