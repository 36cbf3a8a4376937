#!/usr/bin/env bash
# secure.t: kdl itself against real Apache Kafka over TLS, mutual TLS and SASL_SSL with PLAIN and both SCRAMs: topic, audit, mirror and verify do what they do over a plain connection, and each common mistake is one line on stderr that says what to do, in the words of the command.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e
work=$(mktemp -d)
kdl=$BUILD/bin/kdl
tests=0
pids=()
unset "${!KDL_@}"
finish() {
    local pid
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
    "$here/broker" stop "$work/broker" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

check() { # WHAT CODE
    tests=$((tests + 1))
    if [ "$2" -eq 0 ]; then echo "ok $tests - $1"; else
        echo "not ok $tests - $1"
        [ -e "$work/output" ] && tail -n 15 "$work/output" | sed 's/^/# /'
    fi
}

start_refbroker() { # NAME: sets $target
    local port pid
    port=$(free_port)
    : >"$work/$1.out"
    "$BUILD/bin/refbroker" --data "$work/$1" --listen "127.0.0.1:$port" >>"$work/$1.out" 2>&1 &
    pid=$!
    pids+=("$pid")
    target=127.0.0.1:$port
    until grep -q ready "$work/$1.out"; do kill -0 "$pid" 2>/dev/null || return 1; read -r -t 0.02 <> <(:); done
}

"$here/setup" >"$work/setup" 2>&1 || {
    if [ "${KAFKA_REQUIRED:-}" = 1 ]; then echo "not ok 1 - $(tail -n 1 "$work/setup")"; exit 1; fi
    echo "1..0 # SKIP $(tail -n 1 "$work/setup")"
    exit 0
}
"$here/broker" start "$work/broker" --secure >"$work/output" 2>&1; check "a Kafka with secure listeners starts" $?
# shellcheck source=/dev/null
. "$work/broker/secure.env"

# --- a few topics, and what is seen of them over a plain connection ---------------------------------

fill() {
    local plain=$PLAINTEXT_BOOTSTRAP codec
    "$kdl" topic create orders -b "$plain" -p 3 && "$kdl" topic create notes -b "$plain" -p 1 -c retention.ms=-1 &&
        "$kdl" topic create accounts -b "$plain" -p 2 -c cleanup.policy=compact && "$kdl" topic create empty -b "$plain" -p 1 || return 1
    for codec in none gzip snappy lz4 zstd; do seq -f "$codec order %.0f" 2000 | kcat -b "$plain" -P -t orders -z $codec || return 1; done
    # More of one partition than a reply holds: it ends in the middle of a batch.
    head -c 9000000 /dev/urandom | base64 -w 1000 | kcat -b "$plain" -P -t notes || return 1
    seq 500 | awk '{ print $1 % 50 "=" $1 }' | kcat -b "$plain" -P -t accounts -K=
}
fill >"$work/output" 2>&1; check "four topics are made and filled" $?

# What differs between two audits of the same cluster.
timeless() { grep -vE '"(time|took_ms|requests|usable_bytes)":'; }
see() { # FILE FLAG...: metadata and audit
    local file=$1
    shift
    "$kdl" topic list "$@" >"$work/$file.list" && "$kdl" topic describe orders -o json "$@" >"$work/$file.orders" &&
        "$kdl" audit -o json "$@" >"$work/$file.audit" && timeless <"$work/$file.audit" >"$work/$file.facts"
}
see plain -b "$PLAINTEXT_BOOTSTRAP" >"$work/output" 2>&1; check "a plain connection sees them" $?
grep -qE '"sampled_bytes": [0-9]{8}' "$work/plain.facts" && [ "$(grep -c partitions "$work/plain.list")" -eq 4 ]; check "all of them, and what they hold" $?

# --- the ways in: topic, audit, mirror, verify ------------------------------------------------------

same_as_plain() { # FILE
    local part
    for part in list orders facts; do diff "$work/plain.$part" "$work/$1.$part" || return 1; done
}
way_into() { # WHAT NAME ONE PAIR: arrays of the flags of commands with one cluster, and of those with two (for the source)
    local what=$1 name=$2
    local -n one=$3 pair=$4
    see "$name" "${one[@]}" >"$work/output" 2>&1; check "$what: topic and audit run" $?
    same_as_plain "$name" >"$work/output" 2>&1; check "$what: and see what a plain connection sees" $?
    start_refbroker "ref-$name"
    timeout 60 "$kdl" mirror run "${pair[@]}" --to "$target" --topics '*' --until caught-up >"$work/output" 2>&1 &&
        grep -q '^caught up: 4 topics, 7 partitions' "$work/output"; check "$what: mirror copies all" $?
    timeout 60 "$kdl" verify "${pair[@]}" --to "$target" --topics '*' >"$work/output" 2>&1 &&
        grep -q '^4 topics, 7 partitions, 2[0-9]* records, .* 7 equal, 0 different, 0 unknown' "$work/output"; check "$what: verify finds both sides equal" $?
    (unset "${!KDL_@}" && timeout 60 "$kdl" verify --from "$PLAINTEXT_BOOTSTRAP" --to "$target" --topics '*') >"$work/output" 2>&1; check "$what: so it does over a plain connection" $?
}

ca=(security.protocol=SSL "ssl.ca.location=$CA_FILE")
flags() { # ARRAY FLAG WORD...: FLAG before each word
    local -n into=$1
    local flag=$2 word
    shift 2
    for word in "$@"; do into+=("$flag" "$word"); done
}

tls_one=(-b "$SSL_BOOTSTRAP") tls_pair=(--from "$SSL_BOOTSTRAP")
flags tls_one -X "${ca[@]}"
flags tls_pair --from-property "${ca[@]}"
way_into "TLS by flags" tls tls_one tls_pair

cat >"$work/mutual.conf" <<CONF
metadata.broker.list=$MTLS_BOOTSTRAP
security.protocol=ssl
ssl.ca.location=$CA_FILE
ssl.certificate.location=$CLIENT_CERT
ssl.key.location=$CLIENT_KEY
CONF
mutual_one=(-F "$work/mutual.conf") mutual_pair=(--from-config "$work/mutual.conf")
way_into "mutual TLS by a configuration of librdkafka" mutual mutual_one mutual_pair

cat >"$work/plain.properties" <<CONF
bootstrap.servers=$SASL_SSL_BOOTSTRAP
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    username="$PLAIN_USER" \\
    password="$PLAIN_PASSWORD";
ssl.truststore.type=PEM
ssl.truststore.location=$CA_FILE
key.deserializer=org.apache.kafka.common.serialization.StringDeserializer
CONF
plain_one=(-F "$work/plain.properties") plain_pair=(--from-config "$work/plain.properties")
way_into "SASL_SSL with PLAIN by a Java client's properties" sasl-plain plain_one plain_pair

by_environment() {
    local prefix
    for prefix in KDL_ KDL_FROM_; do
        export "${prefix}BOOTSTRAP=$SASL_SSL_BOOTSTRAP" "${prefix}USER=$SCRAM_USER" "${prefix}PASSWORD=$SCRAM_PASSWORD" \
            "${prefix}X_SECURITY_PROTOCOL=SASL_SSL" "${prefix}X_SASL_MECHANISM=SCRAM-SHA-256" "${prefix}X_SSL_CA_LOCATION=$CA_FILE"
    done
}
# shellcheck disable=SC2034 # named in the call
environment_one=() environment_pair=()
by_environment
way_into "SASL_SSL with SCRAM-SHA-256 by the environment" scram-256 environment_one environment_pair
unset "${!KDL_@}"

# A file without the secret, and that in the environment, as jobs have it.
cat >"$work/secretless.properties" <<CONF
bootstrap.servers=$SASL_SSL_BOOTSTRAP
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
ssl.truststore.type=PEM
ssl.truststore.location=$CA_FILE
CONF
mixed_one=(-F "$work/secretless.properties" -X "sasl.username=$SCRAM_USER") mixed_pair=(--from-config "$work/secretless.properties" --from-property "sasl.username=$SCRAM_USER")
export KDL_PASSWORD=$SCRAM_PASSWORD KDL_FROM_PASSWORD=$SCRAM_PASSWORD
way_into "SASL_SSL with SCRAM-SHA-512 by file, flag and environment" scram-512 mixed_one mixed_pair
unset "${!KDL_@}"

# Both sides at once, each with its own; and a difference is seen through all of it.
KDL_TO_PASSWORD=$SCRAM_PASSWORD timeout 60 "$kdl" verify "${mutual_pair[@]}" --to-config "$work/secretless.properties" --to-property "sasl.username=$SCRAM_USER" --topics '*' >"$work/output" 2>&1 &&
    grep -q '7 equal, 0 different, 0 unknown' "$work/output"; check "verify with mutual TLS on one side and SCRAM on the other" $?
echo 'one more' | kcat -b "$PLAINTEXT_BOOTSTRAP" -P -t notes
timeout 60 "$kdl" verify "${tls_pair[@]}" --to "$target" --topics '*' >"$work/output" 2>&1
[ $? -eq 6 ] && grep -q 'different *notes-0' "$work/output"; check "verify over TLS finds the one record that the target lacks" $?
timeout 60 "$kdl" mirror run "${plain_pair[@]}" --to "$target" --topics '*' --until caught-up >"$work/output" 2>&1 &&
    timeout 60 "$kdl" verify "${tls_pair[@]}" --to "$target" --topics '*' >"$work/output" 2>&1; check "a mirror goes on with another login where the one before ended" $?

# --- mistakes: one line, nothing on stdout, exit 3 (2: nothing was asked yet) ------------------------

# Runs a command; the line on stderr must match PATTERN, in which @ is the command's flag and % what its variables begin with.
told() { # EXIT PATTERN FLAG VARIABLES COMMAND...
    local code=$1 pattern=${2//@/$3} got
    pattern=${pattern//%/$4}
    shift 4
    timeout 30 "$@" >"$work/out" 2>"$work/err"
    got=$?
    { echo "exit $got, wanted $code; wanted: $pattern"; cat "$work/err" "$work/out"; } >"$work/output"
    [ $got -eq "$code" ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] && grep -qE -- "$pattern" "$work/err" &&
        ! grep -qE 'plain-secret|scram-secret|wrong-secret' "$work/err"
}
mistake() { # EXIT PATTERN WHAT BOOTSTRAP NAME=VALUE...
    local code=$1 pattern=$2 what=$3 address=$4 one=() from=() to=() good=(--to "$target" --topics orders) whole=(--until caught-up) failed=''
    shift 4
    flags one -X "$@"
    flags from --from-property "$@"
    flags to --to-property "$@"
    one+=(-b "$address") from+=(--from "$address") to+=(--from "$PLAINTEXT_BOOTSTRAP" --to "$address" --topics orders)
    told "$code" "^kdl: $pattern" -X KDL_ "$kdl" topic list "${one[@]}"; check "$what: topic list" $?
    told "$code" "^kdl: $pattern" -X KDL_ "$kdl" topic describe orders "${one[@]}"; check "$what: topic describe" $?
    told "$code" "^kdl: $pattern" -X KDL_ "$kdl" audit -o json "${one[@]}"; check "$what: audit" $?
    told "$code" "^kdl: (source: )?$pattern" --from-property KDL_FROM_ "$kdl" mirror run "${from[@]}" "${good[@]}" "${whole[@]}"; check "$what: source of mirror run" $?
    told "$code" "^kdl: (target: )?$pattern" --to-property KDL_TO_ "$kdl" mirror run "${to[@]}" "${whole[@]}"; check "$what: target of mirror run" $?
    told "$code" "^kdl: (source: )?$pattern" --from-property KDL_FROM_ "$kdl" verify "${from[@]}" "${good[@]}"; check "$what: source of verify" $?
    told "$code" "^kdl: (target: )?$pattern" --to-property KDL_TO_ "$kdl" verify "${to[@]}"; check "$what: target of verify" $?
}
login=(security.protocol=SASL_SSL "ssl.ca.location=$CA_FILE")

mistakes() {
    local at='127\.0\.0\.1:[0-9]+' mechanism
    mistake 3 "$at: its certificate is not trusted by CA $OTHER_CA_FILE .*: @ ssl.ca.location=FILE" "wrong CA" "$SSL_BOOTSTRAP" security.protocol=SSL "ssl.ca.location=$OTHER_CA_FILE"
    mistake 3 "$at: its certificate is not trusted by the system's CAs .*: @ ssl.ca.location=FILE" "no CA" "$SSL_BOOTSTRAP" security.protocol=SSL
    mistake 3 "$at: its certificate is for elsewhere.example, not for 127.0.0.1.*: @ ssl.endpoint.identification.algorithm=none" "wrong host name" "$WRONG_HOST_BOOTSTRAP" "${ca[@]}"
    for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
        mistake 3 "$at refuses user $SCRAM_USER \($mechanism\): wrong user or password. Check @ sasl.username=USER and %PASSWORD" "wrong password with $mechanism" \
            "$SASL_SSL_BOOTSTRAP" "${login[@]}" sasl.mechanism=$mechanism "sasl.username=$SCRAM_USER" sasl.password=wrong-secret
    done
    mistake 3 "$at refuses user nobody \(SCRAM-SHA-512\): wrong user or password. Check @ sasl.username=USER" "unknown user" \
        "$SASL_SSL_BOOTSTRAP" "${login[@]}" sasl.mechanism=SCRAM-SHA-512 sasl.username=nobody "sasl.password=$SCRAM_PASSWORD"
    mistake 3 "$at: a client certificate is required.*: @ ssl.certificate.location=FILE @ ssl.key.location=FILE" "no client certificate" "$MTLS_BOOTSTRAP" "${ca[@]}"
    mistake 3 "$at: .*refuses our certificate.*: @ ssl.certificate.location=FILE" "a client certificate of another CA" \
        "$MTLS_BOOTSTRAP" "${ca[@]}" "ssl.certificate.location=$OTHER_CLIENT_CERT" "ssl.key.location=$OTHER_CLIENT_KEY"
    mistake 3 "$at speaks TLS, and this connection is plain. Add @ security.protocol=SSL \(and a CA: @ ssl.ca.location=FILE\)" "plain to a TLS port" "$SSL_BOOTSTRAP"
    mistake 3 "$at: .*It seems to speak no TLS: try @ security.protocol=PLAINTEXT" "TLS to a plain port" "$PLAINTEXT_BOOTSTRAP" "${ca[@]}"
    mistake 3 "$at: .*It seems to want a login: try @ security.protocol=SASL_SSL @ sasl.mechanism=.*password in %PASSWORD" "no login to a port with SASL" "$SASL_SSL_BOOTSTRAP" "${ca[@]}"
    mistake 3 "$at wants no login: use @ security.protocol=SSL" "a login to a port without SASL" \
        "$SSL_BOOTSTRAP" "${login[@]}" sasl.mechanism=PLAIN "sasl.username=$PLAIN_USER" "sasl.password=$PLAIN_PASSWORD"
    mistake 2 "user $PLAIN_USER has no password: set %PASSWORD, or sasl.password in a file" "no password" "$SASL_SSL_BOOTSTRAP" "${login[@]}" sasl.mechanism=PLAIN "sasl.username=$PLAIN_USER"
    keytool -importcert -noprompt -alias ca -file "$CA_FILE" -keystore "$work/trust.jks" -storetype JKS -storepass changeit >/dev/null 2>&1
    mistake 2 "ssl.truststore.location is a Java key store \(JKS\).*keytool -list -rfc -keystore $work/trust.jks > ca.pem +and use @ ssl.ca.location=ca.pem" "a JKS trust store" \
        "$SSL_BOOTSTRAP" security.protocol=SSL "ssl.truststore.location=$work/trust.jks" ssl.truststore.password=changeit
    openssl pkcs12 -export -in "$CLIENT_CERT" -inkey "$CLIENT_KEY" -name me -out "$work/key.p12" -passout pass:changeit
    mistake 2 "ssl.keystore.location is a Java key store \(PKCS#12\).*openssl pkcs12 -nodes -in $work/key.p12 -out client.pem +and use @ ssl.keystore.location=client.pem" "a PKCS#12 key store" \
        "$MTLS_BOOTSTRAP" "${ca[@]}" "ssl.keystore.location=$work/key.p12"
    mistake 2 "@: no Kafka client knows the property securty.protocol. Did you mean security.protocol\?" "a misspelt property" "$SSL_BOOTSTRAP" securty.protocol=SSL
}
mistakes

told 2 '^kdl: no server is given \(--from HOST:PORT' x x "$kdl" verify --to "$target" --topics orders; check "no source: the flag is named" $?
told 2 '^kdl: no server is given \(--to HOST:PORT' x x "$kdl" mirror run "${tls_pair[@]}" --topics orders; check "no target: the flag is named" $?
told 2 '^kdl: no server is given \(-b HOST:PORT' x x "$kdl" audit; check "no server: the flag is named" $?
told 2 "^kdl: cannot read $work/nowhere.properties: No such file" x x "$kdl" verify --from-config "$work/nowhere.properties" --to "$target" --topics orders; check "a missing file is named" $?
KDL_FROM_X_SECURTY_PROTOCOL=SSL told 2 '^kdl: KDL_FROM_X_SECURTY_PROTOCOL: no Kafka client knows the property' x x "$kdl" verify "${tls_pair[@]}" --to "$target" --topics orders; check "a misspelt variable is named" $?
echo "1..$tests"
