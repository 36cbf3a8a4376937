#!/usr/bin/env bash
# batch.t: record batches, ours and Apache Kafka's: each reads what the other built, and both judge the same batches alike.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. SEED and BATCHES choose what is made.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seed=${SEED:-$RANDOM} count=${BATCHES:-3000}
work=$(mktemp -d)
trap 'result=$?; if [ $result -eq 0 ]; then rm -rf "$work"; else echo "# SEED=$seed, files are in $work"; fi' EXIT
tests=0

must() { # WHAT COMMAND...: the command's output is kept in $work/output
    local what=$1
    shift
    tests=$((tests + 1))
    if "$@" >"$work/output" 2>&1; then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        head -n 20 "$work/output" | sed 's/^/# /'
        exit 1
    fi
}

# A damaged stream may be good for one version of zstd and bad for another. Where the two differ, Kafka's refused, and we took it, or went on to what is inside (Kafka's code is then -1: its
# zstd threw), the batch is left out if zstd's own tool of this system takes the stream, too.
zstd_disputes() { # OURS KAFKAS; prints the numbers
    local number
    paste -d '|' "$1" "$2" | awk -F '|' '$1 != $2 && $2 ~ / refused / && ($1 ~ / taken/ || $2 ~ / refused -1 /) { split($1, words, " "); print words[1] }' |
        while read -r number; do
            if [ -e "judged.$number.zst" ] && zstd -dcq "judged.$number.zst" >/dev/null 2>&1; then echo "$number"; fi
        done
}

# Lines of the first file that end with a question mark are not compared; "taken" alone stands for any batch taken.
same_verdicts() { # OURS KAFKAS
    paste -d '|' "$1" "$2" | awk -F '|' -v numbers="$(zstd_disputes "$1" "$2")" '
        BEGIN { split(numbers, list, "\n"); for (i in list) disputed[list[i]] }
        { split($1, words, " ") }
        words[1] in disputed { next }
        $1 ~ / [?]$/ { next }
        $2 ~ / taken$/ && $1 ~ / taken / { next }
        $1 != $2 { print "ours " $1 ", Kafka " $2; bad = 1 }
        { compared++ }
        END { exit bad || compared < NR / 2 }'
}

into() { # FILE COMMAND...
    local file=$1
    shift
    "$@" >"$file"
}

result=0
"$here/setup" 2>"$work/output" || result=$?
if [ $result -eq 77 ] && [ "${KAFKA_REQUIRED:-0}" != 1 ]; then
    echo "1..0 # SKIP $(cat "$work/output")"
    exit 0
fi
must "Apache Kafka is set up" [ $result -eq 0 ]

cd "$work"
peers=$BUILD/tests/kafka
must "Kafka builds $count record sets" "$here/run" kdl.codec.BatchOracle make "$seed" "$count" theirs
must "we read them" into theirs.seen "$peers/batch_peer" check theirs
must "and see what Kafka sees" diff theirs.json theirs.seen
must "we build $count record sets" "$peers/batch_peer" make "$seed" "$count" ours
must "Kafka reads them" into ours.seen "$here/run" kdl.codec.BatchOracle check ours
must "and sees what we see" diff ours.json ours.seen
judge() { # SEED COUNT
    must "we judge $2 batches of seed $1" into verdicts "$peers/judge_peer" "$1" "$2" judged
    must "so does a log of Kafka" into verdicts.kafka "$here/run" kdl.codec.JudgeOracle judged
    must "the verdicts are the same" same_verdicts verdicts verdicts.kafka
}
judge "$seed" $((count * 5))
# One of these is a damaged zstd stream that libzstd 1.5.4 takes and 1.5.6 refuses.
rm -f judged.*
judge 7291 5724
echo "1..$tests"
