#!/usr/bin/env bash
# kdl top: its pages as text, and the real thing on a pseudo-terminal: keys, a new size, a broker that goes silent, the end.
. "$(dirname "$0")/common.sh"
plan 22
pa=$(free_port); pb=$(free_port)
a=127.0.0.1:$pa b=127.0.0.1:$pb
once() { timeout 20 "$kdl" top -b "$a" --once "$@" 2>&1; }

# What fixed_load writes is years old.
start_refbroker a "$pa" --set log.retention.ms=-1; pid_a=$pid
start_refbroker b "$pb" --set log.retention.ms=-1
"$kdl" topic create orders -b "$a" -p 3 > /dev/null; "$kdl" topic create state -b "$a" --config cleanup.policy=compact > /dev/null
"$BUILD/tests/system/fixed_load" "$a" orders 3 3000 2> /dev/null
timeout 20 kcat -b "$a" -G watchers -X auto.offset.reset=earliest -c 3000 -q orders > /dev/null 2>&1

is "overview: brokers, topics, records" "$(once | grep -c 'brokers 1  topics 2  partitions 4  groups 1  records 3.0 k')" 1
is "topics: partitions, size, records" "$(once --page topics | awk '$1 == "orders" {print $2, ($3 > 100), $4, $5, $6}')" "3 1 kB 3.0 k"
is "topics: traits and verdicts of the audit" "$(once --page topics | sed -n 's/^ *\(orders\|state\) .* - *- *//p' | tr -s ' ' | sort)" "no no no no READY READY
no yes no no BLOCKED READY"
is "overview: verdicts are counted" "$(once | sed -n 's/^ *coordinated *//p')" "1 READY  0 CHANGES  0 UNKNOWN  1 BLOCKED"
is "groups: type, state and lag" "$(once --page groups | awk '$1 == "watchers" {print $2, $3, $4, $5}')" "classic Empty 3 0"
is "mirror, nothing copied yet" "$(once --to "$b" --page mirror | awk '$1 == "orders" {print $4, $5}')" "not mirrored"
timeout 60 "$kdl" mirror run --from "$a" --to "$b" --topics orders --until caught-up -q > /dev/null 2>&1
is "mirror, all copied: as many bytes on both sides" "$(LC_ALL=C once --to "$b" --page mirror | awk '$1 == "orders" {print $2, $3, $4, ($5 == $7 && $5 > 100), $6, $10, $11}')" "############ 100 % 1 kB 0 live"
"$BUILD/tests/system/fixed_load" "$a" orders 3 1000 2> /dev/null
is "mirror, behind, and nothing comes" "$(LC_ALL=C once -i 100 --to "$b" --page mirror | awk '$1 == "orders" {print $2, $3, $4, $9, $10, $11, $12, $13, $14, $15}')" "#########... 75 % 0 B 1.0 k - nothing comes"
is "a target that is none is no error of the source, and said" "$(once --to 127.0.0.1:1 --page mirror | grep -c 'target: \|orders .*?$')" 2
is "a page that is none" "$(once --page nonsense; echo $?)" "kdl: --page wants overview|topics|groups|mirror, not nonsense. (kdl top --help)
2"
timeout 20 "$kdl" top -b 127.0.0.1:1 --once > "$work/none" 2>&1; is "a broker that is none: exit 3 and one line" "$? $(wc -l < "$work/none")" "3 1"

# The screen: keys go in by a pipe, what the terminal gets is in $work/screen.
mkfifo "$work/keys"
: > "$work/screen"
exec 9<> "$work/keys"
LC_ALL=C TERM=vt100 COLUMNS=100 LINES=24 timeout 30 script -qec "stty rows 24 cols 100; exec $kdl top -b $a -i 200" /dev/null < "$work/keys" > "$work/screen" 2>&1 &
top=$!
press() { printf '%s' "$1" >&9; }
shows() { grep -aq "$1" "$work/screen"; }
wait_for 20 shows "LARGEST TOPICS"; ok "begins with the overview" $?
press '2'; wait_for 20 shows "COMPACT"; ok "2: topics" $?
wait_for 20 shows "BLOCKED"; ok "the audit's verdicts come by themselves" $?
press '3'; wait_for 20 shows "watchers"; ok "3: groups" $?
press '/'; wait_for 10 shows "Enter keep"; ok "/: a filter is typed" $?
press $'\e'
press '?'; wait_for 20 shows "a screen further"; ok "?: help" $?
press '?'
kill -STOP "$pid_a"
press '4'; wait_for 5 shows "no target: start with --to"; ok "a silent broker does not stop the keys" $?
kill -CONT "$pid_a"
tty=$(ps -o tty= -p "$(pgrep -fx "$kdl top -b $a -i 200" | head -1)")
stty -F "/dev/$tty" rows 10 cols 40
press '2'
shrunk() { "$kdl" topic create "after-$1" -b "$a" > /dev/null 2>&1; shows "after-$1"; }
wait_for 20 shrunk small; ok "goes on in a window of 40 columns and 10 rows" $?
press 'q'; wait "$top"; is "q ends with 0" $? 0

# Started on a broker that is silent from the beginning.
kill -STOP "$pid_a"
: > "$work/screen"
LC_ALL=C TERM=vt100 timeout 30 script -qec "stty rows 24 cols 100; exec $kdl top -b $a" /dev/null < "$work/keys" > "$work/screen" 2>&1 & top=$!
wait_for 10 shows "asking the cluster"; ok "a silent broker: the screen is there" $?
began=$SECONDS
press 'q'; wait "$top"; is "and q ends it at once, with 0" "$? $((SECONDS - began < 5))" "0 1"
kill -CONT "$pid_a"
