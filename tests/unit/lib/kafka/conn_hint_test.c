/* Every hint fits into one line and names the property to set. */
#include "tests/unit/unit.h"

#include "lib/kafka/conn_hint.h"
#include "lib/wire/kerr.h"

static const struct conf_client plain = {.names = &conf_names_usual};
static const struct conf_client with_tls = {.names = &conf_names_usual, .with_tls = true};
static const struct conf_client with_login = {
    .names = &conf_names_usual, .with_sasl = true, .mechanism = "PLAIN", .user = "anna"};
static const struct conf_client with_both = {.names = &conf_names_usual,
    .with_tls = true,
    .with_sasl = true,
    .mechanism = "PLAIN",
    .user = "anna"};
static struct err e;

static const char *
tls_hint(const struct conf_client *conf, enum tls_reason reason)
{
    (void)err_set_errno(&e, RC_DENIED, 5, "b:1: it went wrong");
    e.text[0] = 'B';
    conn_hint_tls(conf, reason, &e);
    assert_int_equal(e.code, RC_DENIED);
    assert_int_equal(e.sys_errno, 5);
    assert_int_equal(strncmp(e.text, "B:1: it went wrong", 18), 0);
    return e.text;
}

static void
each_reason_of_tls_has_its_hint(void **state)
{
    (void)state;
    assert_non_null(
        strstr(tls_hint(&with_tls, TLS_REASON_NOT_TLS), "try -X security.protocol=PLAINTEXT"));
    assert_non_null(
        strstr(tls_hint(&with_both, TLS_REASON_CLOSED), "try -X security.protocol=SASL_PLAINTEXT"));
    assert_non_null(strstr(tls_hint(&with_tls, TLS_REASON_NOT_TRUSTED), "-X ssl.ca.location=FILE"));
    assert_non_null(strstr(tls_hint(&with_tls, TLS_REASON_WRONG_HOST),
        "-X ssl.endpoint.identification.algorithm=none"));
    assert_non_null(strstr(tls_hint(&with_tls, TLS_REASON_WANTS_CERTIFICATE),
        "-X ssl.certificate.location=FILE -X ssl.key.location=FILE"));
    assert_null(strstr(tls_hint(&with_tls, TLS_REASON_OTHER), "-X"));
}

static void
a_closed_connection_may_want_a_login(void **state)
{
    (void)state;
    (void)err_set(&e, RC_CLOSED, "b:1: closed");
    conn_hint_closed(&plain, &e);
    assert_non_null(strstr(e.text, "-X security.protocol=SASL_PLAINTEXT -X sasl.mechanism"));
    (void)err_set(&e, RC_CLOSED, "b:1: closed");
    conn_hint_closed(&with_tls, &e);
    assert_non_null(strstr(e.text, "-X security.protocol=SASL_SSL -X sasl.mechanism"));
}

static void
the_login_is_hinted_from_its_error(void **state)
{
    struct wire_string names[2] = {{"PLAIN", 5}, {"\x1b[2JX", 5}};
    struct km_sasl_handshake_response handshake = {
        .error_code = KE_UNSUPPORTED_SASL_MECHANISM, .mechanisms = {names, 2}};
    struct km_sasl_authenticate_response denied = {.error_code = KE_SASL_AUTHENTICATION_FAILED};

    (void)state;
    assert_int_equal(conn_hint_mechanism(&with_login, "b:1", &handshake, &e), RC_DENIED);
    assert_string_equal(e.text, "b:1 does not offer SASL mechanism PLAIN (it offers PLAIN, ?[2JX). "
                                "Use -X sasl.mechanism=...");
    handshake.error_code = KE_ILLEGAL_SASL_STATE;
    assert_int_equal(conn_hint_mechanism(&with_both, "b:1", &handshake, &e), RC_DENIED);
    assert_string_equal(e.text, "b:1 wants no login: use -X security.protocol=SSL");
    handshake.error_code = KE_UNKNOWN_SERVER_ERROR;
    assert_int_equal(conn_hint_mechanism(&with_both, "b:1", &handshake, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "UNKNOWN_SERVER_ERROR"));
    assert_int_equal(conn_hint_denied(&with_login, "b:1", &denied, &e), RC_DENIED);
    assert_string_equal(e.text, "b:1 refuses user anna (PLAIN): wrong user or password. Check "
                                "-X sasl.username=USER and KDL_PASSWORD, or the file that sets "
                                "them");
    denied.error_code = KE_ILLEGAL_SASL_STATE;
    assert_int_equal(conn_hint_denied(&with_login, "b:1", &denied, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "ILLEGAL_SASL_STATE"));
}

static void
a_tls_record_on_a_plain_connection_is_known(void **state)
{
    static const uint8_t alert[] = {0x15, 3, 3, 0, 2, 2, 80};

    (void)state;
    assert_int_equal(conn_hint_bytes(&plain, "b:1", alert, sizeof alert, &e), RC_PROTOCOL);
    assert_string_equal(e.text, "b:1 speaks TLS, and this connection is plain. Add -X "
                                "security.protocol=SSL (and a CA: -X ssl.ca.location=FILE)");
    assert_int_equal(conn_hint_bytes(&with_login, "b:1", alert, sizeof alert, &e), RC_PROTOCOL);
    assert_non_null(strstr(e.text, "security.protocol=SASL_SSL"));
    assert_int_equal(conn_hint_bytes(&with_tls, "b:1", alert, sizeof alert, &e), RC_PROTOCOL);
    assert_non_null(strstr(e.text, "does not answer as a Kafka broker does"));
}

static void
hints_name_the_flags_of_the_command(void **state)
{
    static const struct conf_names names = {"--from", "--from-property", "KDL_FROM_"};
    struct conf_client side = {.names = &names, .mechanism = "PLAIN", .user = "anna"};
    struct km_sasl_authenticate_response denied = {.error_code = KE_SASL_AUTHENTICATION_FAILED};

    (void)state;
    for (int reason = TLS_REASON_OTHER + 1; reason <= TLS_REASON_WANTS_CERTIFICATE; reason++) {
        assert_non_null(strstr(tls_hint(&side, (enum tls_reason)reason), " --from-property s"));
        assert_null(strstr(e.text, "-X"));
    }
    (void)err_set(&e, RC_CLOSED, "b:1: closed");
    conn_hint_closed(&side, &e);
    assert_non_null(strstr(e.text, "--from-property sasl.username=... (password in "
                                   "KDL_FROM_PASSWORD)"));
    assert_int_equal(conn_hint_denied(&side, "b:1", &denied, &e), RC_DENIED);
    assert_non_null(strstr(e.text, "--from-property sasl.username=USER and KDL_FROM_PASSWORD,"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_of_tls_has_its_hint),
        cmocka_unit_test(a_closed_connection_may_want_a_login),
        cmocka_unit_test(the_login_is_hinted_from_its_error),
        cmocka_unit_test(a_tls_record_on_a_plain_connection_is_known),
        cmocka_unit_test(hints_name_the_flags_of_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
