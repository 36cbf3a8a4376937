#!/usr/bin/env bash
# Whatever a broker says, no command of kdl falls over, hangs or prints what no user should see: each runs against brokers that bend their answers at random,
# the same for the same seed. STRANGE_SEEDS=N: how many for each command; STRANGE_FROM: the first.
. "$(dirname "$0")/common.sh"
seeds=${STRANGE_SEEDS:-6} from=${STRANGE_FROM:-1}
commands=(
    "topic list -b B" "topic describe payments.orders -b B" "topic create new-topic -b B -p 2" "topic delete new-topic -b B"
    "audit -b B -q" "audit -b B -q -o json" "price -b B --sample-seconds 1 -q" "verify --from B --to T --topics payments.* -q" "verify --from T --to B --topics payments.* -q"
    "mirror run --from B --to M --topics payments.*,connect-* --until caught-up -q" "mirror run --from T --to B --topics streams.* --until caught-up -q"
    "mirror save F -b B --topics payments.* --groups wordcount" "mirror load tests/quickstart/sample.kdl -b B"
    "mirror groups --from B --to T --topics *" "mirror groups --from T --to B --topics *" "mirror run --from B --to M --topics payments.* --groups * --until caught-up -q"
    "cutover check --from B --to T --topics payments.* --groups * --still-seconds 1"
    "cutover run --from B --to M --topics payments.* --groups * --still-seconds 1 --wait-seconds 2 --tail-records 100 --abort-open --fence --allow-reads --record R"
    "cutover run --from T --to B --topics payments.* --still-seconds 1 --wait-seconds 2 --tail-records 100 --abort-open --record R-t" "cutover back --from B --to M --record R"
    "top -b B --once" "top -b B --page groups --once" "top -b B --to T --page mirror --once"
)
plan $((${#commands[@]} + 2))
pt=$(free_port); start_refbroker target "$pt"
pm=$(free_port); start_refbroker mirrored "$pm"
"$kdl" mirror load tests/quickstart/sample.kdl -b "127.0.0.1:$pt" > "$work/out" 2>&1; is "a broker with something to tell" $? 0

for command in "${commands[@]}"; do
    wrong=''
    for seed in $(seq "$from" $((from + seeds - 1))); do
        : > "$work/address"
        "$BUILD/tests/system/strange_proxy" "$seed" 127.0.0.1 "$pt" > "$work/address" 2> "$work/proxy" &
        proxy=$!
        wait_for 10 grep -q : "$work/address"
        address=$(cat "$work/address")
        words=${command// B/ $address}
        words=${words// T/ 127.0.0.1:$pt}
        words=${words// M/ 127.0.0.1:$pm}
        words=${words// F/ $work/file}
        words=${words// R/ $work/record-$seed}
        set -f
        # A mirror asks again for ever, by promise; the others end by themselves.
        # shellcheck disable=SC2086
        KDL_X_REQUEST_TIMEOUT_MS=2000 KDL_FROM_X_REQUEST_TIMEOUT_MS=2000 KDL_TO_X_REQUEST_TIMEOUT_MS=2000 timeout -s INT -k 5 45 "$kdl" $words > "$work/out" 2> "$work/err"
        code=$?
        set +f
        case $code in 0 | 1 | 2 | 3 | 4 | 5 | 6) ;; 124 | 130) [ "${command#mirror run}" != "$command" ] || wrong+=" $seed:$code" ;; *) wrong+=" $seed:$code" ;; esac
        if grep -qE 'Sanitizer|runtime error|REQUIRE' "$work/err"; then wrong+=" $seed:sanitizer"; fi
        if [ "${wrong##* }" = "$seed:$code" ] || [ "${wrong##* }" = "$seed:sanitizer" ]; then sed "s/^/# seed $seed: /" "$work/err" | head -40; fi
        kill "$proxy" 2> /dev/null
        wait "$proxy" 2> /dev/null
    done
    is "kdl ${command%% -*}" "$wrong" ""
done
"$kdl" topic list -b "127.0.0.1:$pt" > "$work/out" 2>&1; is "the broker behind is alive" $? 0
