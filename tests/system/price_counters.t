#!/usr/bin/env bash
# The requests that kdl price predicts, beside those that refbroker counts under a steady load: objects of coordinated topics, closed by time and by size, and
# uploads of wal topics. Each within 5 %.
# Runs alone: its load has to be steady.
. "$(dirname "$0")/common.sh"
plan 4
seconds=${PRICE_SECONDS:-12}

# A broker of its own for each, with --http; and a load of some MB/s in small batches, as even as a shell makes it.
declare -A address metrics
begin() { # NAME TOPIC_CONFIG SETTING...
    local name=$1 config=$2 port http
    shift 2
    port=$(free_port) http=$(free_port)
    start_refbroker "$name" "$port" --http "127.0.0.1:$http" "${@/#/--set=}"
    address[$name]=127.0.0.1:$port metrics[$name]=127.0.0.1:$http
    "$kdl" topic create load -b "${address[$name]}" -p 4 --config "$config" > /dev/null
}
lines=$(head -c 6000 /dev/urandom | base64 -w 99)
# Without acknowledgements: a producer that waits for one has a request under way per broker, which would fill no object.
load() { # NAME
    while printf '%s\n' "$lines"; do read -r -t 0.004 <> <(:); done 2> /dev/null | kcat -P -b "${address[$1]}" -t load -X linger.ms=1 -X acks=0 > /dev/null 2>&1
}
# "TIME_NS OBJECTS BYTES", read at once.
look() {
    printf '%s ' "$(date +%s%N)"
    curl -sf "http://${metrics[$1]}/metrics" | awk '$1 == "kdl_store_requests_put_total" { o = $2 } $1 == "kdl_produce_bytes_total" { b = $2 } END { print o, b }'
}
# The look at which one object more is there: between two of these lie whole objects.
turn() { # NAME
    local before now
    before=$(look "$1")
    while now=$(look "$1"); do
        [ "$(cut -d' ' -f2 <<< "$now")" = "$(cut -d' ' -f2 <<< "$before")" ] || break
    done
    echo "$now"
}
appended() { [ "$(look "$1" | cut -d' ' -f3)" -gt 100000 ]; }

begin timed diskless.enable=true kdl.commit.interval.ms=500 kdl.commit.bytes=1073741824
begin sized diskless.enable=true kdl.commit.interval.ms=60000 kdl.commit.bytes=1048576
begin wal retention.ms=-1 kdl.upload.interval.ms=86400000 kdl.upload.bytes=1048576
for name in timed sized wal; do load $name & done
for name in timed sized wal; do wait_for 20 appended $name; done
is "a load is on its way" $? 0

# Sets what a row says and whether it agrees: the objects between two looks, and those predicted by the rate between them.
agrees() { # WHAT NAME FORMULA FLAG...
    local what=$1 name=$2 formula=$3 span counted mbps predicted
    shift 3
    read -r span counted mbps < <(awk 'NR == 1 { t = $1; o = $2; b = $3 } NR == 2 { s = ($1 - t) / 1e9; print s, $2 - o, ($3 - b) / s / 1e6 }' "$work/$name.begin" "$work/$name.end")
    predicted=$("$kdl" price --produce-mbps "$mbps" --diskless-brokers 1 -o json "$@" | jq ".formulas.$formula.value * $span")
    said+=("$what: $counted counted, $(printf %.1f "$predicted") predicted in $(printf %.1f "$span") s at $(printf %.2f "$mbps") MB/s")
    codes+=("$(awk -v c="$counted" -v p="$predicted" 'BEGIN { print (c < 10 || c < 0.95 * p || c > 1.05 * p) }')")
}
# Three rounds at most: a broker that does not get a processor in time lets its objects grow.
for round in 1 2 3; do
    said=() codes=()
    for name in timed sized wal; do turn $name > "$work/$name.begin"; done
    read -r -t "$seconds" <> <(:) || :
    for name in timed sized wal; do turn $name > "$work/$name.end"; done
    agrees "objects closed by time" timed inkless_puts --commit-interval-ms 500 --buffer-mib 1024
    agrees "objects closed by size" sized inkless_puts --commit-interval-ms 60000 --buffer-mib 1
    agrees "uploads of the WAL" wal automq_upload_puts --set part_mib=1
    [ "${codes[*]}" = "0 0 0" ] && break
    echo "# round $round: ${said[*]}"
done
for i in 0 1 2; do ok "${said[$i]}" "${codes[$i]}"; done
