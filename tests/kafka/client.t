#!/usr/bin/env bash
# client.t: lib/kafka against real Apache Kafka: every way to connect and log in, every common mistake, files of Java clients and of librdkafka.
# Speaks TAP. Without a JDK or Maven everything is skipped, or fails where KAFKA_REQUIRED=1.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

work=$(mktemp -d)
trap '"$here/broker" stop "$work/broker" >/dev/null 2>&1 || true; "$here/broker" stop "$work/three" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
probe=$BUILD/tests/kafka/client_probe
tests=0
unset KDL_PASSWORD KDL_BOOTSTRAP

report() { # RESULT WHAT
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then echo "ok $tests - $2"; else
        echo "not ok $tests - $2"
        sed 's/^/# /' "$work/out" "$work/err"
    fi
}

connects() { # WHAT ARGUMENT...
    local what=$1 result=0
    shift
    "$probe" "$@" >"$work/out" 2>"$work/err" || result=1
    grep -q '^ok brokers=1 ' "$work/out" || result=1
    report $result "$what"
}

refused() { # EXIT PATTERN WHAT ARGUMENT...: one line on stderr, which the pattern describes
    local code=$1 pattern=$2 what=$3 result=0 got=0
    shift 3
    "$probe" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ $got -eq "$code" ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] || result=1
    grep -qE "$pattern" "$work/err" || result=1
    if grep -qE 'plain-secret|scram-secret|wrong-secret' "$work/err"; then result=1; fi
    report $result "$what"
}

result=0
"$here/setup" 2>"$work/output" || result=$?
if [ $result -eq 77 ] && [ "${KAFKA_REQUIRED:-0}" != 1 ]; then
    echo "1..0 # SKIP $(cat "$work/output")"
    exit 0
fi
: >"$work/out" && cp "$work/output" "$work/err"
report $result "Apache Kafka is set up"
[ $result -eq 0 ] || exit 1
"$here/broker" start "$work/broker" --secure --prop listener.name.sasl_plaintext.connections.max.reauth.ms=2000 >"$work/out" 2>"$work/err" || result=$?
report $result "a broker with secure listeners runs"
[ $result -eq 0 ] || exit 1
. "$work/broker/secure.env"

protocol='-X security.protocol'
ca="-X ssl.ca.location=$CA_FILE"
certificate="-X ssl.certificate.location=$CLIENT_CERT -X ssl.key.location=$CLIENT_KEY"
login() { echo "-X sasl.mechanism=$1 -X sasl.username=$2"; }

# --- the ways in ---------------------------------------------------------------------------------
# Words of the options above are arguments of their own.
# shellcheck disable=SC2086
ways() {
    connects "PLAINTEXT" -b "$PLAINTEXT_BOOTSTRAP"
    connects "PLAINTEXT by host name" -b "localhost:${PLAINTEXT_BOOTSTRAP#*:}"
    connects "the second server of a list" -b "127.0.0.1:1,$PLAINTEXT_BOOTSTRAP"
    connects "TLS" -b "$SSL_BOOTSTRAP" $protocol=SSL $ca
    connects "mutual TLS" -b "$MTLS_BOOTSTRAP" $protocol=SSL $ca $certificate
    connects "another host's certificate without the check" -b "$WRONG_HOST_BOOTSTRAP" $protocol=SSL $ca -X ssl.endpoint.identification.algorithm=
    KDL_PASSWORD=$PLAIN_PASSWORD connects "SASL_PLAINTEXT with PLAIN" -b "$SASL_PLAINTEXT_BOOTSTRAP" $protocol=SASL_PLAINTEXT $(login PLAIN "$PLAIN_USER")
    KDL_PASSWORD=$PLAIN_PASSWORD connects "SASL_SSL with PLAIN" -b "$SASL_SSL_BOOTSTRAP" $protocol=SASL_SSL $ca $(login PLAIN "$PLAIN_USER")
    for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
        KDL_PASSWORD=$SCRAM_PASSWORD connects "SASL_SSL with $mechanism" -b "$SASL_SSL_BOOTSTRAP" $protocol=SASL_SSL $ca $(login $mechanism "$SCRAM_USER")
    done
    # The broker closes a connection whose login is older than two seconds.
    KDL_PASSWORD=$SCRAM_PASSWORD connects "a login is renewed on its connection" -n 6 -p 800 -b "$SASL_PLAINTEXT_BOOTSTRAP" $protocol=SASL_PLAINTEXT $(login SCRAM-SHA-512 "$SCRAM_USER")
    report "$([ "$(grep -c ' connections=1$' "$work/out")" -eq 6 ]; echo $?)" "and no other was opened"
}
ways

# --- files that users have -----------------------------------------------------------------------

one_line_pem() { tr -d '\n' <"$1"; }
cat >"$work/java.properties" <<END
bootstrap.servers=$SASL_SSL_BOOTSTRAP
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
    username="$SCRAM_USER" \\
    password="$SCRAM_PASSWORD";
ssl.truststore.type=PEM
ssl.truststore.location=$CA_FILE
key.serializer=org.apache.kafka.common.serialization.StringSerializer
END
connects "a Java client's properties file" -F "$work/java.properties"
cat >"$work/inline.properties" <<END
bootstrap.servers=$MTLS_BOOTSTRAP
security.protocol=SSL
ssl.truststore.type=PEM
ssl.truststore.certificates=$(one_line_pem "$CA_FILE")
ssl.keystore.type=PEM
ssl.keystore.certificate.chain=$(one_line_pem "$CLIENT_CERT")
ssl.keystore.key=$(one_line_pem "$CLIENT_KEY")
END
connects "certificates and key inside of a properties file" -F "$work/inline.properties"
cat >"$work/librdkafka.conf" <<END
metadata.broker.list=$SASL_SSL_BOOTSTRAP
security.protocol=sasl_ssl
sasl.mechanisms=PLAIN
sasl.username=$PLAIN_USER
sasl.password=$PLAIN_PASSWORD
ssl.ca.location=$CA_FILE
debug=broker
END
connects "a configuration of librdkafka" -F "$work/librdkafka.conf"
openssl pkcs8 -topk8 -in "$CLIENT_KEY" -out "$work/locked.key" -passout pass:open-sesame 2>/dev/null
# shellcheck disable=SC2086
KDL_KEY_PASSWORD=open-sesame connects "a key with a password" -b "$MTLS_BOOTSTRAP" $protocol=SSL $ca -X ssl.certificate.location="$CLIENT_CERT" -X ssl.key.location="$work/locked.key"

# --- Java key stores: refused with a command that works -------------------------------------------

stores() {
    local store=$work/trust.jks
    keytool -importcert -noprompt -alias ca -file "$CA_FILE" -keystore "$store" -storetype JKS -storepass changeit >/dev/null 2>&1
    refused 2 "Java key store \(JKS\).*keytool -list -rfc -keystore $store > ca.pem" "a JKS trust store gets the command that converts it" \
        -b "$SSL_BOOTSTRAP" -X security.protocol=SSL -X ssl.truststore.location="$store" -X ssl.truststore.password=changeit
    (cd "$work" && keytool -list -rfc -keystore "$store" -storepass changeit >ca.pem 2>/dev/null)
    connects "and what it converts can be used" -b "$SSL_BOOTSTRAP" -X security.protocol=SSL -X ssl.ca.location="$work/ca.pem"
    openssl pkcs12 -export -in "$CLIENT_CERT" -inkey "$CLIENT_KEY" -name me -out "$work/key.p12" -passout pass:changeit
    refused 2 "Java key store \(PKCS#12\).*openssl pkcs12 -nodes -in $work/key.p12 -out client.pem" "so does a PKCS#12 key store" \
        -b "$MTLS_BOOTSTRAP" -X security.protocol=SSL -X ssl.ca.location="$CA_FILE" -X ssl.keystore.location="$work/key.p12"
    openssl pkcs12 -nodes -in "$work/key.p12" -out "$work/client.pem" -passin pass:changeit 2>/dev/null
    connects "and that works, too" -b "$MTLS_BOOTSTRAP" -X security.protocol=SSL -X ssl.ca.location="$CA_FILE" -X ssl.keystore.location="$work/client.pem"
}
stores

# --- mistakes: one line, exit 3 (or 2 where nothing was asked yet) --------------------------------

# shellcheck disable=SC2086
mistakes() {
    refused 3 "not trusted by CA $OTHER_CA_FILE .*-X ssl.ca.location=FILE" "a wrong CA" -b "$SSL_BOOTSTRAP" $protocol=SSL -X ssl.ca.location="$OTHER_CA_FILE"
    refused 3 "not trusted by the system's CAs" "no CA at all" -b "$SSL_BOOTSTRAP" $protocol=SSL
    refused 3 "certificate is for elsewhere.example, not for 127.0.0.1" "a wrong host name" -b "$WRONG_HOST_BOOTSTRAP" $protocol=SSL $ca
    refused 3 "client certificate is required.*ssl.certificate.location" "a missing client certificate" -b "$MTLS_BOOTSTRAP" $protocol=SSL $ca
    refused 3 "refuses our certificate" "a client certificate of another CA" -b "$MTLS_BOOTSTRAP" $protocol=SSL $ca -X ssl.certificate.location="$OTHER_CLIENT_CERT" -X ssl.key.location="$OTHER_CLIENT_KEY"
    for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
        KDL_PASSWORD=wrong-secret refused 3 "refuses user $SCRAM_USER \($mechanism\): wrong user or password" "a wrong password with $mechanism" \
            -b "$SASL_SSL_BOOTSTRAP" $protocol=SASL_SSL $ca $(login $mechanism "$SCRAM_USER")
    done
    KDL_PASSWORD=$SCRAM_PASSWORD refused 3 "refuses user nobody" "an unknown user" -b "$SASL_SSL_BOOTSTRAP" $protocol=SASL_SSL $ca $(login SCRAM-SHA-256 nobody)
    refused 3 "speaks TLS, and this connection is plain. Add -X security.protocol=SSL " "plain to a TLS listener" -b "$SSL_BOOTSTRAP"
    refused 3 "seems to speak no TLS: try -X security.protocol=PLAINTEXT" "TLS to a plain listener" -b "$PLAINTEXT_BOOTSTRAP" $protocol=SSL $ca
    refused 3 "seems to want a login: try -X security.protocol=SASL_PLAINTEXT" "no login to a listener with SASL" -b "$SASL_PLAINTEXT_BOOTSTRAP"
    KDL_PASSWORD=x refused 3 "wants no login: use -X security.protocol=PLAINTEXT" "a login to a listener without SASL" -b "$PLAINTEXT_BOOTSTRAP" $protocol=SASL_PLAINTEXT $(login PLAIN me)
    refused 3 "127.0.0.1:1: cannot connect: Connection refused; nothing listens there" "nobody there" -b 127.0.0.1:1
    refused 3 "host no-such-host.invalid is unknown" "an unknown host" -b no-such-host.invalid:9092
    refused 2 "no Kafka client knows the property securty.protocol. Did you mean security.protocol\?" "a misspelt property" -b "$PLAINTEXT_BOOTSTRAP" -X securty.protocol=SSL
    refused 2 "cannot read /nowhere/x.properties: No such file" "a missing file" -F /nowhere/x.properties
}
mistakes
# --- three brokers: one goes away, its partitions are led elsewhere --------------------------------

failover() {
    local probe_pid line pid
    "$here/broker" start "$work/three" --brokers 3 >"$work/out" 2>"$work/err"
    report $? "three brokers run"
    "$here/run" org.apache.kafka.tools.TopicCommand --bootstrap-server "$(cat "$work/three/bootstrap")" \
        --create --topic many --partitions 60 --replication-factor 3 >"$work/out" 2>"$work/err"
    report $? "a topic of 60 partitions is made"
    mkfifo "$work/ask" "$work/answer"
    "$probe" -i -n 100 -b "$(cat "$work/three/bootstrap")" <"$work/ask" >"$work/answer" 2>"$work/err" &
    probe_pid=$!
    exec 5>"$work/ask" 4<"$work/answer"
    # The brokers learn of the topic, and of their part in it, one after another.
    while read -r line <&4 && [ "$line" != "offsets ok=60 failed=0 retries=0" ]; do echo >&5; done
    echo "$line" >"$work/out"
    report "$([ "$line" = "offsets ok=60 failed=0 retries=0" ]; echo $?)" "all leaders answer"
    # Told to stop, a broker hands its partitions over before it goes.
    pid=$(sed -n 2p "$work/three/pids")
    kill -TERM "$pid"
    tail --pid="$pid" -f /dev/null
    echo >&5
    read -r line <&4 || true
    echo "$line" >"$work/out"
    report "$([[ "$line" =~ ^offsets\ ok=60\ failed=0\ retries=[1-9] ]]; echo $?)" "and the new ones, after one of the brokers has gone"
    exec 5>&- 4<&-
    wait "$probe_pid" || true
}
failover
echo "1..$tests"
