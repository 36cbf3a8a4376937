#!/usr/bin/env bash
# audit.t: kdl audit is right on every topic of an estate on real Apache Kafka, and on the estate's copy in refbroker; it leaves both a full and an empty cluster as they were.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# Runs first: it is long.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
kdl=$BUILD/bin/kdl
judge=$BUILD/tests/kafka/audit_judge
tests=0
refbroker_pid='' estate_pid=''
finish() {
    [ -n "$refbroker_pid" ] && kill "$refbroker_pid" 2>/dev/null && wait "$refbroker_pid" 2>/dev/null
    [ -n "$estate_pid" ] && kill "$estate_pid" 2>/dev/null
    "$here/broker" stop "$work/broker" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

check() { # WHAT CODE
    tests=$((tests + 1))
    if [ "$2" -eq 0 ]; then echo "ok $tests - $1"; else echo "not ok $tests - $1"; [ -e "$work/output" ] && tail -n 25 "$work/output" | sed 's/^/# /'; fi
}
code_is() { # CODE COMMAND...
    local wanted=$1
    shift
    "$@" >"$work/output" 2>&1
    [ $? -eq "$wanted" ]
}
# Everything that an audit could have changed: topics with partitions, configs, groups with types.
state() { # BOOTSTRAP FILE
    {
        tool_run org.apache.kafka.tools.TopicCommand --bootstrap-server "$1" --describe | sort
        tool_run org.apache.kafka.tools.GroupsCommand --bootstrap-server "$1" --list | sort
        tool_run kafka.admin.ConfigCommand --bootstrap-server "$1" --describe --entity-type topics 2>&1 | sort
    } >"$2" 2>&1
}
# What a rule about the cluster says.
of_cluster() { jq -r --arg rule "$2" ".cluster.findings[] | select(.rule == \$rule) | $3" "$1"; } # FILE RULE FIELD

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
# The plain listener's anonymous user may do everything, those of the others what they are given.
export BROKER_REQUEST_LOG=$work/requests.log
"$here/broker" start "$work/broker" --secure --prop authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer --prop super.users=User:ANONYMOUS --prop delegation.token.secret.key=hush >"$work/output" 2>&1; check "a Kafka starts" $?
source=$(cat "$work/broker/bootstrap")

code_is 0 "$kdl" audit -b "$source" --fail-on unknown; check "an empty cluster is audited" $?
kcat -b "$source" -L 2>/dev/null >"$work/output"; grep -q ' 0 topics' "$work/output"; check "and has no topic afterwards, __consumer_offsets included" $?

mkfifo "$work/hold"
"$here/estate" "$source" "$work/truth.json" --many 170 --hold >"$work/output" 2>&1 <"$work/hold" & estate_pid=$!
exec 9>"$work/hold"
for _ in $(seq 1200); do grep -q READY "$work/output" && break; kill -0 $estate_pid 2>/dev/null || break; read -r -t 0.1 <> <(:); done
grep -q READY "$work/output"; check "the estate is made and held" $?

state "$source" "$work/before"
"$kdl" audit -b "$source" -o json --html "$work/audit.html" --snapshot "$work/audit.kdla" >"$work/audit.json" 2>"$work/output"; check "the estate is audited" $?
state "$source" "$work/after"
"$kdl" audit report --from "$work/audit.kdla" -o json --snapshot "$work/redacted.kdla" --redact "$work/key" 2>&1 | cmp - "$work/audit.json" >"$work/output" 2>&1; check "the report of its snapshot is the same" $?
read -r disk_bytes disk_left < <(df -B1 --output=size,avail "$work/broker" | tail -n 1)
jq -c .cluster.fullest_disk "$work/audit.json" >"$work/output"
jq -e --argjson size "$disk_bytes" --argjson left "$disk_left" '.cluster.fullest_disk | .broker == 1 and .total_bytes == $size and .usable_bytes >= 0 and (.usable_bytes - $left | fabs) <= $size / 20' \
    "$work/audit.json" >/dev/null; check "the disk that its data is on is known, and what is left of it" $?
full=$(awk -v size="$disk_bytes" -v left="$disk_left" 'BEGIN { print (left / size < 0.14) ? "yes" : (left / size > 0.16) ? "" : "?" }') # it may change meanwhile
[ "$full" = "?" ] || [ "$(of_cluster "$work/audit.json" CLU-021 .value)" = "$full" ]; check "whether it is nearly full, too" $?
[ -z "$(of_cluster "$work/audit.json" CLU-019 .value)$(of_cluster "$work/audit.json" CLU-020 .value)" ]; check "nobody wants clients' metrics, and one broker is not of different versions" $?
verdicts() { jq -c '[.topics[] | [.partitions, .bytes, .offsets, .cleanup_policy, (.verdicts | map_values(.verdict)), (.facts | map_values(.value)), ([.findings[].rule] | sort)]] | sort'; }
"$kdl" audit report --from "$work/redacted.kdla" -o json | verdicts | cmp - <(verdicts <"$work/audit.json") >"$work/output" 2>&1 && ! grep -q -a -E 'payments|sessions|wordcount' "$work/redacted.kdla"; check "and facts, verdicts and rules are so without the names" $?
"$judge" "$work/truth.json" "$work/audit.json" >"$work/output" 2>&1; code=$?; check "every fact and verdict is right: $(tail -n 1 "$work/output")" $code
sed -n 's/^RATE/#/p' "$work/output"
[ "$(jq '.topics | length' "$work/truth.json")" -ge 200 ]; check "of two hundred topics and more" $?
[ "$(jq -c '[.waves[] | select(.topics | index("payments.orders")) | .topics | map(select(startswith("payments."))) | sort]' "$work/audit.json")" = '[["payments.invoices","payments.ledger","payments.orders"]]' ]
check "what transactions of before have written together moves together, by the transaction log" $?
[ "$(jq -c '[.waves[] | select(.topics | index("shop.checkouts")) | .topics | sort]' "$work/audit.json")" = '[["shop.carts","shop.checkouts"]]' ]
check "so do those and what they read, by the offsets that were committed in them, and with nothing else that commits so" $?
[[ "$(jq -r '.topics[] | select(.name == "shop.carts").facts.groups.evidence[].text' "$work/audit.json")" == *"committed in transactions of till-7, says __consumer_offsets"* ]]; check "the evidence says so" $?
named() { # FILE RULE: topics of which a rule holds
    jq -r --arg rule "$2" '.topics[] | select(any(.findings[]; .rule == $rule and .value == "yes")).name' "$1" | sort
}
flink() { jq -r --arg part "$1" '.topics[] | select(.facts.flink == $part).name' "$work/truth.json" | sort; }
[ -n "$(flink sink)" ] && [ "$(named "$work/audit.json" PRG-013)" = "$(flink sink)" ] && [ -z "$(named "$work/audit.json" PRG-014)" ]; check "what transactions named as Flink's have written is known as such, and nothing else is" $?
# By the request log alone: no batch is read.
"$kdl" audit -b "$source" -q --sample-bytes 0 --request-log "$work/requests.log" -o json --snapshot "$work/logged.kdla" >"$work/logged.json" 2>"$work/output"; code=$?; check "the brokers' request log is read, $(wc -l <"$work/requests.log") lines" $code
jq -r '.topics[] | select(.transactions.value == "yes").name' "$work/truth.json" | sort >"$work/transactional"
jq -r '.topics[] | select(any(.facts.transactions.evidence[]; .api == "request log")).name' "$work/logged.json" | sort | diff "$work/transactional" - >"$work/output"; code=$?
check "it tells of transactions on each topic that has any, and on no other: $(wc -l <"$work/transactional")" $code
[ "$(jq -c '[.topics[] | select(.name == "payments.orders").clients[] | select(.fetches > 0 and .fetches == .committed_fetches).id]' "$work/logged.json")" = '["fraud-check-1"]' ]; check "who reads committed records only" $?
[ "$(jq -c '[.cluster.software[] | [.name, .version]]' "$work/logged.json")" = '[["apache-kafka-java","4.3.1"]]' ]; check "with which library, the audits themselves not counted" $?
[ -n "$(flink source)" ] && [ "$(named "$work/logged.json" PRG-014)" = "$(flink source)" ] && [ "$(named "$work/logged.json" PRG-013)" = "$(flink sink)" ]; check "and what a Flink source reads" $?
"$kdl" audit report --from "$work/logged.kdla" -o json --snapshot "$work/nameless.kdla" --redact "$work/key" | verdicts >"$work/named"
"$kdl" audit report --from "$work/nameless.kdla" -o json | verdicts | cmp - "$work/named" >"$work/output" 2>&1; check "without the names, too" $?
"$kdl" audit report --from "$work/logged.kdla" >"$work/output" 2>&1; grep -q "^clients .* in the brokers' logs: apache-kafka-java 4.3.1" "$work/output"; check "a snapshot keeps it" $?
grep -m 3 '"requestApiKeyName":"PRODUCE"' "$work/requests.log" | head -c -40 >"$work/half.log"
"$kdl" audit -b "$source" -q --sample-bytes 0 --request-log "$work/half.log" >"$work/output" 2>&1; tr -s '\n ' ' ' <"$work/output" | grep -q 'not seen: request log: .*half.log, line 3: it is no whole request'; check "half a line is named" $?
code_is 2 "$kdl" audit -b "$source" --request-log "$work/nowhere"; check "a log that is not there is wrong use" $?
code_is 2 "$kdl" audit -b "$source" -q --sample-bytes 0 --request-log "$work/truth.json" && grep -q 'set kafka.request.logger to DEBUG' "$work/output"; check "so is what is none" $?
grep -q payments.orders "$work/before" && grep -q 'cleanup.policy=compact sensitive' "$work/before" && diff "$work/before" "$work/after" >"$work/output"; check "topics, configs and groups are the same before and after" $?

code_is 1 "$kdl" audit -b "$source" --fail-on blocked; check "blocked topics give exit code 1 where that is asked for" $?
code_is 0 "$kdl" audit -b "$source" --fail-on changes --topics 'web.*,logs.*'; check "topics that are ready do not" $?
code_is 4 "$kdl" audit -b "$source" --fail-on unknown --topics jobs.queue; check "and only unknown ones give 4" $?
code_is 2 "$kdl" audit -b "$source" --fail-on never; check "wrong use gives 2" $?
code_is 3 "$kdl" audit -b 127.0.0.1:1; check "and nobody there 3" $?
# Compacted, maybe by mistake: without its records nobody knows whether keys repeat, and rule CMP-003 blocks it.
unproven='^WRONG \(sessions\|many[.].*mistake.*\) coordinated: expected READY_WITH_CHANGES, seen BLOCKED$'
"$kdl" audit -b "$source" -o json --sample-bytes 20000 >"$work/small.json" 2>"$work/output"
"$judge" "$work/truth.json" "$work/small.json" 2>&1 | grep WRONG | grep -v 'seen unknown$\|seen UNKNOWN$' | grep -v "$unproven" >"$work/output"
[ ! -s "$work/output" ]; check "a small sample makes facts unknown, never wrong" $?
COLUMNS=80 LC_ALL=C "$kdl" audit -b "$source" >"$work/output" 2>&1 && ! LC_ALL=C awk "length > 80" "$work/output" | grep -q .; check "the table fits into 80 columns" $?
! grep -E 'https?:|src=|@import|url\(' "$work/audit.html" >"$work/output"; check "the web page needs no network" $?

# shellcheck source=/dev/null
. "$work/broker/secure.env"
login=(-b "$SASL_PLAINTEXT_BOOTSTRAP" -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X "sasl.username=$PLAIN_USER" -X "sasl.password=$PLAIN_PASSWORD")
acls() { tool_run org.apache.kafka.tools.AclCommand --bootstrap-server "$source" --force "$@" >"$work/output" 2>&1; }
# A broker hears of access rules after the controller has answered, in their order: once it has heard of one that comes last, it knows those before.
last=add
last_is_known() {
    acls --list --topic last || return
    case "$last $(grep -c User:last "$work/output")" in "add 1" | "remove 0") ;; *) return 1 ;; esac
}
acl() {
    acls "$@" && acls --$last --allow-principal User:last --operation Describe --topic last && wait_for 30 last_is_known || return
    [ $last = add ] && last=remove || last=add
}
# The rights that an audit uses, each as AclCommand has it.
rights=('--operation Describe --topic *' '--operation Read --topic *' '--operation DescribeConfigs --topic *' '--operation Describe --transactional-id *' '--operation Describe --group *'
    '--operation Describe --cluster' '--operation DescribeConfigs --cluster')
right() { # --add|--remove RIGHT
    local words
    read -ra words <<<"$2"
    acl "$1" --allow-principal "User:$PLAIN_USER" "${words[@]}"
}
denied() { # FILE: what is wrong in an audit of that login, other than that it does not know
    "$kdl" audit "${login[@]}" -q -o json >"$1" 2>"$work/output"
    "$judge" "$work/truth.json" "$1" 2>&1 | grep WRONG | grep -v 'seen unknown$\|seen UNKNOWN$'
}
code_is 4 "$kdl" audit "${login[@]}" --fail-on unknown; check "a login that sees nothing is not told that all is fine" $?
right --add "${rights[0]}"
"$kdl" audit "${login[@]}" -q --fail-on unknown -o json >"$work/names.json" 2>"$work/output"; code=$?
verdicts() { jq -r --arg verdict "$1" '[.topics[] | select(.verdicts.coordinated.verdict == $verdict).name] | join(" ")' "$work/names.json"; }
[ "$code $(verdicts BLOCKED)" = "1 payments.holds" ]; check "one that may only see names sees by the ends of a log that a transaction is open" $?
[ "$(verdicts READY)$(verdicts READY_WITH_CHANGES)" = "" ]; check "and is not told of any other topic that all is fine" $?
denied "$work/denied.json" >"$work/wrong"
[ ! -s "$work/wrong" ] && grep -q TOPIC_AUTHORIZATION_FAILED "$work/denied.json"; check "what is refused is unknown, with the reason, never no" $?
for right in "${rights[@]:1}"; do right --add "$right"; done
"$kdl" audit "${login[@]}" -q -o json >"$work/granted.json" 2>"$work/output"
"$judge" "$work/truth.json" "$work/granted.json" >"$work/output" 2>&1; code=$?; check "Describe on all and Read and DescribeConfigs on topics are enough: $(tail -n 1 "$work/output")" $code
# What access rules permit, and tokens (KIP-48), for which only a login may ask.
printf '%s\n' security.protocol=SASL_PLAINTEXT sasl.mechanism=PLAIN "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"$PLAIN_USER\" password=\"$PLAIN_PASSWORD\";" >"$work/login"
tool_run org.apache.kafka.tools.DelegationTokenCommand --bootstrap-server "$SASL_PLAINTEXT_BOOTSTRAP" --command-config "$work/login" --create --max-life-time-period -1 >"$work/output" 2>&1; check "a token is made" $?
tool_run org.apache.kafka.tools.ClientMetricsCommand --bootstrap-server "$source" --alter --name fleet --interval 30000 --metrics org.apache.kafka.producer. >"$work/output" 2>&1 &&
    tool_run kafka.admin.ConfigCommand --bootstrap-server "$source" --alter --entity-type client-metrics --entity-name billing --add-config interval.ms=60000 >>"$work/output" 2>&1; check "two subscriptions to clients' metrics are made" $?
acl --add --allow-principal User:cashier --producer --topic jobs.queue --transactional-id till-; check "somebody may write in transactions" $?
"$kdl" audit "${login[@]}" -q -o json --topics jobs.queue >"$work/ruled.json" 2>"$work/output"
jq -c '.topics[] | .facts.transactions.value, (.facts.transactions.evidence[] | select(.api == "DescribeAcls").text), (.principals | sort_by(.name)[] | [.name, .write, .read, .transactional_ids])' "$work/ruled.json" >"$work/output"
printf '%s\n' '"no"' '"access rules let User:cashier write it, and use transactional ids (till-): a permit, no use"' '["User:cashier",true,false,"till-"]' "[\"User:$PLAIN_USER\",false,true,null]" |
    diff - "$work/output" >"$work/differs"; code=$?; cp "$work/differs" "$work/output"; check "an audit says so, and does not take it for a use" $code
[ "$(jq -r '.cluster.findings[] | select(.rule == "CLU-018") | .value, .text' "$work/ruled.json" | head -n 1)" = yes ]; check "and that there are tokens" $?
[ "$(of_cluster "$work/ruled.json" CLU-019 '.value + ", " + .text')" = "yes, 2 subscriptions" ]; check "and that clients are asked for metrics" $?
"$kdl" audit -b "$source" -q -o json --topics jobs.queue >"$work/plain.json" 2>"$work/output"
[[ "$(jq -r '.cluster.findings[] | select(.rule == "CLU-018") | .value, .text' "$work/plain.json")" == unknown*DELEGATION_TOKEN_REQUEST_NOT_ALLOWED ]]; check "without a login that is unknown" $?
for right in "${rights[@]}"; do
    right --remove "$right"
    denied "$work/without.json" >"$work/wrong"
    case $right in *Read*) sed -i "/$unproven/d" "$work/wrong" ;; esac
    cp "$work/wrong" "$work/output"
    wants=yes
    case $right in *DescribeConfigs\ --cluster*) wants=unknown ;; esac
    [ "$(of_cluster "$work/without.json" CLU-019 .value)" = $wants ] || echo "CLU-019 is not $wants" >>"$work/wrong"
    [ ! -s "$work/wrong" ]; code=$?; check "without $right nothing is wrong, $(jq '[.topics[].facts[].value | select(. == "unknown")] | length' "$work/without.json") facts are unknown" $code
    right --add "$right"
done
for operation in Read DescribeConfigs; do
    acl --add --deny-principal "User:$PLAIN_USER" --operation $operation --topic payments.refunds
    denied "$work/without.json" >"$work/wrong"
    cp "$work/wrong" "$work/output"
    [ ! -s "$work/wrong" ] && [ "$(jq '[.topics[] | select(.name == "payments.refunds") | .facts[].value | select(. == "unknown")] | length' "$work/without.json")" -gt 0 ]
    check "where $operation of one topic is denied something of that topic is unknown, and nothing is wrong" $?
    acl --remove --deny-principal "User:$PLAIN_USER" --operation $operation --topic payments.refunds
done

port=$((20000 + RANDOM % 10000))
"$BUILD/bin/refbroker" --data "$work/data" --listen 127.0.0.1:$port >"$work/refbroker" 2>&1 & refbroker_pid=$!
for _ in $(seq 100); do grep -q ready "$work/refbroker" && break; read -r -t 0.05 <> <(:); done
target=127.0.0.1:$port
timeout 120 "$kdl" mirror run --from "$source" --to "$target" --topics '*' --until caught-up >"$work/output" 2>&1; check "the estate is mirrored into refbroker" $?
"$kdl" audit -b "$target" -o json >"$work/copy.json" 2>"$work/output"; check "refbroker is audited" $?
"$judge" "$work/truth.json" "$work/copy.json" traits >"$work/output" 2>&1; code=$?; check "transactions, compaction and idempotence are seen in the copy: $(tail -n 1 "$work/output")" $code
[ "$(jq -c '[.cluster.fullest_disk, (.cluster.findings[] | select(.rule | IN("CLU-019", "CLU-020", "CLU-021")).rule)]' "$work/copy.json")" = '[null]' ]; check "it tells nothing of disks, and has no subscriptions" $?
echo "1..$tests"
