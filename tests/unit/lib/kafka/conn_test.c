/* One conn against a scripted broker on the same loop; time is real, and every wait ends by a
 * fact. */
#include "tests/unit/lib/kafka/conn_world.h"

static void
calls_are_answered_in_the_order_given_even_before_it_is_ready(void **state)
{
    (void)state;
    open_conn();
    for (int i = 0; i < 30; i++)
        call(i);
    assert_int_equal(outcome_count, 0);
    WAIT(outcome_count == 30);
    for (int i = 0; i < 30; i++) {
        expect(i, i, RC_OK);
        assert_int_equal(outcomes[i].version, 13);
    }
    assert_int_equal(ready_count, 1);
    assert_int_equal(conn_load(conn), 0);
    assert_int_equal(conn_stats(conn)->requests, 31);
    assert_true(conn_is_ready(conn));
    assert_string_equal(strrchr(conn_address(conn), ':') - 9, conn_address(conn));
}

static void
no_more_than_allowed_are_under_way(void **state)
{
    (void)state;
    broker.handler = hold;
    held_count = most_in_flight = 0;
    open_conn();
    setup.in_flight_max = 3;
    for (int i = 0; i < 10; i++)
        call(i);
    for (int answered = 0; answered < 10; answered++) {
        WAIT(held_count > answered);
        loop_step(loop, 1000);
        assert_true(held_count - answered <= 3);
        answer_metadata(held_from, &held[answered], 0, 0);
        WAIT(outcome_count == answered + 1);
    }
}

static void
the_version_is_the_highest_that_both_know(void **state)
{
    static const struct wire_range wanted = {2, 4};
    struct conn_request request = {.api = frame_api(KM_METADATA),
        .body = &metadata,
        .wanted = &wanted,
        .deadline_us = loop_now_us(loop) + 10000000,
        .done = on_done,
        .arg = &numbers[1]};

    (void)state;
    broker.capped_api = KM_METADATA;
    broker.capped_max = 7;
    open_conn();
    call(0);
    conn_call(conn, &request);
    WAIT(outcome_count == 2);
    assert_int_equal(outcomes[0].version, 7);
    assert_int_equal(outcomes[1].version, 4);
    broker.capped_max = 1;
    reopen_conn();
    conn_call(conn, &request);
    WAIT(outcome_count == 1);
    expect(0, 1, RC_UNSUPPORTED);
    assert_non_null(
        strstr(outcomes[0].err.text, "it speaks metadata 0-1, and 2-4 would be needed"));
    assert_int_equal(closed_count, 0);
}

static void
an_api_that_the_broker_lacks_fails_alone(void **state)
{
    (void)state;
    broker.hidden_api = KM_METADATA;
    open_conn();
    call(0);
    WAIT(outcome_count == 1);
    expect(0, 0, RC_UNSUPPORTED);
    assert_non_null(strstr(outcomes[0].err.text, "it does not speak metadata (API 3)"));
    assert_true(conn_is_ready(conn));
    assert_int_equal(conn_versions_range(conn_versions(conn), frame_api(KM_METADATA)).max, -1);
}

static void
an_old_broker_is_asked_again_in_its_version(void **state)
{
    (void)state;
    broker.api_versions_max = 0;
    open_conn();
    call(0);
    WAIT(outcome_count == 1);
    expect(0, 0, RC_OK);
    assert_int_equal(broker.conns[0]->requests, 3);
}

static void
open_tls(const struct certificate *ca, const struct certificate *host)
{
    struct tls_options options = {.certificate_text = host->text, .key_text = host->key_text};

    assert_int_equal(tls_context_new_server(&options, &broker.tls, NULL), RC_OK);
    conn_setup_fini(&setup);
    conf.with_tls = true;
    conf.tls = (struct tls_options){.ca_text = ca->text};
    open_conn();
}

static void
tls_works_and_says_what_is_wrong(void **state)
{
    struct certificate ca = certificate_make("CA", NULL, NULL);
    struct certificate right = certificate_make("right", "IP:127.0.0.1", &ca);
    struct certificate wrong = certificate_make("wrong", "DNS:elsewhere", &ca);

    (void)state;
    open_tls(&ca, &right);
    call(0);
    WAIT(outcome_count == 1);
    expect(0, 0, RC_OK);
    conn_free(conn);
    outcome_count = 0;
    tls_context_free(broker.tls);
    open_tls(&ca, &wrong);
    call(1);
    WAIT(closed_count == 1);
    expect(0, 1, RC_DENIED);
    assert_non_null(strstr(closed_err.text, "its certificate is for elsewhere, not for 127.0.0.1. "
                                            "Connect by a name that it is for"));
    tls_context_free(broker.tls);
    certificate_fini(&ca);
    certificate_fini(&right);
    certificate_fini(&wrong);
}

static void
use_login(const char *mechanism, const char *password)
{
    broker.user = "anna";
    broker.password = "right";
    broker.mechanism = mechanism;
    conf.with_sasl = true;
    conf.mechanism = mechanism;
    conf.user = "anna";
    conf.password = password;
}

static void
every_mechanism_logs_in(void **state)
{
    static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        use_login(mechanisms[i], "right");
        if (i == 0)
            open_conn();
        else
            reopen_conn();
        call(0);
        WAIT(outcome_count == 1);
        expect(0, 0, RC_OK);
        assert_true(broker.conns[i]->logged_in);
    }
}

static void
a_wrong_password_is_one_line(void **state)
{
    static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    char expected[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        use_login(mechanisms[i], "wrong");
        if (i == 0)
            open_conn();
        else
            reopen_conn();
        call(0);
        WAIT(closed_count == 1);
        expect(0, 0, RC_DENIED);
        snprintf(expected, sizeof expected,
            "127.0.0.1:%u refuses user anna (%s): wrong user or password. Check -X "
            "sasl.username=USER and KDL_PASSWORD, or the file that sets them",
            broker.port, mechanisms[i]);
        assert_string_equal(closed_err.text, expected);
        assert_null(strstr(closed_err.text, "wrong user or password wrong"));
    }
}

static void
a_listener_that_wants_something_else_is_named(void **state)
{
    char expected[200];

    (void)state;
    use_login("PLAIN", "right");
    conf.mechanism = "SCRAM-SHA-256";
    open_conn();
    WAIT(closed_count == 1);
    snprintf(expected, sizeof expected,
        "127.0.0.1:%u does not offer SASL mechanism SCRAM-SHA-256 (it offers PLAIN). Use -X "
        "sasl.mechanism=...",
        broker.port);
    assert_string_equal(closed_err.text, expected);
    broker.user = NULL;
    reopen_conn();
    WAIT(closed_count == 1);
    snprintf(expected, sizeof expected,
        "127.0.0.1:%u wants no login: use -X security.protocol=PLAINTEXT", broker.port);
    assert_string_equal(closed_err.text, expected);
    use_login("PLAIN", "right");
    conf.with_sasl = false;
    reopen_conn();
    call(0);
    WAIT(closed_count == 1);
    expect(0, 0, RC_CLOSED);
    assert_non_null(strstr(
        closed_err.text, "It seems to want a login: try -X security.protocol=SASL_PLAINTEXT"));
}

static void
a_login_that_expires_is_renewed_between_two_requests(void **state)
{
    (void)state;
    use_login("SCRAM-SHA-256", "right");
    broker.session_lifetime_ms = 100;
    open_conn();
    call(0);
    WAIT(outcome_count == 1);
    assert_int_equal(broker.conns[0]->requests, 5); /* versions, handshake, two tokens, metadata */
    WAIT(broker.conns[0]->requests >= 8);
    call(1);
    WAIT(outcome_count == 2);
    expect(1, 1, RC_OK);
    assert_int_equal(broker.accepted, 1);
    assert_int_equal(ready_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_are_answered_in_the_order_given_even_before_it_is_ready),
        TEST(no_more_than_allowed_are_under_way),
        TEST(the_version_is_the_highest_that_both_know),
        TEST(an_api_that_the_broker_lacks_fails_alone),
        TEST(an_old_broker_is_asked_again_in_its_version),
        TEST(tls_works_and_says_what_is_wrong),
        TEST(every_mechanism_logs_in),
        TEST(a_wrong_password_is_one_line),
        TEST(a_listener_that_wants_something_else_is_named),
        TEST(a_login_that_expires_is_renewed_between_two_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
