#include "lib/base/saturate.h"

#include "tests/unit/unit.h"

static void
sums_that_fit_are_exact(void **state)
{
    (void)state;
    assert_int_equal(saturate_add(2, 3), 5);
    assert_int_equal(saturate_add(-2, 1), -1);
    assert_int_equal(saturate_add(INT64_MAX, INT64_MIN), -1);
    assert_int_equal(saturate_subtract(2, 3), -1);
    assert_int_equal(saturate_subtract(-1, INT64_MAX), INT64_MIN);
}

static void
sums_that_do_not_end_at_the_largest(void **state)
{
    (void)state;
    assert_int_equal(saturate_add(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(saturate_add(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(saturate_subtract(INT64_MIN, 1), INT64_MIN);
    assert_int_equal(saturate_subtract(0, INT64_MIN), INT64_MAX);
    assert_int_equal(saturate_subtract(-2, INT64_MAX), INT64_MIN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_that_fit_are_exact),
        cmocka_unit_test(sums_that_do_not_end_at_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
