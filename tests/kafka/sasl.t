#!/usr/bin/env bash
# sasl.t: logins to refbroker by SASL over plain TCP, beside the same on Apache Kafka: raw requests, answer by answer; Java's clients, kcat and kdl with right and wrong passwords of PLAIN,
# SCRAM-SHA-256 and SCRAM-SHA-512; whom quotas see; what is told of settings that are secret. Speaks TAP.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=pair.sh
. "$here/pair.sh"
kdl=$BUILD/bin/kdl
modules=org.apache.kafka.common.security

pair_setup
cat >"$work/logins" <<X
listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.plaintext.plain.sasl.jaas.config=$modules.plain.PlainLoginModule required user_admin="admin-secret";
listener.name.plaintext.scram-sha-256.sasl.jaas.config=$modules.scram.ScramLoginModule required;
listener.name.plaintext.scram-sha-512.sasl.jaas.config=$modules.scram.ScramLoginModule required;
super.users=User:admin
X
# Among themselves Kafka's brokers do not log in.
kafka_flags=(--listener INTERNAL=PLAINTEXT --prop inter.broker.listener.name=INTERNAL)
pair_start "@$work/logins"

tool kdl.admin.LoginScript "$theirs" admin-secret >"$work/kafka.logins" & asking=$!
tool kdl.admin.LoginScript "$ours" admin-secret >"$work/ours.logins"
wait "$asking"
is "raw requests and Java's clients: the same answers and the same words" "$(cat "$work/ours.logins")" "$(cat "$work/kafka.logins")"
is "those that should log in do, and others not" "$(sed -n '/^== clients/,$p' "$work/ours.logins" | grep -oE '1 broker|SaslAuthenticationException|true|false' | sort | uniq -c | xargs)" \
    "6 1 broker 8 SaslAuthenticationException 1 false 1 true"

# A login by each: what is said, and how it ends.
login() { printf '%s\n' security.protocol=SASL_PLAINTEXT "sasl.mechanism=$1" "sasl.username=$2" "sasl.password=$3"; }
with_kcat() { # ADDRESS MECHANISM USER PASSWORD
    local flags=() word
    while read -r word; do flags+=(-X "$word"); done < <(login "${@:2}")
    timeout 10 kcat -L -m 2 -b "$1" "${flags[@]}" 2>&1
    echo "exit $?"
}
with_kdl() { # ADDRESS MECHANISM USER PASSWORD
    local flags=() word
    while read -r word; do flags+=(-X "$word"); done < <(login "${@:2}" | grep -v password)
    KDL_PASSWORD=$4 timeout 10 "$kdl" topic list -b "$1" "${flags[@]}" 2>&1
    echo "exit $?"
}
# Of kcat's words about a refusal those of the broker count, of all others what is the same for both.
plain_words() {
    sed -E 's/.*(SASL authentication error: [A-Za-z :-]*).*/\1/; s/127\.0\.0\.1:[0-9]+/BROKER/g; s/\(after [0-9]+ms/(after/' | grep -vE '__|^ [0-9]+ topics|^    partition' | LC_ALL=C sort -u
}
# librdkafka sends a wrong nonce before 2.6.1 (its pull request 4895), which Kafka refuses since 4.0.
while read -r ends how mechanism user password; do
    "with_$how" "$theirs" "$mechanism" "$user" "$password" </dev/null | plain_words >"$work/theirs" & asking=$!
    "with_$how" "$ours" "$mechanism" "$user" "$password" </dev/null | plain_words >"$work/ours"
    wait "$asking"
    is "$how: $mechanism, $user, $password" "$(cat "$work/ours")" "$(cat "$work/theirs")"
    is "$how: $mechanism, $user, $password: $ends" "$(grep -q '^exit 0' "$work/ours" && echo in || echo out)" "$ends"
done <<X
in kcat PLAIN admin admin-secret
out kcat PLAIN admin wrong-secret
out kcat SCRAM-SHA-256 anna second
in kdl PLAIN admin admin-secret
in kdl SCRAM-SHA-256 anna second
in kdl SCRAM-SHA-512 anna second
out kdl PLAIN admin wrong-secret
out kdl SCRAM-SHA-256 anna wrong-secret
out kdl SCRAM-SHA-512 nobody second
X

# Nobody waits for the bytes of a frame that is too large before a login.
ends() { # ADDRESS
    exec 3<>"/dev/tcp/${1%:*}/${1##*:}"
    printf '\x00\x09\x27\xc0' >&3
    timeout 10 cat <&3 >/dev/null 2>&1
    [ $? -ne 124 ] && echo closed
    exec 3<&- 3>&-
}
is "a frame of 600,000 bytes before a login: refbroker" "$(ends "$ours")" closed
is "a frame of 600,000 bytes before a login: Kafka" "$(ends "$theirs")" closed

cat >"$work/admin.properties" <<X
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=$modules.plain.PlainLoginModule required username="admin" password="admin-secret";
X
told() { # ADDRESS
    tool kafka.admin.ConfigCommand --bootstrap-server "$1" --command-config "$work/admin.properties" --describe --broker 1 --all | grep -E '^ *(listener\.|sasl\.(jaas|enabled)|super)' | tidy
}
told "$theirs" >"$work/theirs" & asking=$!
told "$ours" >"$work/ours"
wait "$asking"
is "settings are told as by Kafka, without what is secret" "$(cat "$work/ours")" "$(cat "$work/theirs")"
is "some are" "$(grep -c 'sensitive=true' "$work/ours")" 5
is "no password stands in what refbroker prints" "$(grep -c secret "$work/refbroker")" 0
echo "1..$tests"
