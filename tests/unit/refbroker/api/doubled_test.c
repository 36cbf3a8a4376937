#include "refbroker/api/doubled.h"

#include "tests/unit/unit.h"

static void
keys_noted_more_than_once_are_doubled(void **state)
{
    struct doubled doubled;

    (void)state;
    doubled_init(&doubled);
    assert_false(doubled_is(&doubled, "a", 1));
    doubled_note(&doubled, "a", 1);
    doubled_note(&doubled, "b", 1);
    doubled_note(&doubled, "", 0);
    assert_false(doubled_is(&doubled, "a", 1));
    assert_false(doubled_is(&doubled, "", 0));
    doubled_note(&doubled, "a", 1);
    doubled_note(&doubled, "", 0);
    assert_true(doubled_is(&doubled, "a", 1));
    assert_true(doubled_is(&doubled, "", 0));
    assert_false(doubled_is(&doubled, "b", 1));
    doubled_note(&doubled, "a", 1);
    assert_true(doubled_is(&doubled, "a", 1));
    assert_false(doubled_is(&doubled, "ab", 2));
    doubled_fini(&doubled);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_noted_more_than_once_are_doubled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
