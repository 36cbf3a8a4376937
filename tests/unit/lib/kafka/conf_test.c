/* Files as users have them, in a folder of the test; every rule by the line that it prints. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/kafka/conf.h"

#define PEM "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n"

static struct conf *conf;
static const struct conf_client *client;
static struct err e;
static char path[] = "/tmp/conf_test_XXXXXX";
static char store[] = "/tmp/conf_store_XXXXXX";

static int
make_files(void **state)
{
    int a = mkstemp(path), b = mkstemp(store);

    (void)state;
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    return a >= 0 && b >= 0 ? 0 : -1;
}

static int
remove_files(void **state)
{
    (void)state;
    return unlink(path) + unlink(store);
}

static int
start(void **state)
{
    (void)state;
    conf = conf_new();
    err_clear(&e);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    conf_free(conf);
    return 0;
}

static void
restart(void)
{
    conf_free(conf);
    conf = conf_new();
}

static void
write_file(const char *to, const void *data, size_t size)
{
    FILE *file = fopen(to, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static enum rc
load(const char *text)
{
    write_file(path, text, strlen(text));
    return conf_load_file(conf, path, &e);
}

static void
set(const char *pair)
{
    enum rc rc = conf_set(conf, pair, &e);

    if (rc != RC_OK)
        print_message("%s\n", e.text);
    assert_int_equal(rc, RC_OK);
}

static void
finish(void)
{
    enum rc rc = conf_finish(conf, &client, &e);

    if (rc != RC_OK)
        print_message("%s\n", e.text);
    assert_int_equal(rc, RC_OK);
}

static const char *
refusal(void)
{
    assert_int_equal(conf_finish(conf, &client, &e), RC_CONFIG);
    return e.text;
}

static void
a_file_of_a_java_client_is_understood(void **state)
{
    (void)state;
    assert_int_equal(load("bootstrap.servers=a:9093,b:9093\n"
                          "security.protocol=SASL_SSL\n"
                          "sasl.mechanism=SCRAM-SHA-512\n"
                          "sasl.jaas.config=org.apache.kafka.common.security.scram."
                          "ScramLoginModule required \\\n"
                          "    username=\"anna\" \\\n    password=\"s3cret\";\n"
                          "ssl.truststore.type=PEM\nssl.truststore.location=/etc/ca.pem\n"
                          "ssl.keystore.type=PEM\nssl.keystore.location=/etc/client.pem\n"
                          "ssl.key.password=k3y\nacks=all\nkey.serializer=x.Y\n"
                          "request.timeout.ms=5000\nclient.id=audit\n"),
        RC_OK);
    finish();
    assert_int_equal(client->server_count, 2);
    assert_string_equal(client->servers[1].host, "b");
    assert_true(client->with_tls && client->with_sasl);
    assert_string_equal(client->mechanism, "SCRAM-SHA-512");
    assert_string_equal(client->user, "anna");
    assert_string_equal(client->password, "s3cret");
    assert_string_equal(client->tls.ca_file, "/etc/ca.pem");
    assert_string_equal(client->tls.certificate_file, "/etc/client.pem");
    assert_string_equal(client->tls.key_file, "/etc/client.pem");
    assert_string_equal(client->tls.key_password, "k3y");
    assert_false(client->tls.skip_host || client->tls.skip_peer);
    assert_int_equal(client->request_timeout_ms, 5000);
    assert_int_equal(client->connect_timeout_ms, 10000);
    assert_string_equal(client->client_id, "audit");
    assert_int_equal(conf_ignored(conf), 2);
}

static void
a_file_of_librdkafka_is_understood(void **state)
{
    (void)state;
    assert_int_equal(load("metadata.broker.list=a\nsecurity.protocol=sasl_ssl\n"
                          "sasl.mechanisms=PLAIN\nsasl.username=u\nsasl.password=p\n"
                          "ssl.ca.location=/ca\nssl.certificate.location=/cert\n"
                          "ssl.key.location=/key\nenable.ssl.certificate.verification=false\n"
                          "ssl.endpoint.identification.algorithm=none\ndebug=all\n"
                          "socket.timeout.ms=1\nlog_level=7\n"),
        RC_OK);
    finish();
    assert_int_equal(client->servers[0].port, 9092);
    assert_string_equal(client->mechanism, "PLAIN");
    assert_string_equal(client->tls.certificate_file, "/cert");
    assert_string_equal(client->tls.key_file, "/key");
    assert_true(client->tls.skip_host && client->tls.skip_peer);
    assert_int_equal(client->request_timeout_ms, 1);
    assert_int_equal(conf_ignored(conf), 2);
}

static void
without_a_word_it_is_plaintext(void **state)
{
    (void)state;
    set("bootstrap.servers=a:1");
    finish();
    assert_false(client->with_tls || client->with_sasl);
    assert_null(client->mechanism);
    assert_string_equal(client->client_id, "kdl");
    assert_int_equal(client->retry_backoff_ms, 100);
    assert_int_equal(client->response_bytes_max, 100000000);
}

static void
later_beats_earlier_whatever_the_name(void **state)
{
    char variables[][32] = {
        "KDL_PASSWORD=from-env", "KDL_X_SSL_CA_LOCATION=/env", "PATH=/bin", "KDL_BOOTSTRAP=c:3"};
    char *environment[] = {variables[0], variables[1], variables[2], variables[3], NULL};

    (void)state;
    assert_int_equal(load("bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\n"
                          "ssl.truststore.certificates=" PEM "\n"
                          "sasl.jaas.config=PlainLoginModule required username=a password=b;\n"),
        RC_CONFIG); /* the PEM text's lines are no continuation lines */
    restart();
    assert_int_equal(load("bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\n"
                          "ssl.truststore.certificates=-----BEGIN CERTIFICATE-----\\n\\\nQQ==\\n"
                          "\\\n-----END CERTIFICATE-----\n"
                          "sasl.jaas.config=PlainLoginModule required username=a password=b;\n"),
        RC_OK);
    finish();
    assert_string_equal(client->tls.ca_text, PEM);
    assert_string_equal(client->mechanism, "PLAIN");
    assert_int_equal(conf_load_env(conf, environment, &e), RC_OK);
    set("sasl.username=later");
    finish();
    assert_string_equal(client->servers[0].host, "c");
    assert_string_equal(client->user, "later");
    assert_string_equal(client->password, "from-env");
    assert_string_equal(client->tls.ca_file, "/env");
    assert_null(client->tls.ca_text);
    set("sasl.jaas.config=PlainLoginModule required username=\"last\" password=\"\";");
    finish();
    assert_string_equal(client->user, "last");
    assert_string_equal(client->password, "");
}

static void
an_unknown_name_is_refused_with_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(conf_set(conf, "securty.protocol=SSL", &e), RC_CONFIG);
    assert_string_equal(e.text,
        "-X: no Kafka client knows the property securty.protocol. Did you mean security.protocol?");
    assert_int_equal(load("\nssl.ca.locaton=/x\n"), RC_CONFIG);
    assert_non_null(strstr(e.text, ":2: no Kafka client knows the property ssl.ca.locaton. Did you "
                                   "mean ssl.ca.location?"));
    assert_int_equal(conf_set(conf, "colour=red", &e), RC_CONFIG);
    assert_string_equal(e.text, "-X: no Kafka client knows the property colour");
    assert_int_equal(conf_set(conf, "linger.mss=1", &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "Did you mean linger.ms?"));
    assert_int_equal(conf_set(conf, "schema.registry.url=http://x", &e), RC_OK);
    assert_int_equal(conf_ignored(conf), 1);
}

static void
values_that_cannot_be_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"request.timeout.ms=0", "request.timeout.ms must be 1 to"},
        {"request.timeout.ms=1s", "request.timeout.ms must be 1 to"},
        {"request.timeout.ms=", "request.timeout.ms must be 1 to"},
        {"request.timeout.ms=99999999999999999999", "request.timeout.ms must be 1 to"},
        {"enable.ssl.certificate.verification=yes", "must be true or false"},
        {"receive.message.max.bytes=1", "must be 1024 to"},
        {"ssl.keystore.key=/etc/key.pem", "must hold PEM text"},
        {"=x", "NAME=VALUE"},
        {"x", "NAME=VALUE"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(conf_set(conf, rows[i][0], &e), RC_CONFIG);
        assert_non_null(strstr(e.text, rows[i][1]));
    }
}

static void
what_does_not_fit_together_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal(), "no server is given (-b HOST:PORT"));
    set("bootstrap.servers=a:1");
    set("security.protocol=TLS");
    assert_non_null(strstr(refusal(), "security.protocol TLS is not known (PLAINTEXT, SSL"));
    set("security.protocol=SASL_PLAINTEXT");
    assert_non_null(strstr(refusal(), "SASL needs a mechanism: -X sasl.mechanism=PLAIN"));
    set("sasl.mechanism=OAUTHBEARER");
    assert_non_null(strstr(refusal(), "sasl.mechanism OAUTHBEARER is not supported"));
    set("sasl.mechanism=PLAIN");
    assert_non_null(strstr(refusal(), "SASL needs a user"));
    set("sasl.username=anna");
    assert_string_equal(
        refusal(), "user anna has no password: set KDL_PASSWORD, or sasl.password in a file");
    set("sasl.password=x");
    finish();
    set("security.protocol=SSL");
    set("ssl.endpoint.identification.algorithm=HTTP");
    assert_non_null(strstr(refusal(), "ssl.endpoint.identification.algorithm HTTP is not known"));
    set("ssl.endpoint.identification.algorithm=");
    set("ssl.enabled.protocols=TLSv1.3");
    finish();
    assert_true(client->tls.skip_host);
    assert_string_equal(client->tls.version_min, "TLSv1.3");
}

static void
java_key_stores_get_the_command_that_converts_them(void **state)
{
    char *truststore = xasprintf("ssl.truststore.location=%s", store);
    char *keystore = xasprintf("ssl.keystore.location=%s", store);
    char *ca = xasprintf("ssl.ca.location=%s", store);

    (void)state;
    set("bootstrap.servers=a:1");
    set("security.protocol=SSL");
    set(truststore);
    write_file(store, "\xfe\xed\xfe\xed\0\0\0\2", 8);
    assert_non_null(strstr(refusal(), "a Java key store (JKS), and kdl reads PEM. Convert it once "
                                      "with: keytool -list -rfc -keystore /tmp/conf_store_"));
    assert_non_null(strstr(e.text, "-X ssl.ca.location=ca.pem"));
    write_file(store, "\x30\x82\x01\x02\x03", 5);
    assert_non_null(strstr(refusal(), "(PKCS#12)"));
    /* The file decides, not the word beside it. */
    write_file(store, PEM, strlen(PEM));
    set("ssl.truststore.type=JKS");
    finish();
    set(ca);
    write_file(store, "\xfe\xed\xfe\xed", 4);
    assert_non_null(strstr(refusal(), "keytool -list -rfc"));
    set("ssl.ca.location=/nowhere/ca.pem");
    finish();
    set(keystore);
    assert_non_null(strstr(refusal(), "keytool -importkeystore -srckeystore /tmp/conf_store_"));
    assert_non_null(strstr(e.text, "openssl pkcs12 -nodes -in k.p12 -out client.pem"));
    assert_non_null(strstr(e.text, "-X ssl.keystore.location=client.pem"));
    write_file(store, "\x30\x82\x01\x02\x03", 5);
    assert_non_null(strstr(refusal(), "openssl pkcs12 -nodes -in /tmp/conf_store_"));
    free(truststore);
    free(keystore);
    free(ca);
}

static void
unreadable_files_are_named(void **state)
{
    char *big = xcalloc(1, CONF_FILE_BYTES_MAX + 2);

    (void)state;
    assert_int_equal(conf_load_file(conf, "/nowhere/client.properties", &e), RC_CONFIG);
    assert_string_equal(
        e.text, "cannot read /nowhere/client.properties: No such file or directory");
    assert_int_equal(conf_load_file(conf, "/tmp", &e), RC_CONFIG);
    assert_string_equal(e.text, "cannot read /tmp: Is a directory");
    memset(big, '#', CONF_FILE_BYTES_MAX + 1);
    assert_int_equal(load(big), RC_CONFIG);
    assert_non_null(strstr(e.text, "is it a properties file?"));
    free(big);
}

static void
a_description_shows_no_secret(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    set("bootstrap.servers=a:1");
    set("sasl.jaas.config=PlainLoginModule required username=\"anna\" password=\"SECRET\";");
    set("ssl.key.password=SECRET");
    set("ssl.key.pem=-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n");
    set("ssl.ca.pem=" PEM);
    conf_describe(conf, &out);
    assert_null(strstr(buf_text(&out), "SECRET"));
    assert_non_null(strstr(buf_text(&out), "bootstrap.servers=a:1   # -X\n"));
    assert_non_null(strstr(buf_text(&out), "sasl.username=anna   # -X\n"));
    assert_non_null(strstr(buf_text(&out), "sasl.password=****   # -X\n"));
    assert_non_null(strstr(buf_text(&out), "ssl.ca.pem=(PEM text)   # -X\n"));
    buf_fini(&out);
}

static void
on_export(void *arg, const char *name, const char *value)
{
    buf_printf(arg, "%s=%s\n", name, value);
}

static void
librdkafka_gets_what_it_needs(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    set("bootstrap.servers=a:1,b");
    finish();
    conf_export_librdkafka(conf, on_export, &out);
    assert_string_equal(buf_text(&out),
        "bootstrap.servers=a:1,b:9092\nclient.id=kdl\nsecurity.protocol=PLAINTEXT\n");
    buf_clear(&out);
    set("security.protocol=SASL_SSL");
    set("sasl.mechanism=SCRAM-SHA-256");
    set("sasl.jaas.config=ScramLoginModule required username=u password=p;");
    set("ssl.truststore.location=/ca.pem");
    finish();
    conf_export_librdkafka(conf, on_export, &out);
    assert_string_equal(buf_text(&out),
        "bootstrap.servers=a:1,b:9092\nclient.id=kdl\nsecurity.protocol=SASL_SSL\n"
        "sasl.mechanism=SCRAM-SHA-256\nsasl.username=u\nsasl.password=p\n"
        "ssl.ca.location=/ca.pem\nssl.endpoint.identification.algorithm=https\n"
        "enable.ssl.certificate.verification=true\n");
    buf_fini(&out);
}

static void
a_command_with_two_clusters_has_its_own_names(void **state)
{
    static const struct conf_names names = {"--to", "--to-property", "KDL_TO_"};
    char variables[][40] = {"KDL_TO_PASSWORD=mine", "KDL_TO_X_SASL_MECHANISM=PLAIN",
        "KDL_PASSWORD=another", "KDL_FROM_USER=another", "KDL_TO_BOOTSTRAP=c:3"};
    char *environment[] = {
        variables[0], variables[1], variables[2], variables[3], variables[4], NULL};

    (void)state;
    conf_free(conf);
    conf = conf_new_named(&names);
    assert_non_null(strstr(refusal(), "no server is given (--to HOST:PORT"));
    assert_int_equal(conf_set(conf, "nonsense", &e), RC_CONFIG);
    assert_string_equal(e.text, "--to-property nonsense: it has to be NAME=VALUE");
    assert_int_equal(conf_set(conf, "securty.protocol=SSL", &e), RC_CONFIG);
    assert_int_equal(strncmp(e.text, "--to-property: no Kafka client", 30), 0);
    set("bootstrap.servers=a:1");
    set("security.protocol=SASL_SSL");
    assert_non_null(strstr(refusal(), "SASL needs a mechanism: --to-property sasl.mechanism="));
    set("sasl.mechanism=PLAIN");
    assert_non_null(strstr(refusal(), "--to-property sasl.username=USER"));
    set("sasl.username=me");
    assert_non_null(strstr(refusal(), "set KDL_TO_PASSWORD"));
    assert_int_equal(conf_load_env(conf, environment, &e), RC_OK);
    finish();
    assert_string_equal(client->user, "me");
    assert_string_equal(client->password, "mine");
    assert_string_equal(client->servers[0].host, "c");
    write_file(store, "\xfe\xed\xfe\xed\0\0\0\2", 8);
    assert_int_equal(conf_set_pair(conf, "ssl.truststore.location", store, "test", &e), RC_OK);
    assert_non_null(strstr(refusal(), "and use --to-property ssl.ca.location=ca.pem"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_a_java_client_is_understood),
        TEST(a_file_of_librdkafka_is_understood),
        TEST(without_a_word_it_is_plaintext),
        TEST(later_beats_earlier_whatever_the_name),
        TEST(an_unknown_name_is_refused_with_the_nearest),
        TEST(values_that_cannot_be_are_refused),
        TEST(what_does_not_fit_together_is_refused),
        TEST(java_key_stores_get_the_command_that_converts_them),
        TEST(unreadable_files_are_named),
        TEST(a_description_shows_no_secret),
        TEST(librdkafka_gets_what_it_needs),
        TEST(a_command_with_two_clusters_has_its_own_names),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
