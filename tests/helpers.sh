# shellcheck shell=bash
# Sourced by tests/system/common.sh and tests/kafka/common.sh: what tests of both kinds need.

# wait_for SECONDS COMMAND...: until the command succeeds. Commands see its variable, and a plain name would hide one of theirs.
wait_for() {
    local wait_for_end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$wait_for_end" ] || return 1
        read -r -t 0.02 <> <(:) || :
    done
}

# free_port: a port that nobody listens on, below those that the system hands out, so that a broker that is killed and started again finds it free.
free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
    echo "$port"
}
