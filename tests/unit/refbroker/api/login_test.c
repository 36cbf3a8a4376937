/* The steps of a login, and tokens of PLAIN and SCRAM that are right, wrong, or none at all. */
#include "refbroker/api/login.h"

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "tests/unit/unit.h"

#define SCRAM_REFUSED                                                                              \
    "Authentication failed during authentication due to invalid credentials with SASL mechanism "

struct rig {
    struct logins logins;
    struct scram_users users;
    struct login login;
    struct buf out;
    struct err e;
};

static void
user_add(struct rig *rig, const char *name, enum scram_mechanism mechanism, const char *password)
{
    struct scram_credential credential;

    scram_credential_make(&credential, scram_users_kind(mechanism), password,
        (const uint8_t *)"salt and pepper", 15, SCRAM_ITERATIONS_MIN);
    scram_users_set(&rig->users, name, mechanism, &credential);
}

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    map_put_text(&rig->logins.plain_users, "anna", xstrdup("s3cret"));
    scram_users_init(&rig->users);
    user_add(rig, "bert", SCRAM_SHA_256, "of 256");
    user_add(rig, "bert", SCRAM_SHA_512, "of 512");
    user_add(rig, "a,b=c", SCRAM_SHA_256, "x");
    login_init(&rig->login, true);
    buf_init(&rig->out, LOGIN_TOKEN_BYTES_MAX);
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    login_fini(&rig->login);
    scram_users_fini(&rig->users);
    logins_fini(&rig->logins);
    buf_fini(&rig->out);
    free(rig);
    return 0;
}

/* A login from its beginning. */
static void
choose(struct rig *rig, enum sasl_mechanism mechanism)
{
    login_fini(&rig->login);
    login_init(&rig->login, true);
    login_choose(&rig->login, mechanism, false);
}

static enum rc
token(struct rig *rig, const void *data, size_t size)
{
    buf_clear(&rig->out);
    return login_token(&rig->login, &rig->logins, &rig->users, data, size, &rig->out, &rig->e);
}

static void
refused(struct rig *rig, const void *data, size_t size, const char *why)
{
    assert_int_equal(token(rig, data, size), RC_DENIED);
    assert_string_equal(rig->e.text, why);
    assert_int_equal(rig->out.size, 0);
    assert_int_equal(rig->login.state, LOGIN_FAILED);
    assert_null(rig->login.user);
}

/* --- steps -------------------------------------------------------------------------------------
 */

static void
where_no_login_is_wanted_everything_is_served(void **state)
{
    struct rig *rig = *state;

    login_init(&rig->login, false);
    for (int i = 0; i < 2 * LIMIT_LOGIN_REQUESTS_MAX; i++)
        assert_int_equal(login_judge(&rig->login, KM_METADATA), LOGIN_SERVES);
}

static void
versions_are_told_once_and_then_a_handshake_follows(void **state)
{
    struct rig *rig = *state;
    struct login *login = &rig->login;

    assert_int_equal(login_judge(login, KM_METADATA), LOGIN_CLOSES);
    assert_int_equal(login_judge(login, KM_SASL_AUTHENTICATE), LOGIN_CLOSES);
    assert_int_equal(login_judge(login, KM_SASL_HANDSHAKE), LOGIN_SERVES);
    assert_int_equal(login_judge(login, KM_API_VERSIONS), LOGIN_SERVES);
    assert_int_equal(login_judge(login, KM_API_VERSIONS), LOGIN_SERVES);
    login_versions_told(login);
    assert_int_equal(login_judge(login, KM_API_VERSIONS), LOGIN_CLOSES);
    assert_int_equal(login_judge(login, KM_METADATA), LOGIN_CLOSES);
    assert_int_equal(login_judge(login, KM_SASL_HANDSHAKE), LOGIN_SERVES);
}

static void
between_handshake_and_tokens_others_are_refused(void **state)
{
    struct rig *rig = *state;
    struct login *login = &rig->login;

    login_choose(login, SASL_PLAIN, false);
    assert_int_equal(login_judge(login, KM_METADATA), LOGIN_REFUSES);
    assert_int_equal(login_judge(login, KM_SASL_HANDSHAKE), LOGIN_REFUSES);
    assert_int_equal(login_judge(login, KM_SASL_AUTHENTICATE), LOGIN_SERVES);
    assert_int_equal(token(rig, "\0anna\0s3cret", 12), RC_OK);
    assert_int_equal(login_judge(login, KM_METADATA), LOGIN_SERVES);
    assert_int_equal(login_judge(login, KM_SASL_AUTHENTICATE), LOGIN_SERVES);
    login_versions_told(login);
    assert_int_equal(login->state, LOGIN_OVER);
}

static void
nobody_asks_for_ever(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < LIMIT_LOGIN_REQUESTS_MAX; i++)
        assert_int_equal(login_judge(&rig->login, KM_API_VERSIONS), LOGIN_SERVES);
    assert_int_equal(login_judge(&rig->login, KM_API_VERSIONS), LOGIN_CLOSES);
    assert_int_equal(login_judge(&rig->login, KM_SASL_HANDSHAKE), LOGIN_CLOSES);
}

static void
after_a_failure_nothing_leads_on(void **state)
{
    struct rig *rig = *state;

    choose(rig, SASL_PLAIN);
    assert_int_equal(token(rig, "\0anna\0wrong", 11), RC_DENIED);
    assert_int_equal(login_judge(&rig->login, KM_SASL_AUTHENTICATE), LOGIN_CLOSES);
    assert_int_equal(login_judge(&rig->login, KM_SASL_HANDSHAKE), LOGIN_CLOSES);
}

/* --- PLAIN -------------------------------------------------------------------------------------
 */

static void
plain_wants_user_and_password(void **state)
{
    struct rig *rig = *state;

    choose(rig, SASL_PLAIN);
    assert_int_equal(token(rig, "anna\0anna\0s3cret", 16), RC_OK);
    assert_int_equal(rig->login.state, LOGIN_OVER);
    assert_string_equal(rig->login.user, "anna");
    assert_int_equal(rig->out.size, 0);
}

static void
plain_refuses_in_kafka_s_words(void **state)
{
    static const struct {
        const char *data;
        size_t size;
        const char *why;
    } rows[] = {
        {"\0anna\0s3creT", 12, "Authentication failed: Invalid username or password"},
        {"\0anna\0s3cre", 11, "Authentication failed: Invalid username or password"},
        {"\0anna\0s3cret!", 13, "Authentication failed: Invalid username or password"},
        {"\0ann\0s3cret", 11, "Authentication failed: Invalid username or password"},
        {"\0nobody\0x", 9, "Authentication failed: Invalid username or password"},
        {"\0\0s3cret", 8, "Authentication failed: username not specified"},
        {"\0anna\0", 6, "Authentication failed: password not specified"},
        {"bert\0anna\0s3cret", 16,
            "Authentication failed: Client requested an authorization id that is different from "
            "username"},
        {"", 0, "Invalid SASL/PLAIN response: expected 3 tokens, got 1"},
        {"anna\0s3cret", 11, "Invalid SASL/PLAIN response: expected 3 tokens, got 2"},
        {"\0anna\0s3cret\0", 13, "Invalid SASL/PLAIN response: expected 3 tokens, got 4"},
        {"\0\0\0\0\0\0", 6, "Invalid SASL/PLAIN response: expected 3 tokens, got 4"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        choose(rig, SASL_PLAIN);
        refused(rig, rows[i].data, rows[i].size, rows[i].why);
    }
}

/* --- SCRAM -------------------------------------------------------------------------------------
 */

/* A whole exchange; what the client makes of it. */
static enum rc
scram(struct rig *rig, enum sasl_mechanism mechanism, const char *user, const char *password)
{
    enum digest_kind kind = mechanism == SASL_SCRAM_SHA_256 ? DIGEST_SHA256 : DIGEST_SHA512;
    struct scram_client client;
    struct buf message;
    enum rc rc;

    choose(rig, mechanism);
    scram_client_init(&client, kind, user, password, NULL);
    buf_init(&message, SCRAM_MESSAGE_MAX);
    scram_client_first(&client, &message);
    rc = token(rig, message.data, message.size);
    if (rc == RC_OK) {
        assert_null(rig->login.user);
        assert_int_equal(rig->login.state, LOGIN_TOKENS);
        buf_clear(&message);
        rc = scram_client_final(&client, rig->out.data, rig->out.size, &message, &rig->e);
    }
    if (rc == RC_OK)
        rc = token(rig, message.data, message.size);
    if (rc == RC_OK)
        rc = scram_client_verify(&client, rig->out.data, rig->out.size, &rig->e);
    buf_fini(&message);
    scram_client_fini(&client);
    return rc;
}

static void
scram_proves_both_sides(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(scram(rig, SASL_SCRAM_SHA_256, "bert", "of 256"), RC_OK);
    assert_int_equal(rig->login.state, LOGIN_OVER);
    assert_string_equal(rig->login.user, "bert");
    assert_int_equal(scram(rig, SASL_SCRAM_SHA_512, "bert", "of 512"), RC_OK);
    assert_int_equal(scram(rig, SASL_SCRAM_SHA_256, "a,b=c", "x"), RC_OK);
    assert_string_equal(rig->login.user, "a,b=c");
}

static void
scram_tells_nobody_what_was_wrong(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(scram(rig, SASL_SCRAM_SHA_256, "bert", "of 512"), RC_DENIED);
    assert_string_equal(rig->e.text, SCRAM_REFUSED "SCRAM-SHA-256");
    assert_int_equal(scram(rig, SASL_SCRAM_SHA_512, "nobody", "x"), RC_DENIED);
    assert_string_equal(rig->e.text, SCRAM_REFUSED "SCRAM-SHA-512");
    /* This user has no password of this mechanism. */
    assert_int_equal(scram(rig, SASL_SCRAM_SHA_512, "a,b=c", "x"), RC_DENIED);
    assert_string_equal(rig->e.text, SCRAM_REFUSED "SCRAM-SHA-512");
    choose(rig, SASL_SCRAM_SHA_256);
    refused(rig, "n,a=anna,n=nobody,r=abc", 23, SCRAM_REFUSED "SCRAM-SHA-256");
    choose(rig, SASL_SCRAM_SHA_256);
    refused(rig, "n,a=anna,n=bert,r=abc", 21,
        "Authentication failed: Client requested an authorization id that is different from "
        "username");
    choose(rig, SASL_SCRAM_SHA_256);
    refused(rig, "\0anna\0s3cret", 12, SCRAM_REFUSED "SCRAM-SHA-256");
    choose(rig, SASL_SCRAM_SHA_256);
    refused(rig, NULL, 0, SCRAM_REFUSED "SCRAM-SHA-256");
    choose(rig, SASL_SCRAM_SHA_256);
    assert_int_equal(token(rig, "n,,n=bert,r=abc", 15), RC_OK);
    refused(rig, "c=biws,r=abc,p=AAAA", 19, SCRAM_REFUSED "SCRAM-SHA-256");
}

/* Bits of each byte of the client's last message, turned over. */
static void
no_bit_of_a_proof_may_differ(void **state)
{
    struct rig *rig = *state;
    size_t size = 1;

    for (size_t bit = 0; bit < size * 8; bit += 5) {
        struct scram_client client;
        struct buf message;

        choose(rig, SASL_SCRAM_SHA_256);
        scram_client_init(&client, DIGEST_SHA256, "bert", "of 256", NULL);
        buf_init(&message, SCRAM_MESSAGE_MAX);
        scram_client_first(&client, &message);
        assert_int_equal(token(rig, message.data, message.size), RC_OK);
        buf_clear(&message);
        assert_int_equal(
            scram_client_final(&client, rig->out.data, rig->out.size, &message, &rig->e), RC_OK);
        size = message.size;
        message.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        refused(rig, message.data, message.size, SCRAM_REFUSED "SCRAM-SHA-256");
        buf_fini(&message);
        scram_client_fini(&client);
    }
    assert_true(size > 100);
}

static void
noise_logs_nobody_in(void **state)
{
    enum { ROUNDS = 20000, NOISE_BYTES_MAX = 60 };
    static const char letters[] = "n,=arcpibse AZ9+/\0\x01\x7f\x80";
    struct rig *rig = *state;
    struct env env;

    env_init_seeded(&env, 7, 0);
    for (int round = 0; round < ROUNDS; round++) {
        char noise[NOISE_BYTES_MAX];
        size_t size = (size_t)env_random_below(&env, sizeof noise);

        for (size_t i = 0; i < size; i++)
            noise[i] = letters[env_random_below(&env, sizeof letters)];
        if (round % 2 == 0 && size > 5)
            memcpy(noise, "n,,n=", 5);
        choose(rig, (enum sasl_mechanism)env_random_below(&env, SASL_MECHANISM_COUNT));
        if (token(rig, noise, size) == RC_OK)
            (void)token(rig, noise, size);
        assert_null(rig->login.user);
        assert_int_not_equal(rig->login.state, LOGIN_OVER);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            where_no_login_is_wanted_everything_is_served, setup, teardown),
        cmocka_unit_test_setup_teardown(
            versions_are_told_once_and_then_a_handshake_follows, setup, teardown),
        cmocka_unit_test_setup_teardown(
            between_handshake_and_tokens_others_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_asks_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_failure_nothing_leads_on, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_wants_user_and_password, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_refuses_in_kafka_s_words, setup, teardown),
        cmocka_unit_test_setup_teardown(scram_proves_both_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(scram_tells_nobody_what_was_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(no_bit_of_a_proof_may_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(noise_logs_nobody_in, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
