# shellcheck shell=bash disable=SC2154 # here and BUILD are common.sh's
# Sourced, after common.sh, by tests that look at refbroker and at a real Kafka side by side. Speaks TAP; the caller prints the plan.
set +e
work=$(mktemp -d)
tests=0
ours=127.0.0.1:$(free_port)
theirs='' # once pair_start is through
finish() {
    local file
    for file in "$work/pid" "$work"/*/pid; do # refbroker's, and those of programs that a test keeps running
        [ -e "$file" ] && kill -9 "$(cat "$file")" 2>/dev/null
    done
    [ -e "$work/kafka/nodes" ] && "$here/broker" kill "$work/kafka" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

is() { # WHAT GOT WANTED
    tests=$((tests + 1))
    if [ "$2" = "$3" ]; then echo "ok $tests - $1"; else
        echo "not ok $tests - $1"
        diff <(echo "$2") <(echo "$3") | cut -c1-500 | head -n 20 | sed 's/^/# /'
    fi
}
tool() { tool_run "$@" 2>>"$work/err"; }
part() { awk -v part="$1" '$1 == "==" { on = $2 == part } on' "$2"; } # NAME FILE

# Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
pair_setup() {
    "$here/setup" >"$work/setup" 2>&1 && return
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}

# pair_start_ours SETTING...: refbroker (@FILE: those in a file), with what stands in ours_flags, too. $work/restart kills it (-9) and starts it on the folder of before.
pair_start_ours() {
    cat >"$work/restart" <<X
#!/usr/bin/env bash
[ -e "$work/pid" ] && kill -9 "\$(cat "$work/pid")"
for _ in \$(seq 20); do # the one before may hold port and folder for a moment
    : >"$work/refbroker"
    "$BUILD/bin/refbroker" --data "$work/data" --listen "$ours" ${ours_flags:-} ${*/#/--set } >"$work/refbroker" 2>&1 & echo \$! >"$work/pid"
    for _ in \$(seq 1200); do # a disk may stall
        grep -q ready "$work/refbroker" && exit 0
        grep -q 'in use' "$work/refbroker" && break
        read -r -t 0.05 <> <(:)
    done
    kill -9 "\$(cat "$work/pid")" 2>/dev/null # one that comes up later would hold port and folder, and nobody would kill it
    read -r -t 0.2 <> <(:)
done
exit 1
X
    chmod +x "$work/restart"
    "$work/restart"
}

kafka_flags=() # more flags of the broker
pair_start() { # SETTING...: refbroker and Kafka with the same settings
    local props=() setting line
    pair_start_ours "$@"
    for setting in "$@"; do
        if [ "${setting:0:1}" = @ ]; then
            while read -r line; do props+=(--prop "$line"); done <"${setting#@}"
            continue
        fi
        props+=(--prop "$setting")
        # Nobody logs in here, and everybody may do everything.
        [ "${setting%%=*}" != authorizer.class.name ] || props+=(--prop super.users=User:ANONYMOUS)
    done
    "$here/broker" start "$work/kafka" ${kafka_flags[@]+"${kafka_flags[@]}"} "${props[@]}" >"$work/start" 2>&1
    theirs=$(cat "$work/kafka/bootstrap")
}

# What differs from run to run, and how wide columns are, does not count.
tidy() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g; s/\([^)]*\)/()/g; s/ +/ /g; s/127.0.0.1:[0-9]+/BROKER/g; s/TopicId: [^ \t]+/TopicId: ID/' | LC_ALL=C sort; }
quietly() { # CLASS ARGUMENTS: a tool at both, whatever it says
    tool "$1" --bootstrap-server "$theirs" "${@:2}" >/dev/null & asking=$!
    tool "$1" --bootstrap-server "$ours" "${@:2}" >/dev/null
    wait "$asking"
}
both() { # WHAT CLASS ARGUMENTS: a tool says the same of both, and it says something
    local what=$1
    shift
    tool "$1" --bootstrap-server "$theirs" "${@:2}" 2>&1 | tidy >"$work/theirs" & asking=$!
    tool "$1" --bootstrap-server "$ours" "${@:2}" 2>&1 | tidy >"$work/ours"
    wait "$asking"
    [ -s "$work/ours" ] || echo nothing >"$work/ours"
    is "$what" "$(cat "$work/ours")" "$(cat "$work/theirs")"
}
