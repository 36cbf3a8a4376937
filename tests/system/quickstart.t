#!/usr/bin/env bash
# make quickstart's script: ends well, leaves a report and no process.
. "$(dirname "$0")/common.sh"
plan 5
timeout 300 tests/quickstart/run > "$work/out" 2>&1; is "the quickstart ends well" $? 0
{ grep -A8 '^FAILED' "$work/out"; tail -n 25 "$work/out"; } | sed 's/^/# /'
ok "its report needs no network" "$(grep -cE 'https?:|src=|@import|url\(' "$BUILD/quickstart/audit.html")"
is "both sides were equal, both designs kept the rules" "$(grep -cE '^equal\.$|^[0-9]+ ok .* 0 failed ' "$work/out")" 3
is "the target was switched to" "$(grep -c '^cut over: ' "$work/out")" 1
is "nothing stays running" "$(pgrep -f "$BUILD/quickstart/" | wc -l)" 0
