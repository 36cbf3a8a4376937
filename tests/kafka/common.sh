# shellcheck shell=bash disable=SC2034 # its variables are used by those who source it
# Sourced by the programs of this folder: where things are, and how a JVM is started here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../helpers.sh
. "$root/tests/helpers.sh"
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$root/$BUILD ;; esac
kafka_home=$BUILD/kafka
classpath="$kafka_home/lib/*:$kafka_home/classes" # in this order: an archive knows the jars only
broker_archive=$kafka_home/broker.jsa
client_archive=$kafka_home/client.jsa

# Most JVMs here live for seconds: the quick compiler and the one-threaded collector start fastest.
quick_jvm=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Dfile.encoding=UTF-8)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$@"; exit 1; }
# The codes that callers turn into "skipped": nothing is wrong with the project, the machine lacks a part.
missing() { say "$@"; exit 77; }

need_setup() {
    [ -e "$kafka_home/classes.stamp" ] || die "run $here/setup first (BUILD=$BUILD)"
}

# tool_host FILE: the port of a JVM that runs Kafka's tools (tool), one for all who name the same file: the first one starts it. It ends with the test, which may ask from subshells.
tool_host() {
    (
        flock 9
        if [ ! -s "$1" ]; then
            "$here/run" kdl.tools.ToolHost $$ >"$1" 2>"$1.err" </dev/null 9>&- &
            wait_for 60 test -s "$1" || cat "$1.err" >&2
        fi
    ) 9>"$1.lock"
    cat "$1"
}

# tool_run CLASS ARGUMENT...: Kafka's commands all in the JVM of $work/tools, any other program in one of its own, for tool_seconds at most.
tool_seconds=120 # more for one that has much to wait for
tool_run() {
    case $1 in
    *Command | *.GetOffsetShell) timeout $tool_seconds "$here/tool" "$(tool_host "$work/tools")" "$@" ;;
    *) timeout $tool_seconds "$here/run" "$@" ;;
    esac
}
