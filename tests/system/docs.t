#!/usr/bin/env bash
# The pages of the commands: each flag that --help lists stands in docs/<first word of the command>.md, or, where many commands have it, in docs/common.md; and no page has a flag that is none.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

help_flags() { # COMMAND
    # shellcheck disable=SC2086
    "$kdl" $1 --help | sed -n '/^options/,/^examples/s/^ *\(-[A-Za-z0-9], \)\{0,1\}\(--[a-z-]*\).*/\2/p'
}
doc_flags() { grep -oh -- '--[a-z][a-z-]*' "$@" | sort -u; }

# The help's list: two blanks, the name in 16 columns, the summary.
"$kdl" --help | sed -n '/^usage/,/^kdl COMMAND/s/^  \([a-z].\{15\}\) .*/\1/p' | sed 's/ *$//' > "$work/commands"
plan $((2 * $(wc -l < "$work/commands") + 5))
is "kdl has commands" "$(grep -c . "$work/commands" | sed 's/[0-9]*/some/')" some
while read -r command; do
    page=docs/${command%% *}.md
    help_flags "$command" | sort > "$work/flags"
    doc_flags "$page" docs/common.md > "$work/told"
    is "kdl $command: $page mentions every flag" "$(comm -23 "$work/flags" "$work/told")" ""
    # Flags of the other commands of the same page, and of kdl's other programs in examples, are no mistake.
    grep "^${command%% *}" "$work/commands" | while read -r other; do help_flags "$other"; done | sort -u > "$work/known"
    doc_flags "$page" > "$work/told"
    "$refbroker" --help | grep -o -- '--[a-z-]*' | sort -u >> "$work/known"
    is "kdl $command: $page has no flag that is none" "$(sort -u "$work/known" | comm -13 - "$work/told")" ""
done < "$work/commands"

"$kdl" audit explain -o markdown > "$work/rules.md"
is "docs/rules.md is what kdl audit explain -o markdown prints" "$(diff "$work/rules.md" docs/rules.md | head -4)" ""

"$refbroker" --help | grep -o -- '^  --[a-z]*\|, --[a-z]*' | grep -o -- '--[a-z]*' | sort -u > "$work/flags"
doc_flags docs/refbroker.md > "$work/told"
is "refbroker: docs/refbroker.md mentions every flag" "$(comm -23 "$work/flags" "$work/told")" ""
# Kafka's tools in examples have flags of their own.
is "refbroker: docs/refbroker.md has no flag that is none" \
    "$(grep -v kafka- docs/refbroker.md | grep -oh -- '--[a-z][a-z-]*' | sort -u | comm -13 "$work/flags" -)" ""
is "refbroker: docs/refbroker.md has no metric that is none" \
    "$(grep -o 'kdl_[a-z0-9_]*' docs/refbroker.md | sed 's/^kdl_//' | sort -u | comm -13 <(sed -n 's/^STAT(\([a-z0-9_]*\),.*/\1/p' refbroker/stats.def | sort) -)" ""
