#!/usr/bin/env bash
# Does the tree follow its own rules (rules.sh)? And do the rules see it when one is broken: each is shown a small bad tree, and a good one.
#
#   tests/tidy/tidy.t          speaks TAP; BUILD: folder of the build whose objects are looked at
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
tidy_folder=$root/tests/tidy
. "$tidy_folder/rules.sh"
build=${BUILD:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
number=0

ok() { # ok TEXT OFFENCES
    number=$((number + 1))
    if [ -z "$2" ]; then echo "ok $number - $1"; else echo "not ok $number - $1"; echo "$2" | head -40 | sed 's/^/# /'; fi
}

# shellcheck disable=SC2086
set -- $RULES
echo "1..$((2 * $# + 1))"

# --- the tree -----------------------------------------------------------------------------------------------------------

mkdir "$scratch/here"
rules_prepare "$root" "$build/obj" "$scratch/here"
for rule in $RULES; do
    case $rule in
        exported_*) is_all_built || { number=$((number + 1)); echo "ok $number - $rule # SKIP not everything is built in $build"; continue; } ;;
    esac
    ok "$rule" "$("rule_$rule")"
done

# --- the rules ----------------------------------------------------------------------------------------------------------

# put PATH writes stdin to a file of the tree under test.
put() { mkdir -p "$tree/$(dirname "$1")" && cat > "$tree/$1"; }
lines() { seq "$1" | sed 's/.*/    x++;/'; }

# A tree that breaks no rule.
good_tree() {
    tree=$1
    put lib/base/a.h <<'X'
#ifndef LIB_BASE_A_H
#define LIB_BASE_A_H

/* a_count says "sprintf(" only in passing, as this comment says strcpy(). */
int a_count(void);

#endif
X
    put lib/base/a.c <<'X'
#include "lib/base/a.h"

#include <string.h>

int
a_count(void)
{
    return (int)strlen("a TODO \" sprintf( // ") + '"'; /* system() */
}
X
    put lib/base/err.h <<'X'
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H
#endif
X
    printf '%s\n' 'ERR(LIMIT, "limit", false, FAILED)' | put lib/base/errs.def
    put cli/main.c <<'X'
#include "lib/base/a.h"
#include "lib/base/err.h"

int
main(void)
{
    log_warn("SOME-ID", "x");
    return a_count() == RC_LIMIT;
}
X
    printf '| `SOME-ID` | warn | x |\n' | put docs/log.md
    printf 'int main(void);\n' | put tests/unit/lib/base/a_test.c
    printf 'cli/main.c tests/unit/lib/base/a_test.c\n' | put tests/tidy/tested_by.tbl
    compile lib/base/a.c cli/main.c
}

compile() {
    local file
    for file in "$@"; do
        mkdir -p "$tree/build/obj/$(dirname "$file")"
        (cd "$tree" && ${CC:-cc} -w -DRC_LIMIT=1 -Dlog_warn=puts2 -I. -c -o "build/obj/${file%.c}.o" "$file") || echo "Bail out! cannot compile $file"
    done
}

# What the good tree becomes to break a rule, and the line that must be told.
break_include_direction() { printf '#include "lib/wire/w.h"\n' | put lib/base/b.c; expected='lib/base/b.c:1: lib/base includes lib/wire/w.h'; }
break_third_party() { printf '#include <stdio.h>\n#include <sqlite3.h>\n' | put audit/b.c; expected='audit/b.c:2: includes sqlite3.h'; }
break_own_header_first() { printf '#include <string.h>\n#include "lib/base/a.h"\n' | put lib/base/a.c; expected='lib/base/a.c:1: the first include is not'; }
break_header_guard() { printf '#ifndef A_H\n#define A_H\n#endif\n' | put lib/base/a.h; expected='lib/base/a.h:1: its guard is not LIB_BASE_A_H'; }
break_file_size() { lines 601 | put lib/base/a.c; expected='lib/base/a.c:601: 601 lines'; }
break_function_size() { { printf 'int\nlong_one(void)\n{\n'; lines 71; printf '}\n'; } | put lib/base/a.c; expected='lib/base/a.c:3: long_one has 71 lines'; }
break_banned_calls() { printf 'void\nb(void)\n{\n    sprintf(p, "x");\n}\n' | put lib/base/b.c; expected='lib/base/b.c:4: banned: sprintf'; }
break_raw_malloc() { printf 'void *p = malloc(5);\n' | put mirror/b.c; expected='mirror/b.c:1: memory past'; }
break_left_overs() { printf 'int x; /* TODO: more */\n' | put lib/base/b.c; expected='lib/base/b.c:1: left over'; }
break_lost_codes() { printf 'false; ok "$(cat text)" $?\n' | put tests/system/b.t; expected='tests/system/b.t:1: the code of the command in the text'; }
break_machine_paths() { printf 'see /home/me/notes\n' | put docs/b.md; expected='docs/b.md:1: a path of some machine'; }
break_has_test() { printf 'int b_x;\n' | put mirror/b.c; expected='mirror/b.c:1: has no tests/unit/mirror/b_test.c'; }
break_exported_prefix() { printf 'int count(void) { return 1; }\n' | put lib/base/b.c; compile lib/base/b.c; expected='lib/base/b.c:1: exports count'; }
break_exported_use() { printf 'int b_lonely(void) { return 1; }\n' | put lib/base/b.c; compile lib/base/b.c; expected='lib/base/b.c:1: exports b_lonely, which nobody uses'; }
break_log_ids() { printf 'void b(void) { log_error(\n    "NEW-ID", "x"); }\n' | put mirror/b.c; expected='mirror/b.c:2: docs/log.md does not tell what NEW-ID means'; }
break_error_codes() { printf 'int x = RC_NOWHERE;\n' | put mirror/b.c; expected='mirror/b.c:1: RC_NOWHERE is not in errs.def'; }

for rule in $RULES; do
    good_tree "$scratch/$rule"
    "break_$rule"
    mkdir "$scratch/$rule.work"
    told=$(rules_prepare "$tree" "$tree/build/obj" "$scratch/$rule.work" && "rule_$rule")
    case $told in
        *"$expected"*) ok "$rule sees what breaks it" "" ;;
        *) ok "$rule sees what breaks it" "expected: $expected"$'\n'"told: $told" ;;
    esac
done

good_tree "$scratch/good"
mkdir "$scratch/good.work"
ok "a good tree breaks no rule" "$(rules_prepare "$tree" "$tree/build/obj" "$scratch/good.work" && for rule in $RULES; do "rule_$rule" | sed "s/^/$rule: /"; done)"
