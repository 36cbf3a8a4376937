#!/usr/bin/env bash
# cutover.t: the switch from a real Kafka to refbroker while a producer writes on and kdl is killed (-9): access rules fence it off, every record that was acknowledged is at the target at its offset, none twice; open transactions; the way back.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1. CUTOVER_KILLS: how often kdl is killed (4).
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kdl=$BUILD/bin/kdl
kills=${CUTOVER_KILLS:-4}
[ -z "${LONG:-}" ] || kills=${CUTOVER_KILLS:-40}
t=org.apache.kafka.tools
pair_setup
# Everybody may do everything that no rule denies; nobody who asks here is a super user.
kafka_flags=(--prop authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer --prop allow.everyone.if.no.acl.found=true --prop super.users=User:nobody)
pair_start
tool $t.TopicCommand --bootstrap-server "$theirs" --create --topic orders --partitions 3 >/dev/null
tool $t.TopicCommand --bootstrap-server "$theirs" --create --topic payments --partitions 1 >/dev/null
cutover() { timeout 120 "$kdl" cutover "$1" --from "$theirs" --to "$ours" --still-seconds 1 "${@:2}" >"$work/cut" 2>"$work/cut.err"; }
outcome() { sed -n "s/^  \(ok\|refused\|left out\)  *$1  .*/\1/p" "$work/cut"; } # STEP
all() { kcat -b "$1" -C -t "$2" -o beginning -e -q -X isolation.level="${3:-read_committed}" -f '%p %o %s\n' 2>>"$work/err" | sort; } # BROKER TOPIC
rules() { tool org.apache.kafka.tools.AclCommand --bootstrap-server "$theirs" --list --topic "$1" | grep -c 'permissionType=DENY'; }
mirror() { timeout 120 "$kdl" mirror run --from "$theirs" --to "$ours" --topics "$1" --until caught-up -q >"$work/mirror" 2>&1; }

# --- a producer that does not stop by itself ---
mkdir "$work/load"
: >"$work/load/out"
"$here/run" $t.VerifiableProducer --bootstrap-server "$theirs" --topic orders --throughput 400 --acks -1 >"$work/load/out" 2>>"$work/err" & echo $! >"$work/load/pid"
acked() { grep -c '"producer_send_success"' "$work/load/out"; }
has_acked() { [ "$(acked)" -ge "$1" ]; }
wait_for 60 has_acked 500
mirror orders; is "a topic is mirrored while somebody writes into it" $? 0
cutover check --topics orders; is "a source that grows is not left" "$? $(outcome still)" "5 refused"
cutover run --topics orders --record "$work/r" --wait-seconds 1; is "nor without a fence" "$? $(outcome still) $(outcome promoted)" "5 refused "

# --- the fence, and deaths of kdl ---
# A first rule of a topic ends what allow.everyone.if.no.acl.found lets everybody do.
cutover run --topics orders --record "$work/r" --fence; is "a topic without rules is not fenced unasked" "$? $(grep -c 'topic orders has no access rule, .*--allow-reads' "$work/cut.err") $(rules orders)" "1 1 0"
for round in $(seq "$kills"); do
    "$kdl" cutover run --from "$theirs" --to "$ours" --topics orders --still-seconds 1 --record "$work/r" --fence --allow-reads >/dev/null 2>&1 & runner=$!
    read -r -t "$(awk -v r=$RANDOM 'BEGIN { print 0.05 + r / 32768 * 1.6 }')" <> <(:)
    kill -9 "$runner" 2>/dev/null; wait "$runner" 2>/dev/null
    killed=$round
done
is "kdl is killed $kills times" "${killed:-0}" "$kills"
cutover run --topics orders --record "$work/r" --fence --allow-reads; is "with a fence it goes through, over kills" "$? $(outcome promoted) $(tail -n 1 "$work/cut")" "0 ok cut over: producers, and the groups' consumers, may be started at the target."
has_failed() { grep -q '"producer_send_error".*TopicAuthorizationException' "$work/load/out"; }
wait_for 60 has_failed; is "the producer was refused, not stopped" $? 0
kill -9 "$(cat "$work/load/pid")"; wait "$(cat "$work/load/pid")" 2>/dev/null; rm "$work/load/pid"
is "a rule says so at the source" "$(rules orders)" 1
# The tool may have been killed in the middle of a line.
grep '"producer_send_success"' "$work/load/out" | grep '}$' | jq -r '[.partition, .offset, .value] | join(" ")' | sort >"$work/acked"
all "$ours" orders >"$work/there"
is "each acknowledged record is at the target, at its offset" "$(comm -23 "$work/acked" "$work/there" | wc -l) $(wc -l <"$work/acked" | awk '{ print ($1 >= 500) }')" "0 1"
is "the target is the source, record for record" "$(md5sum <"$work/there")" "$(all "$theirs" orders | md5sum)"
timeout 60 "$kdl" verify --from "$theirs" --to "$ours" --topics orders >"$work/output" 2>&1; is "and equal" $? 0
seq -f 'here-%g' 50 | kcat -b "$ours" -P -t orders -p 1 2>>"$work/err"; is "producers write at the target" "$(all "$ours" orders | grep -c here-)" 50
tool $t.VerifiableConsumer --bootstrap-server "$ours" --topic orders --group-id readers --group-protocol consumer --reset-policy earliest --verbose --max-messages "$(all "$ours" orders | wc -l)" |
    grep -c '"record_data"' >"$work/read"; is "a Java consumer reads across the switch" "$(cat "$work/read")" "$(all "$ours" orders | wc -l)"
cutover run --topics orders --record "$work/r"; is "nothing came late, to the source" "$? $(grep -c 'has 50 of its own; none came late' "$work/cut")" "0 1"
timeout 60 "$kdl" cutover back --from "$theirs" --to "$ours" --record "$work/r" >"$work/cut" 2>&1; is "the way back would lose records" "$? $(rules orders)" "5 1"

# --- an open transaction ---
seq -f 'plain-%g' 20 | kcat -b "$theirs" -P -t payments 2>>"$work/err"
coproc "$here/run" kdl.mirror.HoldRecord "$theirs" payments held 2>>"$work/err"
read -r ready <&"${COPROC[0]}"; is "a transaction is open" "$ready" READY
mirror payments
cutover check --topics payments; is "a check says where" "$? $(grep -c 'a transaction is open on payments-0' "$work/cut")" "5 1"
cutover run --topics payments --record "$work/p" --fence --allow-reads --wait-seconds 1; is "a switch waits for it in vain" "$? $(outcome still) $(rules payments)" "5 refused 1"
timeout 60 "$kdl" cutover back --from "$theirs" --to "$ours" --record "$work/p" >"$work/cut" 2>&1; is "the way back lifts the fence" "$? $(rules payments) $(tool org.apache.kafka.tools.AclCommand --bootstrap-server "$theirs" --list --topic payments | grep -c permissionType)" "0 0 0"
echo again | kcat -b "$theirs" -P -t payments 2>>"$work/err"; is "and the source takes records again" "$(all "$theirs" payments read_uncommitted | grep -c again)" 1
cutover run --topics payments --record "$work/q" --fence --allow-reads --abort-open; is "who wants it aborted says so" "$? $(outcome promoted)" "0 ok"
is "it is aborted at the target, and holds up no reader" "$(all "$ours" payments | sed 's/^[0-9]* [0-9]* //' | sort | uniq -c | awk '{ print $2 }' | paste -sd' ')" "$(for i in $(seq 20); do echo "plain-$i"; done | sort | sed '1iagain' | paste -sd' ')"
eval "exec ${COPROC[1]}>&-"
wait "$COPROC_PID" 2>/dev/null

# --- a login that may see rules, and not change them ---
tool org.apache.kafka.tools.AclCommand --bootstrap-server "$theirs" --add --allow-principal 'User:*' --operation Describe --operation ClusterAction --cluster >/dev/null # brokers are nobody else here
cutover run --topics payments --record "$work/d" --fence --allow-reads; is "a login without the right to change rules is told which one" "$? $(grep -c '^kdl: source: the login may not change access rules: grant it Describe and Alter' "$work/cut.err")" "3 1"
"$kdl" cutover status --record "$work/d" >"$work/cut"; is "and there is no fence to lift" "$(head -n 1 "$work/cut")" "begun: the target takes no records yet. 1 topics, not fenced."
timeout 60 "$kdl" cutover back --from "$theirs" --to "$ours" --record "$work/d" >"$work/cut" 2>&1; is "so that the way back works" $? 0
echo "1..$tests"
