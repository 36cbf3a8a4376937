#!/usr/bin/env bash
# A start after kill -9 with a log of several full files, none of which lies in an object: it serves before it has read what they hold, all of it is there, and damage to it ends the process.
. "$(dirname "$0")/common.sh"
plan 8
port=$(free_port)
b=127.0.0.1:$port
flags=(--set kdl.wal.file.bytes=1048576 --set kdl.upload.bytes=1073741824 --set kdl.upload.interval.ms=86400000)
# 8 MB that no codec makes smaller, in lines.
lines=$(head -c 6000000 /dev/urandom | base64 -w 1999)
records() { timeout 30 kcat -b "$b" -C -t "$1" -o beginning -e -q 2>/dev/null | md5sum; }

start_refbroker one "$port" "${flags[@]}"
timeout 30 kcat -b "$b" -P -t lines -X batch.size=50000 <<< "$lines"; ok "a producer writes 8 MB" $?
timeout 30 kcat -b "$b" -G readers -t lines -X auto.offset.reset=earliest -c 1000 lines > /dev/null 2>&1; ok "and a group commits" $?
kill -9 "$pid"; wait "$pid" 2>/dev/null
ok "there are full files of the log, and no objects" "$(($(find "$work/one/wal" -name '*.wal' | wc -l) < 6 || $(find "$work/one/objects" -name '*.obj' | wc -l) > 0))"
start_refbroker one "$port" "${flags[@]}"
echo more | timeout 20 kcat -b "$b" -P -t lines; ok "after kill -9 a producer goes on" $?
is "a consumer reads all that was written before and since" "$(records lines)" "$({ echo "$lines"; echo more; } | md5sum)"
is "the group is where it was" "$(timeout 30 kcat -b "$b" -G readers -t lines -c 1 lines 2>/dev/null)" "$(sed -n 1001p <<< "$lines")"
kill -9 "$pid"; wait "$pid" 2>/dev/null

# A byte of the first batch in the third file, which is full: a start does not look at it. File header, group header, entry, and ten bytes.
at=$((4096 + 32 + 24 + 10))
file=$work/one/wal/0000000000000003.wal
byte=$(od -An -tu1 -j $at -N 1 "$file")
write() { printf '%b' "\\x$(printf %x "$1")" | dd of="$file" bs=1 seek=$at conv=notrunc status=none; }
write $((byte ^ 1))
timeout 60 "$refbroker" --data "$work/one" --listen "$b" "${flags[@]}" > "$work/damaged" 2>&1
is "damage ends the process, with one line" "$? $(grep -c '^refbroker: WAL file 0000000000000003: the group at byte 4096 is damaged: acknowledged data is lost$' "$work/damaged")" "1 1"
write "$byte"
start_refbroker one "$port" "${flags[@]}"
is "once it is mended all is there" "$(records lines)" "$({ echo "$lines"; echo more; } | md5sum)"
