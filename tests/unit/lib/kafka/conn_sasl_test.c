/* The tokens of PLAIN by their bytes, those of SCRAM against the server's half. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/kafka/conn_sasl.h"

static struct buf out;

static int
start(void **state)
{
    (void)state;
    buf_init(&out, 10000);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static void
plain_says_user_and_password_at_once(void **state)
{
    struct conn_sasl sasl;
    bool done = false;

    (void)state;
    conn_sasl_init(&sasl, "PLAIN", "anna", "s3cret");
    conn_sasl_first(&sasl, &out);
    assert_int_equal(out.size, 12);
    assert_memory_equal(out.data, "\0anna\0s3cret", 12);
    assert_int_equal(conn_sasl_next(&sasl, "", 0, &out, &done, NULL), RC_OK);
    assert_true(done);
    conn_sasl_fini(&sasl);
    conn_sasl_fini(&sasl);
}

static enum rc
scram(const char *mechanism, const char *password, bool *done)
{
    struct scram_credential credential;
    struct scram_server server;
    struct conn_sasl sasl;
    struct buf answer;
    enum digest_kind kind;
    enum rc rc;

    assert_int_equal(scram_kind(mechanism, &kind), RC_OK);
    buf_init(&answer, 10000);
    buf_clear(&out);
    conn_sasl_init(&sasl, mechanism, "anna", password);
    conn_sasl_first(&sasl, &out);
    scram_server_init(&server, kind);
    scram_credential_make(&credential, kind, "right", (const uint8_t *)"salt", 4, 4096);
    assert_int_equal(scram_server_first(&server, out.data, out.size, NULL), RC_OK);
    scram_server_challenge(&server, &credential, NULL, &answer);
    buf_clear(&out);
    assert_int_equal(conn_sasl_next(&sasl, answer.data, answer.size, &out, done, NULL), RC_OK);
    assert_false(*done);
    buf_clear(&answer);
    (void)!scram_server_final(&server, out.data, out.size, &answer, NULL);
    rc = conn_sasl_next(&sasl, answer.data, answer.size, &out, done, NULL);
    conn_sasl_fini(&sasl);
    scram_server_fini(&server);
    buf_fini(&answer);
    return rc;
}

static void
scram_takes_two_steps_and_checks_the_server(void **state)
{
    bool done;

    (void)state;
    assert_int_equal(scram("SCRAM-SHA-256", "right", &done), RC_OK);
    assert_true(done);
    assert_int_equal(scram("SCRAM-SHA-512", "right", &done), RC_OK);
    assert_true(done);
    assert_int_equal(scram("SCRAM-SHA-512", "wrong", &done), RC_DENIED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_says_user_and_password_at_once, start, end),
        cmocka_unit_test_setup_teardown(scram_takes_two_steps_and_checks_the_server, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
