#!/usr/bin/env bash
# published.t: some of Apache Kafka's own cluster tests on refbroker, one fresh broker each: those that published/subset.txt names, all of which pass on
# Kafka, too (docs/kafka-tests.md). One line per method, which may run more than once. Speaks TAP.
# Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names=$here/published/subset.txt

timeout 900 "$here/published/run" refbroker --names "$names" --again >"$work/rows" 2>"$work/err"
code=$?
if [ $code -eq 77 ] && [ "${KAFKA_REQUIRED:-}" != 1 ]; then
    echo "1..0 # SKIP $(tail -n 1 "$work/err")"
    exit 0
fi
if [ $code -ne 0 ]; then
    echo "not ok 1 - the tests run to their end"
    tail -n 20 "$work/err" | cut -c1-400 | sed 's/^/# /'
    exit 1
fi
awk -F '\t' '
    FNR == NR { method = $1; sub(/\[.*/, "", method); runs[method]++; if ($2 != "passed") wrong[method] = $2 ": " substr($5, 1, 300); next }
    { short = $1; sub(/.*\./, "", short)
      why = $1 in wrong ? wrong[$1] : runs[$1] ? "" : "it did not run"
      printf "%sok %d - %s\n", why == "" ? "" : "not ", FNR, short
      if (why != "") print "# " why }
    END { print "1.." FNR }' "$work/rows" "$names"
