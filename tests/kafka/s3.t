#!/usr/bin/env bash
# s3.t: objects on a real S3 server (S3Proxy): what lib/store/store.h promises; refbroker with both write paths on it, killed with -9; each request counted as the server counts it; wrong keys, a
# bucket that is missing and a server that is away: one line, and everything goes on once it is mended. With LONG=1 on versitygw, too, which is stricter (Go).
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
# shellcheck source=versitygw.sh
. "$here/versitygw.sh"
pair_setup
kdl=$BUILD/bin/kdl

# --- the servers: how one gets here, starts, and what it has seen (served) ---------------------------------------------------

s3proxy_get() {
    s3proxy=$kafka_home/s3proxy
    [ ! -e "$s3proxy/ready" ] || return 0
    rm -rf "$s3proxy"
    mvn -B -q -f "$here/s3proxy.xml" dependency:copy-dependencies -DoutputDirectory="$s3proxy" >"$work/maven" 2>&1 && : >"$s3proxy/ready"
}
s3proxy_start() {
    cat >"$work/server/conf" <<END
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity=local
s3proxy.credential=local-secret
s3proxy.endpoint=http://127.0.0.1:$server_port
jclouds.provider=filesystem
jclouds.filesystem.basedir=$work/buckets
END
    # One line for each request, its length, and the length of its answer, with the thread that serves it.
    cat >"$work/server/logback.xml" <<'END'
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%thread %logger{0} %msg%n</pattern></encoder></appender>
  <logger name="org.gaul.s3proxy.S3ProxyHandler" level="DEBUG"/>
  <logger name="org.gaul.shaded.org.eclipse.jetty.http.HttpParser" level="DEBUG"/>
  <logger name="org.gaul.shaded.org.eclipse.jetty.http.HttpGenerator" level="DEBUG"/>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
END
    java "${quick_jvm[@]}" -Xmx256m -Dlogback.configurationFile="$work/server/logback.xml" -cp "$s3proxy/*" org.gaul.s3proxy.Main --properties "$work/server/conf" >>"$work/server/log" 2>&1 &
}
s3proxy_served() {
    awk '
        $2 == "HttpParser" && match($0, /FIELD\(Content-Length: [0-9]+/) { split(substr($0, RSTART, RLENGTH), part, ": "); sent[$1] = part[2] }
        $2 == "S3ProxyHandler" && match($0, /\{(PUT|GET|DELETE|POST)@[0-9a-f]+ [^ ]+/) {
            request = substr($0, RSTART + 1, RLENGTH - 1)
            kind[$1] = request ~ /^PUT/ ? 1 : request !~ /^GET/ ? 4 : request ~ /list-type=2/ ? 3 : 2
            requests[kind[$1]]++
            if (kind[$1] == 1) put += sent[$1]
        }
        $2 == "HttpGenerator" && match($0, /endOfContent CONTENT_LENGTH content-Length [0-9]+/) && kind[$1] == 2 { n = split(substr($0, RSTART, RLENGTH), part, " "); got += part[n] }
        END { for (i = 1; i <= 4; i++) print requests[i] + 0; print put + 0; print got + 0 }'
}

versitygw_served() { # the format of S3's own access log, where the time is two words; of ranges it does not tell the bytes
    awk '
        $8 == "s3_PutObject" { requests[1]++; put += $14 }
        $8 == "s3_GetObject" { requests[2]++ }
        $8 == "s3_ListObjectsV2" { requests[3]++ }
        $8 ~ /^s3_DeleteObjects?$/ { requests[4]++ }
        END { for (i = 1; i <= 4; i++) print requests[i] + 0; print put + 0 }'
}

server_run() {
    case $server in
    s3proxy) s3proxy_start ;;
    versitygw) versitygw_start "$server_port" "$work/buckets" "$work/server/log" ;;
    esac
}
server_answers() { (: <"/dev/tcp/127.0.0.1/$server_port") 2>/dev/null; }
server_start() {
    server_run
    echo $! >"$work/server/pid"
    wait_for 60 server_answers
}
served() { tail -n "+$(($1 + 1))" "$work/server/log" | "${server}_served"; } # MARK: since that line of its log; PUTs, GETs, LISTs, DELETEs, bytes put and got

# --- refbroker -----------------------------------------------------------------------------------------------------------------

end() { # NAME SIGNAL
    local pid
    pid=$(cat "$work/$1/pid")
    kill "-$2" "$pid"
    wait "$pid" 2>/dev/null
}
store() { echo "s3://$1?endpoint=http://127.0.0.1:$server_port&region=us-east-1"; }

# start NAME STORE: refbroker on the folder NAME/data; its address in $b.
declare -A ports http_ports
start() {
    mkdir -p "$work/$1"
    ports[$1]=${ports[$1]:-$(free_port)}
    http_ports[$1]=${http_ports[$1]:-$(free_port)}
    : >"$work/$1/out"
    b=127.0.0.1:${ports[$1]}
    "$BUILD/bin/refbroker" --data "$work/$1/data" --store "$2" --listen "$b" --http "127.0.0.1:${http_ports[$1]}" --set kdl.upload.interval.ms=50 >>"$work/$1/out" 2>>"$work/$1/log" &
    echo $! >"$work/$1/pid"
    wait_for "${3:-20}" grep -q ready "$work/$1/out"
}
metric() { curl -sf "http://127.0.0.1:${http_ports[$1]}/metrics" | awk -v name="kdl_$2" '$1 == name { print $2 }'; } # NAME METRIC
is_stored() { [ "$(metric "$1" uncommitted_bytes)" = 0 ]; }                                                        # NAME
counted() { for name in requests_put requests_get requests_list requests_delete bytes_put bytes_get; do metric "$1" store_${name}_total; done >>"$work/counted"; } # NAME, at the end of its process
sums() { awk '{ sum[NR % 6] += $1 } END { for (i = 1; i <= 6; i++) print sum[i % 6] }' "$work/counted"; }
is_counted() {
    seen=$(served "$mark")
    [ "$(sums | head -n "$(echo "$seen" | wc -l)")" = "$seen" ]
}
lines() { grep -c " $2 " "$work/$1/log"; }                                                                         # NAME ID
records() { timeout 60 kcat -b "$b" -C -t "$1" -o beginning -e -q 2>>"$work/err" | md5sum; }
write() { seq 1 "$2" | timeout 60 kcat -b "$b" -P -t "$1" 2>>"$work/err"; } # TOPIC COUNT
keys() { printf '[default]\naws_access_key_id = local\naws_secret_access_key = %s\n' "$1" >"$work/credentials"; }
# trouble NAME STORE WORDS: with a store that cannot be used refbroker starts and takes records; `mend` mends it.
trouble() {
    start "$1" "$2"; is "$1: it starts all the same" $? 0
    write wal 100; is "$1: producers of wal topics go on" $? 0
    wait_for 20 grep -qs STORE-AWAY "$work/$1/log"
    is "$1: one line says what to mend" "$(lines "$1" STORE-AWAY) $(grep STORE-AWAY "$work/$1/log" | grep -c "$3") $(grep -c wrong-secret "$work/$1/log")" "1 1 0"
    mend; wait_for 60 is_stored "$1"; is "$1: once it is mended all comes into objects" $? 0
    wait_for 30 grep -q STORE-BACK "$work/$1/log"; is "$1: which is told" "$(lines "$1" STORE-BACK)" 1
    end "$1" KILL
    start "$1" "$2"
    is "$1: nothing is lost" "$(records wal)" "$(seq 1 100 | md5sum)"
    end "$1" KILL
}

all() { # SERVER
    server=$1
    server_port=$(free_port)
    mkdir -p "$work/server" "$work/buckets/bucket"
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local-secret
    unset AWS_SESSION_TOKEN AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE
    server_start; is "an S3 server starts" $? 0
    S3_TEST_STORE=$(store bucket/battery) CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/tests/unit/lib/store/store_s3_test" >"$work/battery" 2>&1; is "what store.h promises holds on it" "$? $(grep -c '^ok' "$work/battery")" "0 11"
    grep '^not ok' -A3 "$work/battery" | sed 's/^/# /'

    # --- both write paths -----------------------------------------------------------------------------------------------------

    mark=$(wc -l <"$work/server/log")
    start one "$(store bucket/estate)"; is "refbroker starts with its objects there" $? 0
    "$kdl" topic create wal -b "$b" >>"$work/err" 2>&1
    "$kdl" topic create direct -b "$b" -c diskless.enable=true >>"$work/err" 2>&1
    for topic in wal direct; do write $topic 20000; is "$topic: a producer writes" $? 0; done
    wanted=$(seq 1 20000 | md5sum)
    wait_for 20 is_stored one; is "all of it comes into objects" $? 0
    is "none in a folder, those in the bucket below the cluster's id" "$(ls "$work/one/data/objects" 2>/dev/null | wc -l) $(ls "$work"/buckets/bucket/estate/*/*.obj | wc -l | sed 's/^[1-9][0-9]*$/some/')" "0 some"
    counted one
    end one KILL
    start one "$(store bucket/estate)"; is "it starts after kill -9" $? 0
    for topic in wal direct; do is "$topic: a consumer reads it from objects" "$(records $topic)" "$wanted"; done
    is "which were asked for" "$(($(metric one store_requests_get_total) > 0)) $(metric one store_requests_failed_total)" "1 0"
    timeout 60 kcat -b "$b" -G group -o beginning -e -q wal 2>>"$work/err" | md5sum >"$work/group"
    is "a group reads and commits" "$(cat "$work/group")" "$wanted"
    wait_for 20 is_stored one
    counted one

    # --- what others may have done to the bucket -------------------------------------------------------------------------------

    end one KILL
    home=$(dirname "$(ls "$work"/buckets/bucket/estate/*/*.obj | head -n 1)")
    cp "$(ls "$home"/*.obj | head -n 1)" "$home/0000000100000fff.obj"
    cp "$home/0000000100000fff.obj" "$home/0000700000000fff.obj"
    kept=$(ls "$home" | grep -cv fff)
    start one "$(store bucket/estate)"; is "it starts where a killed upload has left something" $? 0
    wait_for 20 grep -q ORPHANS "$work/one/log"; is "which is removed, and nothing else" "$(ls "$home" | grep -c 0000000100000fff) $(ls "$home" | grep -cv fff) $(ls "$home" | grep -c 0000700000000fff)" "0 $kept 1"
    is "all is still there" "$(records wal) $(records direct)" "$wanted $wanted"
    counted one
    wait_for 10 is_counted # a log may be a moment late
    is "each request is counted, and each byte, as the server did" "$(sums | head -n "$(echo "$seen" | wc -l)")" "$seen"
    is "some of each kind" "$(echo "$seen" | grep -c '^0$')" 0
    end one TERM; is "SIGTERM ends it with 0" $? 0
    "$BUILD/bin/refbroker" --data "$work/one/data" --listen "127.0.0.1:$(free_port)" >"$work/refused" 2>&1; is "without its store it is refused" "$? $(grep -c 'objects lie in s3://bucket/estate: start with that as --store' "$work/refused")" "2 1"
    "$BUILD/bin/refbroker" --data "$work/new" --store s3://B >"$work/refused" 2>&1; is "so is a store that is none" "$? $(grep -c 'no name for a bucket' "$work/refused")" "2 1"

    # --- what people must mend -------------------------------------------------------------------------------------------------

    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    export AWS_SHARED_CREDENTIALS_FILE=$work/credentials
    keys wrong-secret
    mend() { keys local-secret; }
    trouble keys "$(store bucket/keys)" 'SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY'
    mend() { mkdir "$work/buckets/other"; }
    trouble bucket "$(store other)" 'NoSuchBucket.*make the bucket'
    end server KILL
    mend() { server_start; }
    trouble absent "$(store bucket/absent)" "127.0.0.1:$server_port"

    # --- a server that goes and comes back ---------------------------------------------------------------------------------------

    start one "$(store bucket/estate)"
    end server KILL
    write wal 500; is "while the server is away producers of wal topics go on" $? 0
    wait_for 20 grep -q STORE-AWAY "$work/one/log"; is "the line comes once" "$(lines one STORE-AWAY)" 1
    is "a producer of a coordinated topic waits, or fails" "$(seq 1 10 | timeout 60 kcat -b "$b" -P -t direct -X message.timeout.ms=3000 >>"$work/err" 2>&1; echo $(($? != 0)))" 1
    started=$SECONDS
    end one TERM; is "SIGTERM ends it soon, and the WAL keeps the rest" "$? $((SECONDS - started < 5))" "0 1"
    start one "$(store bucket/estate)" 2; is "at a start it waits for groups that lie in objects" $? 1
    server_start
    wait_for 60 grep -q ready "$work/one/out"; is "and goes on when the server is back" $? 0
    wait_for 60 is_stored one
    is "with everything that was acknowledged" "$(records wal)" "$( (seq 1 20000; seq 1 500) | md5sum)"
    is "and with its groups" "$(timeout 60 kcat -b "$b" -G group -e -q wal 2>>"$work/err" | md5sum)" "$(seq 1 500 | md5sum)"
    write direct 10; is "a producer of a coordinated topic goes on, too" $? 0
    end one KILL
    end server KILL
    rm -rf "${work:?}"/*
}

s3proxy_get; is "the jars of an S3 server are there" $? 0
all s3proxy
if [ -n "${LONG:-}" ]; then # its build alone takes minutes
    versitygw_get "$kafka_home" "$work/go"; is "another S3 server is built" $? 0
    all versitygw
fi
echo "1..$tests"
