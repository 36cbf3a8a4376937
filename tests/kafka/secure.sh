# shellcheck shell=bash disable=SC2034 # its variables are used by those who source it
# Sourced by broker: what "--secure" adds. Secrets here are those of a throw-away broker on loopback.

secure_names=(SSL MTLS SASL_SSL SASL_PLAINTEXT WRONG_HOST)
secure_protocols=(SSL SSL SASL_SSL SASL_PLAINTEXT SSL)
plain_user=plain-user plain_password=plain-secret
scram_user=scram-user scram_password=scram-secret
scram_iterations=4096
secure_format_options=(
    --add-scram "SCRAM-SHA-256=[name=$scram_user,password=$scram_password,iterations=$scram_iterations]"
    --add-scram "SCRAM-SHA-512=[name=$scram_user,password=$scram_password,iterations=$scram_iterations]"
)

secure_properties() { # CERTS: the server's side
    local listener module=org.apache.kafka.common.security
    cat <<END
ssl.keystore.type=PEM
ssl.keystore.location=$1/server.keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=$1/ca.pem
listener.name.mtls.ssl.client.auth=required
listener.name.wrong_host.ssl.keystore.location=$1/wrong-host.keystore.pem
END
    for listener in sasl_ssl sasl_plaintext; do
        cat <<END
listener.name.$listener.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.$listener.plain.sasl.jaas.config=$module.plain.PlainLoginModule required user_$plain_user="$plain_password";
listener.name.$listener.scram-sha-256.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.$listener.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;
END
    done
}

secure_env() { # DIR: the client's side, as shell variables
    local name address
    while IFS='=' read -r name address; do
        echo "${name}_BOOTSTRAP=$address"
    done <"$1/listeners"
    cat <<END
CA_FILE=$1/certs/ca.pem
OTHER_CA_FILE=$1/certs/other-ca.pem
CLIENT_CERT=$1/certs/client.pem
CLIENT_KEY=$1/certs/client.key
CLIENT_KEYSTORE=$1/certs/client.keystore.pem
OTHER_CLIENT_CERT=$1/certs/other-client.pem
OTHER_CLIENT_KEY=$1/certs/other-client.key
PLAIN_USER=$plain_user
PLAIN_PASSWORD=$plain_password
SCRAM_USER=$scram_user
SCRAM_PASSWORD=$scram_password
SCRAM_ITERATIONS=$scram_iterations
END
}
