#!/usr/bin/env bash
# clients.t: clients of other families tell one story (clients/README.md) of refbroker and of real Kafka, each step in the words of clients/story.txt.
# Those that clients.tbl wants in every run; all of them with LONG=1; those of CLIENTS='NAME...'. Speaks TAP.
# Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1; so does a client of every run whose tools or packages cannot be had. Any
# other such client is skipped.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
clients=$here/clients
STORY_SECONDS_MAX=240

rows() { sed 's/#.*//; /^ *$/d' "$clients/clients.tbl"; }
chosen() { # the names of the clients of this run
    if [ -n "${CLIENTS:-}" ]; then tr ' ' '\n' <<<"$CLIENTS"; else rows | awk -v long="${LONG:-}" 'long != "" || $3 == "every" { print $1 }'; fi
}

is_of_every_run() { rows | awk -v name="$1" '$1 == name && $3 == "every" { found = 1 } END { exit !found }'; }

# What clients.tbl says that NAME can tell of the story.
wanted() { # NAME
    local lacks
    lacks=$(rows | awk -v name="$1" '$1 == name { for (i = 4; i <= NF; i++) printf "%s%s", (i > 4 ? "|" : ""), $i }')
    grep -vE "^(${lacks:-none of them}): " "$clients/story.txt"
}

# Sets installed.
install_all() { # NAME...
    local name code
    installed=()
    for name in "$@"; do
        "$clients/install" "$name" >"$work/install" 2>&1
        code=$?
        if [ $code -eq 0 ]; then
            installed+=("$name")
        elif [ $code -ne 77 ] || { [ "${KAFKA_REQUIRED:-}" = 1 ] && is_of_every_run "$name"; }; then
            is "$name is there" "$(tail -n 1 "$work/install")" ""
        else
            tests=$((tests + 1))
            echo "ok $tests - $name # SKIP $(tail -n 1 "$work/install")"
        fi
    done
}

tell() { # NAME BROKER BOOTSTRAP
    timeout -k 5 $STORY_SECONDS_MAX "$BUILD/clients/$1/story" "$3" "$1" >"$work/$1.$2" 2>"$work/$1.$2.err" </dev/null
    echo "end: exit code $?" >>"$work/$1.$2"
}
export -f tell
export STORY_SECONDS_MAX BUILD work

# One claim per step: both brokers, the words of the story.
judge() { # NAME
    local line step broker
    { wanted "$1"; echo "end: exit code 0"; } >"$work/$1.wanted"
    while read -r line; do
        step=${line%%:*}
        is "$1, $step" "$(for broker in refbroker kafka; do echo "$broker: $(grep "^$step: " "$work/$1.$broker" || echo "nothing")"; done)" \
            "refbroker: $line"$'\n'"kafka: $line"
    done <"$work/$1.wanted"
    is "$1 tells nothing else" "$(cat "$work/$1.refbroker" "$work/$1.kafka" | sed 's/:.*//' | grep -vxFf <(sed 's/:.*//' "$work/$1.wanted"))" ""
    for broker in refbroker kafka; do
        grep -qx 'end: exit code 0' "$work/$1.$broker" || tail -n 15 "$work/$1.$broker.err" | cut -c1-300 | sed "s/^/# $1, $broker: /"
    done
}

pair_setup
mapfile -t names < <(chosen)
install_all "${names[@]}"
# What a member of the newer protocol is told at a heartbeat, it is told sooner.
pair_start group.consumer.heartbeat.interval.ms=500 group.consumer.min.heartbeat.interval.ms=100
# Stories wait more than they work.
for name in "${installed[@]}"; do printf '%s\0%s\0%s\0' "$name" refbroker "$ours" "$name" kafka "$theirs"; done |
    xargs -0 -r -n 3 -P 6 bash -c 'tell "$@"' _
for name in "${installed[@]}"; do judge "$name"; done
is "refbroker has no complaint" "$(grep -vE 'ready|^$' "$work/refbroker")" ""
echo "1..$tests"
