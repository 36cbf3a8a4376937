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

static void
structs_with_the_same_name_are_found(void **state)
{
    struct {
        struct wire_string name;
        int value;
    } items[] = {
        {{"retention.ms", 12}, 1}, {{"retention.bytes", 15}, 2}, {{"retention.ms", 12}, 3}};

    (void)state;
    assert_true(doubled_any(items, sizeof *items, 3));
    assert_false(doubled_any(items, sizeof *items, 2));
    assert_false(doubled_any(NULL, sizeof *items, 0));
    items[2].name.size = 9; /* "retention" */
    assert_false(doubled_any(items, sizeof *items, 3));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_noted_more_than_once_are_doubled),
        cmocka_unit_test(structs_with_the_same_name_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
