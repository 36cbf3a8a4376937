/* Users with SCRAM credentials: what is kept, and that a server can check a password with it. */
#include "refbroker/meta/scram_users.h"

#include <string.h>

#include "lib/wire/kerr.h"
#include "tests/unit/unit.h"

#define ITERATIONS 4096
#define PASSWORD "pencil"

static const uint8_t salt_bytes[] = {1, 2, 3, 4};
static const struct wire_bytes salt = {salt_bytes, sizeof salt_bytes};

static struct wire_string
text(const char *string)
{
    return (struct wire_string){string, (int32_t)strlen(string)};
}

/* The credential that a client's AlterUserScramCredentials would bring for PASSWORD. */
static struct scram_credential
credential_of(enum scram_mechanism mechanism)
{
    enum digest_kind kind = scram_users_kind(mechanism);
    struct scram_credential credential;
    uint8_t salted[DIGEST_BYTES_MAX];
    struct err e;

    digest_pbkdf2(
        kind, PASSWORD, strlen(PASSWORD), salt_bytes, sizeof salt_bytes, ITERATIONS, salted);
    assert_int_equal(scram_users_credential(mechanism, ITERATIONS, salt,
                         (struct wire_bytes){salted, (int32_t)digest_size(kind)}, &credential, &e),
        RC_OK);
    return credential;
}

static void
what_is_kept_is_what_the_password_gives(void **state)
{
    (void)state;
    for (enum scram_mechanism mechanism = SCRAM_SHA_256; mechanism <= SCRAM_SHA_512; mechanism++) {
        struct scram_credential got = credential_of(mechanism), wanted;

        scram_credential_make(&wanted, scram_users_kind(mechanism), PASSWORD, salt_bytes,
            sizeof salt_bytes, ITERATIONS);
        assert_memory_equal(
            got.stored_key, wanted.stored_key, digest_size(scram_users_kind(mechanism)));
        assert_memory_equal(
            got.server_key, wanted.server_key, digest_size(scram_users_kind(mechanism)));
        assert_int_equal(got.salt_size, sizeof salt_bytes);
        assert_int_equal(got.iterations, ITERATIONS);
    }
}

static void
a_user_goes_with_the_last_credential(void **state)
{
    struct scram_credential one = credential_of(SCRAM_SHA_256), two = credential_of(SCRAM_SHA_512);
    const struct scram_user *user;
    struct scram_users users;
    size_t position = 0;

    (void)state;
    scram_users_init(&users);
    assert_null(scram_users_find(&users, text("anna")));
    scram_users_set(&users, "anna", SCRAM_SHA_256, NULL);
    scram_users_set(&users, "anna", SCRAM_SHA_256, &one);
    scram_users_set(&users, "anna", SCRAM_SHA_512, &two);
    user = scram_users_find(&users, text("anna"));
    assert_non_null(scram_users_get(user, SCRAM_SHA_256));
    assert_non_null(scram_users_get(user, SCRAM_SHA_512));
    assert_null(scram_users_get(user, 0));
    assert_null(scram_users_get(user, 3));
    scram_users_set(&users, "anna", SCRAM_SHA_256, NULL);
    assert_null(scram_users_get(user, SCRAM_SHA_256));
    assert_ptr_equal(scram_users_next(&users, &position), user);
    scram_users_set(&users, "anna", SCRAM_SHA_512, NULL);
    assert_null(scram_users_find(&users, text("anna")));
    scram_users_fini(&users);
}

static void
names_and_numbers_are_judged_as_kafka_does(void **state)
{
    const char *why = NULL;

    (void)state;
    assert_int_equal(scram_users_name_check(text("a"), SCRAM_SHA_512, &why), KE_NONE);
    assert_int_equal(
        scram_users_name_check(text(""), SCRAM_SHA_512, &why), KE_UNACCEPTABLE_CREDENTIAL);
    assert_string_equal(why, "Username must not be empty");
    assert_int_equal(scram_users_name_check(text("a"), 0, &why), KE_UNSUPPORTED_SASL_MECHANISM);
    assert_int_equal(scram_users_iterations_check(4096, &why), KE_NONE);
    assert_int_equal(scram_users_iterations_check(16384, &why), KE_NONE);
    assert_int_equal(scram_users_iterations_check(4095, &why), KE_UNACCEPTABLE_CREDENTIAL);
    assert_string_equal(why, "Too few iterations");
    assert_int_equal(scram_users_iterations_check(16385, &why), KE_UNACCEPTABLE_CREDENTIAL);
    assert_string_equal(why, "Too many iterations");
}

static void
what_is_too_large_or_nothing_is_refused(void **state)
{
    static const uint8_t bytes[SCRAM_SALT_MAX + 1] = {0};
    struct scram_credential credential;
    struct err e;

    (void)state;
    assert_int_equal(scram_users_credential(SCRAM_SHA_256, ITERATIONS,
                         (struct wire_bytes){bytes, sizeof bytes}, salt, &credential, &e),
        RC_LIMIT);
    assert_int_equal(scram_users_credential(SCRAM_SHA_256, ITERATIONS, salt,
                         (struct wire_bytes){NULL, 0}, &credential, &e),
        RC_CONFIG);
    assert_int_equal(scram_users_credential(SCRAM_SHA_256, ITERATIONS, (struct wire_bytes){NULL, 0},
                         salt, &credential, &e),
        RC_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_what_the_password_gives),
        cmocka_unit_test(a_user_goes_with_the_last_credential),
        cmocka_unit_test(names_and_numbers_are_judged_as_kafka_does),
        cmocka_unit_test(what_is_too_large_or_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
