/* The table is held against what its header promises; the facts themselves come from Kafka. */
#include "tests/unit/unit.h"

#include "lib/wire/kerr.h"

/* A table expands in it. */
static void
/* NOLINTNEXTLINE(readability-function-size) */
every_code_from_the_first_to_the_last_has_its_own_row(void **state)
{
    int16_t code, count = 0;

    (void)state;
#define KERR(c, name, retriable, stale, meaning)                                                   \
    assert_int_equal(c, count++ - 1);                                                              \
    assert_string_equal(kerr_name(c), #name);                                                      \
    assert_string_equal(kerr_meaning(c), meaning);                                                 \
    assert_true(kerr_find(#name, &code));                                                          \
    assert_int_equal(code, c);                                                                     \
    assert_int_equal(kerr_is_retriable(c), retriable);                                             \
    assert_int_equal(kerr_is_stale(c), stale);
#include "lib/wire/kerr.def"
#undef KERR
    assert_int_equal(count, 135);
}

static void
an_unknown_code_has_a_name_that_says_so(void **state)
{
    int16_t code;

    (void)state;
    assert_string_equal(kerr_name(134), "CODE_134");
    assert_string_equal(kerr_name(-2), "CODE_-2");
    assert_string_equal(kerr_name(INT16_MIN), "CODE_-32768");
    assert_non_null(kerr_meaning(INT16_MAX));
    assert_false(kerr_is_retriable(1000));
    assert_false(kerr_is_stale(-7));
    assert_false(kerr_find("NO_SUCH", &code));
}

static void
stale_metadata_is_always_worth_a_retry(void **state)
{
    (void)state;
    for (int16_t code = -1; code < 134; code++)
        assert_true(!kerr_is_stale(code) || kerr_is_retriable(code));
    assert_true(kerr_is_stale(KE_NOT_LEADER_OR_FOLLOWER));
    assert_false(kerr_is_retriable(KE_TOPIC_AUTHORIZATION_FAILED));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_from_the_first_to_the_last_has_its_own_row),
        cmocka_unit_test(an_unknown_code_has_a_name_that_says_so),
        cmocka_unit_test(stale_metadata_is_always_worth_a_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
