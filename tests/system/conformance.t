#!/usr/bin/env bash
# kdl conformance as a command: flags, profiles, reports, and servers that are none. That refbroker passes is refbroker_conformance.t.
# Runs alone: it has a limit of 30 s, which the product promises.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
plan 26
port=$(free_port)
b=127.0.0.1:$port
start_refbroker one "$port"; ok "a refbroker starts" $?

run() { code=0; "$kdl" conformance -b "$b" "$@" > "$work/out" 2> "$work/err" || code=$?; }
count() { grep -c "$1" "$work/out"; }

# --- profiles ---
run -o tap --profile coordinated --run offsets.max_timestamp
is "a documented deviation is no failure" "$code $(count '# TODO as documented')" "0 1"
printf 'name stale\nexpect produce.acks_all error_code=6 it says so\n' > "$work/stale.profile"
run -o tap --profile "$work/stale.profile" --run produce.acks_all
is "a profile that expects too much is stale" "$code $(count 'unexpectedly ok')" "1 1"
printf 'name other\nexpect offsets.max_timestamp error_code=6 it says so\n' > "$work/other.profile"
run -o tap --profile "$work/other.profile" --topic-config diskless.enable=true --run offsets.max_timestamp
is "another failure than the expected one is a failure" "$code $(count 'the profile says error_code=6')" "1 1"

for file in conformance/profiles/*.profile; do
    name=$(basename "$file" .profile)
    run -o tap --profile "$name" --run produce.acks_all
    is "profile $name is whole" $code 0
done

# --- flags and reports ---
run -o text --area idem
is "the text has a line per area" "$(grep -c '^idem ' "$work/out")" 1
run -o json --run 'fetch.session_*' --junit "$work/junit.xml"
is "JSON has every check" "$code $(count '"id": "fetch.session_') $(tail -c 2 "$work/out")" "0 8 }"
is "JUnit has a case for each" "$(grep -c '<testcase classname="fetch" name="fetch.session_' "$work/junit.xml")" 8
run --list --core
is "--list runs nothing and shows the rules" "$code $(count '^produce.acks_all *core R  acks=all')" "0 1"
run -o tap --run produce.acks_all --trace
is "--trace shows requests and answers" "$(grep -c 'produce_request v' "$work/err") $(grep -c 'produce_response v' "$work/err")" "2 2"
is "no topic is left behind" "$("$kdl" topic list -b "$b" | grep -c '^kc-')" 0
run --run produce.no_such
is "an unknown check is wrong use" "$code $(grep -c 'no check fits --run produce.no_such' "$work/err")" "2 1"
run --area nowhere; is "so is an unknown area" $code 2
run --profile no-such-profile; is "so is an unknown profile" "$code $(grep -c 'coordinated' "$work/err")" "2 1"
printf 'nonsense\n' > "$work/bad.profile"
run --profile "$work/bad.profile"; is "so is a profile with nonsense in it" "$code $(grep -c 'bad.profile line 1' "$work/err")" "2 1"
printf 'expect no.check error_code=1 because\n' > "$work/bad.profile"
run --profile "$work/bad.profile"; is "so is one that expects something of no check" $code 2
run --timeout-mult 0; is "so is a multiplier of 0" $code 2
run --topic-config novalue; is "so is a topic config without value" $code 2
b=127.0.0.1:$(free_port) run; is "nobody at the address is one line that says what to do, and exit 3" "$code $(grep -c 'is the broker up' "$work/err") $(wc -l < "$work/err") $(wc -c < "$work/out")" "3 1 1 0"

b=no-such-host.invalid:9092 run; is "so is a host that nobody knows" "$code $(grep -c 'host no-such-host.invalid is unknown' "$work/err") $(wc -l < "$work/err")" "3 1 1"

# --- servers that are none ---
null() { # MODE: sets $pid and $b
    : > "$work/null" # not the address of the one before
    "$BUILD/tests/system/null_server" "$1" > "$work/null" &
    pid=$!
    wait_for 10 grep -q : "$work/null"
    b=$(cat "$work/null")
}
for mode in closes silent zeros garbage; do
    null "$mode"
    start=$SECONDS
    run -o tap
    is "null server, $mode: nothing passes, and it ends within 30 s" "$code $(count '^ok') $((SECONDS - start > 30))" "1 0 0"
    kill "$pid"
done
