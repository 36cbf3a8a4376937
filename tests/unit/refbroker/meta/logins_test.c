/* What of Kafka's settings the listener follows, and what it refuses before the broker starts. */
#include "refbroker/meta/logins.h"

#include "lib/base/xalloc.h"
#include "refbroker/broker.h"
#include "refbroker/meta/broker_configs.h"
#include "tests/unit/unit.h"

#define MAP "listener.security.protocol.map"
#define MECHANISMS "sasl.enabled.mechanisms"
#define OWN "listener.name.plaintext."
#define PLAIN_USERS OWN "plain.sasl.jaas.config"
#define PLAIN_MODULE "org.apache.kafka.common.security.plain.PlainLoginModule required "
#define SCRAM_MODULE "org.apache.kafka.common.security.scram.ScramLoginModule required;"

static struct broker_options options;
static struct err e;

static int
setup(void **state)
{
    (void)state;
    broker_options_default(&options);
    err_clear(&e);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    broker_options_fini(&options);
    return 0;
}

static void
give(const char *name, const char *text)
{
    if (broker_configs_give(&options, name, text, &e) != RC_OK)
        fail_msg("%s", e.text);
}

static void
refuses(const char *why)
{
    assert_int_equal(broker_configs_given(&options, &e), RC_CONFIG);
    assert_string_equal(e.text, why);
}

static bool
is_enabled(const char *name)
{
    struct wire_string mechanism = {name, (int32_t)strlen(name)};

    return logins_mechanism_find(&options.logins, mechanism) < SASL_MECHANISM_COUNT;
}

static void
without_settings_nobody_logs_in(void **state)
{
    (void)state;
    assert_int_equal(broker_configs_given(&options, &e), RC_OK);
    assert_false(options.logins.is_wanted);
    give(MAP, "CONTROLLER:PLAINTEXT, plaintext : PLAINTEXT");
    give(MECHANISMS, "GSSAPI");
    assert_int_equal(broker_configs_given(&options, &e), RC_OK);
    assert_false(options.logins.is_wanted);
}

static void
mechanisms_and_users_are_those_of_the_settings(void **state)
{
    (void)state;
    give(MAP, "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT");
    give(MECHANISMS, " PLAIN , SCRAM-SHA-512 ");
    give(PLAIN_USERS, PLAIN_MODULE "username=\"me\" user_anna=\"s3cret\" user_bert=\"x y\";");
    give(OWN "scram-sha-512.sasl.jaas.config", SCRAM_MODULE);
    assert_int_equal(broker_configs_given(&options, &e), RC_OK);
    assert_true(options.logins.is_wanted);
    assert_true(is_enabled("PLAIN"));
    assert_true(is_enabled("SCRAM-SHA-512"));
    assert_false(is_enabled("SCRAM-SHA-256"));
    assert_false(is_enabled("plain"));
    assert_false(is_enabled("GSSAPI"));
    assert_false(is_enabled(""));
    assert_string_equal(logins_plain_password(&options.logins, "anna", 4), "s3cret");
    assert_string_equal(logins_plain_password(&options.logins, "bert", 4), "x y");
    assert_null(logins_plain_password(&options.logins, "me", 2));
    assert_null(logins_plain_password(&options.logins, "ann", 3));
}

static void
the_listener_s_own_mechanisms_come_first(void **state)
{
    (void)state;
    give(MAP, "PLAINTEXT:SASL_PLAINTEXT");
    give(MECHANISMS, "GSSAPI");
    give(OWN MECHANISMS, "SCRAM-SHA-256");
    assert_int_equal(broker_configs_given(&options, &e), RC_OK);
    assert_true(is_enabled("SCRAM-SHA-256"));
}

static void
what_is_not_spoken_here_is_refused_with_what_to_do(void **state)
{
    (void)state;
    give(MAP, "PLAINTEXT:SASL_SSL");
    refuses(MAP ": this broker does not speak SASL_SSL (no TLS): use PLAINTEXT:SASL_PLAINTEXT, or "
                "PLAINTEXT:PLAINTEXT without logins");
    give(MAP, "SSL:SSL");
    refuses(MAP " does not name PLAINTEXT, the listener of this broker: add "
                "PLAINTEXT:SASL_PLAINTEXT, or PLAINTEXT:PLAINTEXT without logins");
    give(MAP, "PLAINTEXT");
    refuses(MAP " wants NAME:PROTOCOL,..., not PLAINTEXT");
    give(MAP, "PLAINTEXT:SASL_PLAINTEXT");
    refuses("logins want mechanisms: --set " MECHANISMS
            "=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512, or some of them (Kafka's default, GSSAPI, is not "
            "there)");
    give(MECHANISMS, "SCRAM-SHA-256,OAUTHBEARER");
    refuses(MECHANISMS ": this broker does not speak OAUTHBEARER: use some of "
                       "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512");
}

static void
login_modules_are_judged_without_telling_a_password(void **state)
{
    (void)state;
    give(MAP, "PLAINTEXT:SASL_PLAINTEXT");
    give(MECHANISMS, "PLAIN,SCRAM-SHA-256");
    refuses("PLAIN wants users: --set '" PLAIN_USERS "=" PLAIN_MODULE "user_NAME=\"PASSWORD\";'");
    give(PLAIN_USERS, PLAIN_MODULE "user_anna=\"SECRET\"");
    refuses(PLAIN_USERS " does not end with ; (it should begin with: "
                        "org.apache.kafka.common.security.plain.PlainLoginModule required)");
    give(PLAIN_USERS, SCRAM_MODULE);
    refuses(PLAIN_USERS ": this broker knows the login module "
                        "org.apache.kafka.common.security.plain.PlainLoginModule, not "
                        "org.apache.kafka.common.security.scram.ScramLoginModule");
    give(PLAIN_USERS, PLAIN_MODULE ";");
    assert_int_equal(broker_configs_given(&options, &e), RC_OK);
    give("sasl.jaas.config", PLAIN_MODULE "user_anna=\"SECRET\";");
    refuses("sasl.jaas.config: sasl.jaas.config stands behind the names of listener and mechanism, "
            "as in " PLAIN_USERS);
}

static void
another_listener_s_settings_are_refused(void **state)
{
    (void)state;
    assert_int_equal(
        broker_configs_give(&options, "listener.name.client." MECHANISMS, "PLAIN", &e), RC_CONFIG);
    assert_string_equal(e.text,
        "listener.name.client." MECHANISMS
        ": the listener of this broker is called PLAINTEXT: " OWN MECHANISMS);
    assert_int_equal(broker_configs_give(&options, OWN "log.retention.ms", "1", &e), RC_CONFIG);
    assert_string_equal(e.text, "unknown setting " OWN "log.retention.ms; --set help lists them");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_settings_nobody_logs_in, setup, teardown),
        cmocka_unit_test_setup_teardown(
            mechanisms_and_users_are_those_of_the_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(the_listener_s_own_mechanisms_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_not_spoken_here_is_refused_with_what_to_do, setup, teardown),
        cmocka_unit_test_setup_teardown(
            login_modules_are_judged_without_telling_a_password, setup, teardown),
        cmocka_unit_test_setup_teardown(another_listener_s_settings_are_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
