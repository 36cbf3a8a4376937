# The rules that a tree of this project follows. Sourced by tidy.t; each rule prints what breaks it as `path:line: what`.
#
#   rules_prepare ROOT OBJECTS WORK    ROOT: the tree; OBJECTS: folder of its object files; WORK: an empty folder for scratch
#   rule_NAME                          for NAME in $RULES
#
# Tables, in tests/tidy of the tree: third_party.tbl, families.tbl, tested_by.tbl, raw_malloc.tbl,
# unused.tbl. `#` begins a comment there.

RULES="include_direction third_party own_header_first header_guard file_size function_size banned_calls raw_malloc left_overs machine_paths lost_codes has_test
exported_prefix exported_use log_ids error_codes"

FILE_LINES_MAX=600
FUNCTION_LINES_MAX=70
SOURCE_FOLDERS="lib refbroker audit mirror conformance price cli"

rules_prepare() {
    cd "$1" || return 1
    objects=$2 work=$3
    find $SOURCE_FOLDERS tests docs .ci -type d \( -name build -o -name corpus \) -prune -o -type f -print 2>/dev/null | sort > "$work/all"
    grep -E '\.(c|h|cc)$' "$work/all" > "$work/c"
    xargs -r awk -f "$tidy_folder/code.awk" < "$work/c" > "$work/code"
    xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null < "$work/c" > "$work/includes"
    : > "$work/empty"
}

# The rows of a table without comments.
table() { sed 's/#.*//; /^[[:space:]]*$/d' "tests/tidy/$1.tbl" 2>/dev/null; }

# --- includes ---------------------------------------------------------------------------------------------------------

# docs/design.md: lib/base <- lib/crypto <- lib/{wire,net,db} <- lib/{kafka,store} <- {audit,mirror,conformance,price} <- cli; refbroker uses all of lib but
# lib/kafka; tests use everything.
rule_include_direction() {
    awk -F: '
        function folder(path, part, n) {
            n = split(path, part, "/")
            return part[1] == "lib" ? part[1] "/" part[2] : part[1]
        }
        BEGIN {
            below["lib/base"] = ""
            below["lib/crypto"] = "lib/base"
            below["lib/wire"] = below["lib/net"] = below["lib/db"] = "lib/base lib/crypto"
            below["lib/store"] = below["lib/kafka"] = below["lib/db"] " lib/wire lib/net lib/db"
            library = below["lib/kafka"] " lib/store"
            below["refbroker"] = library
            below["audit"] = below["mirror"] = below["conformance"] = below["price"] = library " lib/kafka"
            below["cli"] = below["audit"] " audit mirror conformance price"
        }
        $1 ~ /^tests\// { next }
        match($0, /"[^"]+"/) {
            name = substr($0, RSTART + 1, RLENGTH - 2)
            from = folder($1); to = folder(name)
            if (to == "gen") to = name == "gen/refbroker_sql.h" ? "refbroker" : name == "gen/price_book.h" ? "price" : "lib/wire"
            if ($1 ~ /^lib\/wire\/gen\//) { if (to != "lib/base" && name !~ /^lib\/wire\/gen\//) print $1 ":" $2 ": the generator includes " name; next }
            if (from == to) next
            if (index(" " below[from] " ", " " to " ") == 0) print $1 ":" $2 ": " from " includes " name
        }' "$work/includes"
}

# Whatever is no part of the C library and POSIX stands in third_party.tbl: HEADER FILE...
rule_third_party() {
    table third_party > "$work/third_party"
    awk -F: -v table="$work/third_party" '
        BEGIN {
            split("assert ctype dirent dlfcn endian errno fcntl float fnmatch ftw getopt inttypes langinfo limits locale math netdb poll pthread sched setjmp " \
                "signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings termios time unistd wchar wctype", names, " ")
            for (i in names) ours[names[i] ".h"] = 1
            while ((getline line < table) > 0) {
                n = split(line, part, /[ \t]+/)
                for (i = 2; i <= n; i++) allowed[part[1] " " part[i]] = 1
            }
        }
        match($0, /<[^>]+>/) {
            name = substr($0, RSTART + 1, RLENGTH - 2)
            if (name in ours || name ~ /^(sys|arpa|netinet|net)\//) next
            if (!((name " " $1) in allowed)) print $1 ":" $2 ": includes " name ", which third_party.tbl does not give to it"
        }' "$work/includes"
}

# x.c begins with x.h, which proves that the header is complete.
rule_own_header_first() {
    awk -F: '
        FILENAME == ARGV[1] { is_there[$0] = 1; next }
        $1 !~ /\.c$/ || seen[$1]++ { next }
        {
            own = $1; sub(/\.c$/, ".h", own)
            if (own in is_there && index($0, "\"" own "\"") == 0) print $1 ":" $2 ": the first include is not " own
        }' "$work/c" "$work/includes"
}

rule_header_guard() {
    grep '\.h$' "$work/c" | xargs -r awk '
        FNR == 1 { guard = toupper(FILENAME); gsub(/[\/.-]/, "_", guard); seen = 0 }
        $0 == "#ifndef " guard { seen++ }
        $0 == "#define " guard && seen == 1 { seen++; good[FILENAME] = 1 }
        { files[FILENAME] = guard }
        END { for (file in files) if (!(file in good)) print file ":1: its guard is not " files[file] }'
}

# --- sizes ------------------------------------------------------------------------------------------------------------

rule_file_size() {
    grep -E '\.(c|h|cc|sh|awk|t|java)$' "$work/all" | xargs -r wc -l | awk -v max=$FILE_LINES_MAX '$2 != "total" && $1 > max { print $2 ":" max + 1 ": " $1 " lines" }'
}

# A function is what stands between braces in the first column. A test program's main is its table of tests.
rule_function_size() {
    awk -F: -v max=$FUNCTION_LINES_MAX '
        {
            code = $0
            sub(/^[^:]*:[^:]*:/, "", code)
            if (code == "{") start = $2
            else if (code == "}" && start > 0) {
                if ($2 - start - 1 > max && !($1 ~ /_test\.c$/ && name == "main")) print $1 ":" start ": " name " has " $2 - start - 1 " lines"
                start = 0
            } else if (match(code, /^[a-z_0-9]+\(/)) name = substr(code, 1, RLENGTH - 1)
        }' "$work/code"
}

# --- words ------------------------------------------------------------------------------------------------------------

# Tests may throw plain dice; nobody sleeps.
rule_banned_calls() {
    awk '
        {
            code = $0
            sub(/^[^:]*:[^:]*:/, "", code)
            place = substr($0, 1, length($0) - length(code) - 1)
        }
        code ~ /(^|[^a-zA-Z0-9_.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca|sleep|usleep|nanosleep|system|popen|setjmp|longjmp)[ \t]*\(/ ||
        (place !~ /^tests\// && code ~ /(^|[^a-zA-Z0-9_.>])(rand|srand|random)[ \t]*\(/) { sub(/^[ \t]+/, "", code); print place ": banned: " code }' "$work/code"
}

# raw_malloc.tbl: FILE reason
rule_raw_malloc() {
    local allowed
    allowed=$(table raw_malloc | awk '{ print $1 }')
    grep -E '(^|[^a-zA-Z0-9_.>])(malloc|calloc|realloc|reallocarray|posix_memalign|aligned_alloc|strdup|strndup|asprintf|vasprintf)[[:space:]]*\(' "$work/code" |
        grep -v '^tests/' | awk -F: -v allowed="$allowed" '
            BEGIN { n = split(allowed, names, "\n"); for (i = 1; i <= n; i++) is_allowed[names[i]] = 1 }
            !($1 in is_allowed) { code = $0; sub(/^[^:]*:[^:]*:[ \t]*/, "", code); print $1 ":" $2 ": memory past xalloc, arena and buf: " code }'
}

# tests/run knows the word because TAP does; this file because of this rule.
rule_left_overs() {
    grep -vE '^tests/(run$|tidy/)|\.(msg|def)$' "$work/all" | xargs -r grep -nIE '(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)' /dev/null |
        awk -F: '{ place = $1 ":" $2; text = substr($0, length(place) + 2); gsub(/"[^"]*"|\047[^\047]*\047/, "", text) } text ~ /(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)/ { print place ": left over" }'
    grep -E ':[[:space:]]*#[[:space:]]*if[[:space:]]+0' "$work/code" | sed -E 's/^([^:]*:[^:]*):.*/\1: dead code/'
}

rule_machine_paths() {
    { cat "$work/all"; ls Makefile README.md CONTRIBUTING.md 2>/dev/null; } | grep -v '^tests/tidy/' | xargs -r grep -nIE '(^|[^A-Za-z0-9_./$}-])/(work|home|root|Users)/[A-Za-z0-9_]' /dev/null |
        sed -E 's/^([^:]*:[^:]*):.*/\1: a path of some machine/'
}

# A claim of a test: in TEXT a command stands, whose code takes the place of the one that $? was to be.
rule_lost_codes() {
    grep -E '^tests/.*[.](t|sh)$' "$work/all" | grep -v '^tests/tidy/' | xargs -r grep -nE '(^|[;&|{ ])(is|ok|check) ("[^"]*\$\(|\$\().*[" ]\$[?]' /dev/null |
        sed -E 's/^([^:]*:[^:]*):.*/\1: the code of the command in the text/'
}

# --- tests and documents ----------------------------------------------------------------------------------------------

# A module x.c has tests/unit/.../x_test.c, or tested_by.tbl names what tests it: PATTERN TEST...
rule_has_test() {
    local file pattern tests test
    table tested_by | while read -r pattern tests; do
        for test in $tests; do [ -e "$test" ] || echo "tests/tidy/tested_by.tbl:1: $test, which is to test $pattern, is not there"; done
    done
    table tested_by | awk '{ print $1 }' > "$work/tested_by"
    { grep -E '\.c$' "$work/c" | grep -v '^tests/'; grep -E '^tests/sim/.*\.c$' "$work/c"; } | while read -r file; do
        case $file in
            tests/*) test=tests/unit/${file#tests/} ;;
            *) test=tests/unit/$file ;;
        esac
        [ -e "${test%.c}_test.c" ] && continue
        while read -r pattern; do
            case $file in $pattern) continue 2 ;; esac
        done < "$work/tested_by"
        echo "$file:1: has no ${test%.c}_test.c, and tested_by.tbl names no other test"
    done
}

# Each id that is logged stands in docs/log.md, and the other way round.
rule_log_ids() {
    local page=docs/log.md
    grep -E '\.c$' "$work/c" | grep -v '^tests/' | xargs -r awk '
        match($0, /log_(error|warn|notice|info|debug)\(/) { look = 2 }
        look > 0 && match($0, /"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*"/) { print FILENAME ":" FNR ":" substr($0, RSTART + 1, RLENGTH - 2); look = 0; next }
        { look-- }' > "$work/log_ids"
    sed -n 's/^| `\([A-Z0-9-]*\)`.*/\1/p' "$page" 2>/dev/null | sort -u > "$work/log_documented"
    awk -F: 'FILENAME == ARGV[1] { known[$1] = 1; next } !($3 in known) { print $1 ":" $2 ": docs/log.md does not tell what " $3 " means" }' "$work/log_documented" "$work/log_ids"
    awk -F: -v page=$page 'FILENAME == ARGV[1] { used[$3] = 1; next } !($1 in used) { print page ":1: " $1 " is never logged" }' "$work/log_ids" "$work/log_documented"
}

# Each code of errs.def is used, and each that is used stands there (with the words and the exit code that it has).
rule_error_codes() {
    local codes=lib/base/errs.def
    [ -e $codes ] || return 0
    sed -n 's/^ERR(\([A-Z_]*\),.*/\1/p' $codes | sort -u > "$work/codes"
    awk '!/^lib\/base\/err\.[ch]:/ && /RC_/ {
        split($0, part, ":")
        for (rest = $0; match(rest, /(^|[^A-Z_a-z])RC_[A-Z_]+/); rest = substr(rest, RSTART + RLENGTH)) {
            word = substr(rest, RSTART, RLENGTH); sub(/^.*RC_/, "", word)
            print part[1] ":" part[2] ":" word
        }
    }' "$work/code" > "$work/codes_used"
    awk -F: 'FILENAME == ARGV[1] { known[$1] = 1; next } $3 != "OK" && !($3 in known) { print $1 ":" $2 ": RC_" $3 " is not in errs.def" }' "$work/codes" "$work/codes_used"
    awk -F: -v file=$codes 'FILENAME == ARGV[1] { used[$3] = 1; next } !($1 in used) { print file ":1: RC_" $1 " is never used" }' "$work/codes_used" "$work/codes"
}

# --- symbols ----------------------------------------------------------------------------------------------------------

# Lines `source symbol` of what the objects define for others.
symbols() {
    local source object
    [ -s "$work/symbols" ] && { cat "$work/symbols"; return; }
    grep -E '\.c$' "$work/c" | while read -r source; do
        object=$objects/${source%.c}.o
        [ -e "$object" ] && echo "$object"
    done > "$work/objects"
    [ -e "$objects/gen/messages.o" ] && echo "$objects/gen/messages.o" >> "$work/objects"
    xargs -r nm -A -g < "$work/objects" 2>/dev/null | awk -v prefix="$objects/" '
        { split($0, part, ":"); source = substr(part[1], length(prefix) + 1); sub(/\.o$/, ".c", source); name = $NF; type = $(NF - 1) }
        name ~ /^_|^\.|@/ || name == "main" { next }
        type ~ /^[TDBRC]$/ { print source, name, "defines" }
        type == "U" { print source, name, "uses" }' > "$work/symbols"
    cat "$work/symbols"
}

# families.tbl: PATTERN PREFIX...; without a row a file's symbols begin with its stem.
rule_exported_prefix() {
    table families > "$work/families"
    symbols | awk -v table="$work/families" '
        function fits(path, pattern) { gsub(/\./, "\\.", pattern); gsub(/\*/, ".*", pattern); return path ~ "^" pattern "$" }
        BEGIN { while ((getline line < table) > 0) rows[++count] = line }
        $3 != "defines" || $1 ~ /^gen\// { next }
        {
            stem = $1; sub(/.*\//, "", stem); sub(/\.c$/, "", stem)
            if ($2 == stem || index($2, stem "_") == 1) next
            for (i = 1; i <= count; i++) {
                n = split(rows[i], part, /[ \t]+/)
                if (!fits($1, part[1])) continue
                for (k = 2; k <= n; k++) if (index($2, part[k]) == 1) next
            }
            print $1 ":1: exports " $2
        }'
}

# Whether the objects of all sources and unit tests are there.
is_all_built() {
    local file
    while read -r file; do
        [ -e "$objects/${file%.c}.o" ] || return 1
    done < <(grep -E "^($(echo $SOURCE_FOLDERS | tr ' ' '|'))/.*\.c$|^tests/(sim|unit)/.*\.c$" "$work/c")
}

# What no other object uses is static; tests count as users. unused.tbl: NAME reason
rule_exported_use() {
    table unused > "$work/unused"
    symbols | awk -v table="$work/unused" '
        BEGIN { while ((getline line < table) > 0) { split(line, part, /[ \t]+/); used[part[1]] = 1 } }
        $3 == "uses" { used[$2] = 1 }
        $3 == "defines" && $1 !~ /^(gen|tests)\// { where[$2] = $1 }
        END { for (name in where) if (!(name in used)) print where[name] ":1: exports " name ", which nobody uses" }' | sort
}
