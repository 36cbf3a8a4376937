#!/usr/bin/env bash
# transactions.t: transactions of refbroker, seen beside those of real Kafka: every request (kdl.txn.TxnObserver), Java's clients, kafka-transactions, Kafka
# Streams with exactly-once; librdkafka; and a copier with its exact account while refbroker is killed. COPIER_KILLS: how often (3; 40 with LONG=1).
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# Runs first: it is long, and others fill what time it leaves.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
started=$SECONDS
work=$(mktemp -d)
tests=0 refbroker_pid=''
kills=${COPIER_KILLS:-3} records=6000
[ -z "${LONG:-}" ] || kills=${COPIER_KILLS:-40}
t=org.apache.kafka.tools
finish() {
    local pid
    "$here/broker" stop "$work/kafka" >/dev/null 2>&1
    for pid in $(jobs -pr); do kill -9 "$pid" && wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT

is() { # WHAT GOT WANTED
    tests=$((tests + 1))
    if [ "$2" = "$3" ]; then echo "ok $tests - $1 ($((SECONDS - started)) s)"; else printf 'not ok %d - %s\n# got:    %s\n# wanted: %s\n' "$tests" "$1" "$2" "$3"; tail -n 5 "$work/err" 2>/dev/null | sed 's/^/# /'; fi
}
same() { # WHAT OURS THEIRS: files, which have something in them
    tests=$((tests + 1))
    if [ -s "$2" ] && cmp -s "$2" "$3"; then
        echo "ok $tests - $1 ($(wc -l <"$2") lines, $((SECONDS - started)) s)"
    else
        echo "not ok $tests - $1"
        diff "$2" "$3" | head -n 20 | sed 's/^/# /'
    fi
}
tool() { tool_run "$@" 2>"$work/err"; }
start_refbroker() { # FOLDER ADDRESS
    : >"$1.out"
    "$BUILD/bin/refbroker" --data "$1" --listen "$2" --set transaction.abort.timed.out.transaction.cleanup.interval.ms=500 >>"$1.out" 2>&1 & refbroker_pid=$!
    wait_for 20 grep -q ready "$1.out"
}

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
make -s -C "$root" ${SAN:+SAN=$SAN} "${BUILD#"$root"/}/tests/kafka/txn_rdkafka" >"$work/make" 2>&1 || sed 's/^/# /' "$work/make"
ours=127.0.0.1:$(free_port)
start_refbroker "$work/refbroker" "$ours"
"$here/broker" start "$work/kafka" --prop transaction.abort.timed.out.transaction.cleanup.interval.ms=500 >/dev/null 2>"$work/err"
theirs=$(cat "$work/kafka/bootstrap")

both() { # NAME COMMAND...: what COMMAND BOOTSTRAP prints about each
    local name=$1
    shift
    "$@" "$ours" >"$work/$name.ours"
    "$@" "$theirs" >"$work/$name.theirs"
}

# --- every request ----------------------------------------------------------------------------------------------------

observe() { tool kdl.txn.TxnObserver "$1"; }
both requests observe
same "every request of transactions is answered as Kafka answers it" "$work/requests.ours" "$work/requests.theirs"
is "and nothing was waited for in vain" "$(grep -c '^never' "$work/requests.ours")" 0

# --- clients ----------------------------------------------------------------------------------------------------------

clients() { tool kdl.txn.TxnClients "$1"; }
both clients clients
same "Java's clients see commit, abort, fencing, timeouts and offsets as with Kafka" "$work/clients.ours" "$work/clients.theirs"
words() { timeout 120 "$here/run" kdl.txn.WordCount "$1" 400 2>"$work/err"; }
both words words
same "Kafka Streams counts words exactly once, over a restart of the application" "$work/words.ours" "$work/words.theirs"
rdkafka() { timeout 60 "$BUILD/tests/kafka/txn_rdkafka" "$1" rdkafka 20 10 2>"$work/err"; }
both rdkafka rdkafka
is "librdkafka's transactions: what is committed and nothing else, with the group's offset" "$(cat "$work/rdkafka.ours" "$work/rdkafka.theirs" | uniq)" "records 140 offset 20"

# --- kafka-transactions -----------------------------------------------------------------------------------------------

transactions() { # BOOTSTRAP ARGUMENT...
    local bootstrap=$1
    shift
    tool $t.TransactionsCommand --bootstrap-server "$bootstrap" "$@"
}
# Ids, times and the widths that come from them differ.
columns() { sed -E 's/-[0-9a-f]{8}-[0-9a-f-]{27}/-UUID/' | awk -F'\t' -v want="$1" '{ n = split(want, c, " "); line = ""; for (i = 1; i <= n; i++) { v = $c[i]; gsub(/ +$/, "", v); line = line v "|" } print line }' | sort; }
administer() { # BOOTSTRAP
    local holder
    coproc "$here/run" kdl.txn.HoldOpen "$1" held 2>"$work/err"
    holder=${COPROC_PID}
    read -r -t 30 _ <&"${COPROC[0]}"
    transactions "$1" list | columns '1 4' | sed 's/^/list /'
    transactions "$1" list --transactional-id-pattern 'fence.*' | columns '1 4' | sed 's/^/pattern /'
    transactions "$1" list --duration-filter 3600000 | columns '1 4' | sed 's/^/long /'
    transactions "$1" describe --transactional-id held | columns '2 4 5 6 9' | sed 's/^/held /'
    transactions "$1" describe --transactional-id commit | columns '2 4 5 6 9' | sed 's/^/commit /'
    transactions "$1" describe-producers --topic held --partition 0 | columns '2 3 4 6' | sed 's/^/producers /'
    transactions "$1" find-hanging --topic held | sed 's/^/hanging /'
    transactions "$1" abort --topic held --partition 0 --start-offset 0 | sed 's/^/abort /'
    transactions "$1" describe-producers --topic held --partition 0 | columns '2 3 4 6' | sed 's/^/aborted /'
    tool $t.GetOffsetShell --bootstrap-server "$1" --topic held | sed 's/^/end /'
    eval "exec ${COPROC[1]}>&-"
    wait "$holder" 2>/dev/null
}
both tool administer
same "kafka-transactions lists, describes, looks for what hangs and aborts, as with Kafka" "$work/tool.ours" "$work/tool.theirs"
is "an open transaction was there to abort" "$(grep -c '^list held|Ongoing' "$work/tool.ours")" 1

# --- the log in Kafka's own format ------------------------------------------------------------------------------------

state_record() { # BOOTSTRAP: what Kafka's formatter makes of an id's last record
    timeout 60 "$here/run" $t.consumer.ConsoleConsumer --bootstrap-server "$1" --topic __transaction_state --from-beginning --timeout-ms 8000 \
        --formatter "org.apache.kafka.tools.consumer.TransactionLogMessageFormatter" 2>"$work/err" |
        jq -c 'select(.key.data.transactionalId == "commit") | [.value.version, .value.data.transactionStatus, .value.data.clientTransactionVersion, .value.data.transactionTimeoutMs, .value.data.transactionPartitions, .value.data.producerEpoch]' | tail -n 1
}
is "Kafka's formatter reads __transaction_state" "$(state_record "$ours")" "$(state_record "$theirs")"
"$here/broker" stop "$work/kafka" >/dev/null 2>&1
kill "$refbroker_pid"
wait "$refbroker_pid" 2>/dev/null

# --- kill -9 ----------------------------------------------------------------------------------------------------------

# A copier reads a topic and writes another one, transaction by transaction, with the offsets inside. However often the broker dies, the copy is the
# original: every record once, in order.
start_refbroker "$work/killed" "$ours"
for topic in original copy; do tool $t.TopicCommand --bootstrap-server "$ours" --create --topic $topic --partitions 1 >/dev/null; done
seq 1 $records >"$work/in"
tool $t.ConsoleProducer --bootstrap-server "$ours" --topic original <"$work/in" >/dev/null
copier() {
    timeout 120 "$here/run" $t.TransactionalMessageCopier --broker-list "$ours" --input-topic original --input-partition 0 --output-topic copy \
        --max-messages $records --consumer-group copiers --transaction-size 50 --transaction-timeout 60000 --transactional-id copier --enable-random-aborts >>"$work/copier" 2>>"$work/copier.err"
}
# What it consumed it counts anew each time it starts; what remains it does not.
copied() { [ "$(grep -o '"remaining":[0-9]*' "$work/copier" | tail -n 1 | cut -d: -f2)" -le $((records - $1)) ] 2>/dev/null; }
: >"$work/copier"
( for _ in $(seq $((kills + 20))); do copier && exit 0; done; exit 1 ) & copier_pid=$!
for kill in $(seq "$kills"); do
    wait_for 60 copied $((kill * records / (kills + 3)))
    kill -9 "$refbroker_pid"
    wait "$refbroker_pid" 2>/dev/null
    start_refbroker "$work/killed" "$ours" || break
done
wait "$copier_pid"
is "the copier ends, over $kills kills of the broker" $? 0
timeout 60 "$here/run" $t.consumer.ConsoleConsumer --bootstrap-server "$ours" --topic copy --from-beginning --isolation-level read_committed --timeout-ms 8000 >"$work/out" 2>"$work/err"
is "its copy is the original, record by record" "$(cmp "$work/in" "$work/out" 2>&1; wc -l <"$work/out")" $records
is "records that were aborted were there" "$(tool $t.GetOffsetShell --bootstrap-server "$ours" --topic copy | awk -F: -v n=$records '{ print ($3 > n) }')" 1
is "no partition has a transaction that hangs" "$(transactions "$ours" find-hanging --topic copy | wc -l) $(transactions "$ours" list | grep -cE 'Prepare|Ongoing')" "1 0"
echo "1..$tests"
