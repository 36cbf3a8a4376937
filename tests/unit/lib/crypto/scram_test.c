/* The example of RFC 7677, both sides against each other, then messages that lie. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/crypto/scram.h"

#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" CLIENT_NONCE SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define CLIENT_FINAL                                                                               \
    "c=biws,r=" CLIENT_NONCE SERVER_NONCE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static struct buf out;
static struct err e;

static int
start(void **state)
{
    (void)state;
    buf_init(&out, 2 * SCRAM_MESSAGE_MAX);
    err_clear(&e);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static enum rc
client_answer(const char *server_first)
{
    struct scram_client client;
    enum rc rc;

    scram_client_init(&client, DIGEST_SHA256, "user", "pencil", CLIENT_NONCE);
    buf_clear(&out);
    scram_client_first(&client, &out);
    buf_clear(&out);
    rc = scram_client_final(&client, server_first, strlen(server_first), &out, &e);
    scram_client_fini(&client);
    return rc;
}

static void
the_client_says_what_rfc_7677_says(void **state)
{
    struct scram_client client;

    (void)state;
    scram_client_init(&client, DIGEST_SHA256, "user", "pencil", CLIENT_NONCE);
    scram_client_first(&client, &out);
    assert_string_equal(buf_text(&out), "n,,n=user,r=" CLIENT_NONCE);
    buf_clear(&out);
    assert_int_equal(
        scram_client_final(&client, SERVER_FIRST, strlen(SERVER_FIRST), &out, &e), RC_OK);
    assert_string_equal(buf_text(&out), CLIENT_FINAL);
    assert_int_equal(scram_client_verify(&client, SERVER_FINAL, strlen(SERVER_FINAL), &e), RC_OK);
    scram_client_fini(&client);
}

static void
the_server_says_what_rfc_7677_says(void **state)
{
    struct scram_server server;
    struct scram_credential credential;
    struct buf salt;

    (void)state;
    buf_init(&salt, SCRAM_SALT_MAX);
    assert_int_equal(digest_base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==", 24, &salt, NULL), RC_OK);
    scram_credential_make(&credential, DIGEST_SHA256, "pencil", salt.data, salt.size, 4096);
    scram_server_init(&server, DIGEST_SHA256);
    assert_int_equal(scram_server_first(&server, "n,,n=user,r=" CLIENT_NONCE,
                         strlen("n,,n=user,r=" CLIENT_NONCE), &e),
        RC_OK);
    assert_string_equal(server.user, "user");
    scram_server_challenge(&server, &credential, SERVER_NONCE, &out);
    assert_string_equal(buf_text(&out), SERVER_FIRST);
    buf_clear(&out);
    assert_int_equal(
        scram_server_final(&server, CLIENT_FINAL, strlen(CLIENT_FINAL), &out, &e), RC_OK);
    assert_string_equal(buf_text(&out), SERVER_FINAL);
    scram_server_fini(&server);
    buf_fini(&salt);
}

/* One whole exchange; returns what the client makes of it. */
static enum rc
exchange(enum digest_kind kind, const char *user, const char *password, const char *kept_password)
{
    struct scram_client client;
    struct scram_server server;
    struct scram_credential credential;
    struct buf message;
    enum rc rc, server_rc;

    scram_credential_make(
        &credential, kind, kept_password, (const uint8_t *)"salt and pepper", 15, 4096);
    scram_client_init(&client, kind, user, password, NULL);
    scram_server_init(&server, kind);
    buf_init(&message, SCRAM_MESSAGE_MAX);
    buf_clear(&out);
    scram_client_first(&client, &out);
    assert_int_equal(scram_server_first(&server, out.data, out.size, &e), RC_OK);
    assert_string_equal(server.user, user);
    scram_server_challenge(&server, &credential, NULL, &message);
    buf_clear(&out);
    assert_int_equal(scram_client_final(&client, message.data, message.size, &out, &e), RC_OK);
    buf_clear(&message);
    server_rc = scram_server_final(&server, out.data, out.size, &message, &e);
    rc = scram_client_verify(&client, message.data, message.size, &e);
    assert_int_equal(server_rc, rc);
    buf_fini(&message);
    scram_client_fini(&client);
    scram_server_fini(&server);
    return rc;
}

static void
both_sides_agree_with_both_digests_and_any_name(void **state)
{
    (void)state;
    assert_int_equal(exchange(DIGEST_SHA256, "anna", "pw", "pw"), RC_OK);
    assert_int_equal(exchange(DIGEST_SHA512, "anna", "pw", "pw"), RC_OK);
    assert_int_equal(exchange(DIGEST_SHA512, "a,b=c,=2C", "p,w=", "p,w="), RC_OK);
    assert_int_equal(
        exchange(DIGEST_SHA256, "j\xc3\xbcrgen", "\xe2\x82\xac", "\xe2\x82\xac"), RC_OK);
    assert_int_equal(exchange(DIGEST_SHA256, "nobody", "", ""), RC_OK);
}

static void
a_wrong_password_is_denied(void **state)
{
    (void)state;
    assert_int_equal(exchange(DIGEST_SHA256, "anna", "pw", "PW"), RC_DENIED);
    assert_non_null(strstr(e.text, "refuses"));
    assert_int_equal(exchange(DIGEST_SHA512, "anna", "pw", "pw "), RC_DENIED);
}

static void
a_server_that_does_not_know_the_password_is_found_out(void **state)
{
    struct scram_client client;

    (void)state;
    scram_client_init(&client, DIGEST_SHA256, "user", "pencil", CLIENT_NONCE);
    scram_client_first(&client, &out);
    assert_int_equal(
        scram_client_final(&client, SERVER_FIRST, strlen(SERVER_FIRST), &out, &e), RC_OK);
    assert_int_equal(
        scram_client_verify(&client, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", 46, &e),
        RC_PROTOCOL);
    assert_int_equal(
        scram_client_verify(&client, "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", 46, &e),
        RC_DENIED);
    assert_non_null(strstr(e.text, "impostor"));
    scram_client_fini(&client);
}

static void
iterations_outside_the_limits_are_refused(void **state)
{
#define WITH(iterations) "r=" CLIENT_NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=" iterations
    (void)state;
    assert_int_equal(client_answer(WITH("4096")), RC_OK);
    assert_int_equal(client_answer(WITH("4095")), RC_PROTOCOL);
    assert_non_null(strstr(e.text, "4095 iterations"));
    assert_int_equal(client_answer(WITH("1000001")), RC_PROTOCOL);
    assert_int_equal(client_answer(WITH("4294971392")), RC_PROTOCOL);
    assert_int_equal(client_answer(WITH("-4096")), RC_PROTOCOL);
    assert_int_equal(client_answer(WITH("")), RC_PROTOCOL);
    assert_int_equal(client_answer(WITH("4096x")), RC_PROTOCOL);
#undef WITH
}

static void
a_lying_server_is_refused(void **state)
{
    static const char *const bad[] = {"", "r", "r=", "r=" CLIENT_NONCE, "x=1," SERVER_FIRST,
        "m=ext," SERVER_FIRST,
        "r=" CLIENT_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" /* nothing added to our nonce */,
        "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=" CLIENT_NONCE "x,s=,i=4096",
        "r=" CLIENT_NONCE "x,s=!,i=4096", "r=" CLIENT_NONCE "x,i=4096,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        "r=" CLIENT_NONCE "x\n,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"};
    char big[SCRAM_MESSAGE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(client_answer(bad[i]), RC_PROTOCOL);
    memset(big, 'A', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(client_answer(big), RC_PROTOCOL);
    assert_int_equal(client_answer("e=unknown-user"), RC_DENIED);
    assert_non_null(strstr(e.text, "unknown-user"));
}

static void
a_lying_client_is_refused(void **state)
{
    static const char *const bad[] = {"", "n", "n,", "n,,", "n,,n=", "n,,n=u",
        "n,,n=u,r=", "p=tls-unique,,n=u,r=x", "n,,n=u=,r=x", "n,,n=u=2c,r=x", "n,a=u",
        "n,b=u,n=u,r=x", "n,,r=x,n=u", "n,,n=\x01u,r=x"};
    struct scram_server server;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        scram_server_init(&server, DIGEST_SHA256);
        assert_int_equal(scram_server_first(&server, bad[i], strlen(bad[i]), &e), RC_PROTOCOL);
        scram_server_fini(&server);
    }
    scram_server_init(&server, DIGEST_SHA256);
    assert_int_equal(scram_server_first(&server, "n,a=root,n=u,r=x", 16, &e), RC_DENIED);
    scram_server_fini(&server);
    scram_server_init(&server, DIGEST_SHA256);
    assert_int_equal(scram_server_first(&server, "n,a=u,n=u,r=x,tokenauth=true", 28, &e), RC_OK);
    scram_server_fini(&server);
}

static enum rc
server_verdict(const char *client_final)
{
    struct scram_server server;
    struct scram_credential credential;
    enum rc rc;

    scram_credential_make(
        &credential, DIGEST_SHA256, "pencil", (const uint8_t *)"0123456789abcdef", 16, 4096);
    scram_server_init(&server, DIGEST_SHA256);
    assert_int_equal(scram_server_first(&server, "n,,n=u,r=abc", 12, &e), RC_OK);
    buf_clear(&out);
    scram_server_challenge(&server, &credential, "def", &out);
    buf_clear(&out);
    rc = scram_server_final(&server, client_final, strlen(client_final), &out, &e);
    scram_server_fini(&server);
    return rc;
}

static void
a_wrong_last_message_of_a_client_is_refused(void **state)
{
#define PROOF "p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    static const char *const bad[] = {"", "c", "c=biws", "c=biws,", "c=biws,r=abcdef",
        "c=biws,r=abcdef,", "c=biws,r=abcdef,p=", "c=biws,r=abcdef,p=AAAA",
        "c=biws,r=abcdex," PROOF, "c=biws,r=abc," PROOF, "c=biwx,r=abcdef," PROOF,
        "c=eSws,r=abcdef," PROOF, "c=biws,r=abcdef," PROOF ",x=1", "r=abcdef,c=biws," PROOF};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(server_verdict(bad[i]), RC_PROTOCOL);
    assert_int_equal(server_verdict("c=biws,r=abcdef," PROOF), RC_DENIED);
    assert_string_equal(buf_text(&out), "e=invalid-proof");
    assert_int_equal(server_verdict("c=biws,r=abcdef,x=ext," PROOF), RC_DENIED);
#undef PROOF
}

static void
mechanisms_are_known_by_name(void **state)
{
    enum digest_kind kind = DIGEST_MD5;

    (void)state;
    assert_int_equal(scram_kind("SCRAM-SHA-256", &kind), RC_OK);
    assert_int_equal(kind, DIGEST_SHA256);
    assert_int_equal(scram_kind("SCRAM-SHA-512", &kind), RC_OK);
    assert_int_equal(kind, DIGEST_SHA512);
    assert_int_equal(scram_kind("SCRAM-SHA-1", &kind), RC_NOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_client_says_what_rfc_7677_says, start, end),
        cmocka_unit_test_setup_teardown(the_server_says_what_rfc_7677_says, start, end),
        cmocka_unit_test_setup_teardown(
            both_sides_agree_with_both_digests_and_any_name, start, end),
        cmocka_unit_test_setup_teardown(a_wrong_password_is_denied, start, end),
        cmocka_unit_test_setup_teardown(
            a_server_that_does_not_know_the_password_is_found_out, start, end),
        cmocka_unit_test_setup_teardown(iterations_outside_the_limits_are_refused, start, end),
        cmocka_unit_test_setup_teardown(a_lying_server_is_refused, start, end),
        cmocka_unit_test_setup_teardown(a_lying_client_is_refused, start, end),
        cmocka_unit_test_setup_teardown(a_wrong_last_message_of_a_client_is_refused, start, end),
        cmocka_unit_test(mechanisms_are_known_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
