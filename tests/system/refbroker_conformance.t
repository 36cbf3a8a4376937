#!/usr/bin/env bash
# kdl conformance against refbroker: wal topics with an empty profile, coordinated topics with theirs; nothing is skipped. In front of refbroker every mutant is killed by the check that
# names it, and no null broker passes anything.
. "$(dirname "$0")/common.sh"
plan 6
port=$(free_port)
ctl="$PWD/tests/system/refbroker_ctl $refbroker $work/broker $port"
trap "$ctl kill; finish" EXIT
# What is in no object yet is neither compacted nor deleted; coordinated topics answer when their next object is there, a quarter of a second by default.
export REFBROKER_SETTINGS="kdl.upload.interval.ms=50 kdl.commit.interval.ms=20"
$ctl start; ok "refbroker starts" $?

for profile in '' coordinated; do
    timeout 400 "$kdl" conformance -b "127.0.0.1:$port" ${profile:+--profile $profile} --ctl "$ctl" -o tap > "$work/tap" 2> "$work/err"
    is "${profile:-wal} topics: all as expected" $? 0
    grep -A8 '^not ok' "$work/tap" | grep -v ' as documented ' | grep -B1 -A7 '^not ok' | sed 's/^/# /'
    sed 's/^/# /' "$work/err" | head -5
    skipped=$(grep '# SKIP' "$work/tap" | sed 's/^ok [0-9]* - //')
    [ "$profile" = coordinated ] || is "wal topics: nothing is skipped" "$skipped" ""
    tail -1 "$work/tap"
done

# Mutants have two fifths of the time, beside whatever else runs.
timeout 900 "$kdl" conformance -b "127.0.0.1:$port" --prove --timeout-mult 2 --ctl "$ctl" -o tap > "$work/tap" 2> "$work/err"; code=$?
is "every mutant is killed, and no null broker passes anything ($(grep -c '^ok' "$work/tap") of them)" $code 0
grep -A8 '^not ok' "$work/tap" | sed 's/^/# /'
ok "the mutants are 100 or more" $(($(grep -c '^ok .* - mutant\.' "$work/tap") < 100))
