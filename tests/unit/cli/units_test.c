#include "cli/units.h"

#include <unistd.h>

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static void
sizes_keep_two_or_three_digits(void **state)
{
    char out[UNITS_BYTES];

    (void)state;
    units_bytes(0, out);
    assert_string_equal(out, "0 B");
    units_bytes(999, out);
    assert_string_equal(out, "999 B");
    units_bytes(1500, out);
    assert_string_equal(out, "1.5 kB");
    units_bytes(999999, out);
    assert_string_equal(out, "1.0 MB");
    units_bytes(UINT64_C(412000000000), out);
    assert_string_equal(out, "412 GB");
    units_bytes(UINT64_MAX, out);
    assert_string_equal(out, "18447 PB");
    units_count(3100000, out);
    assert_string_equal(out, "3.1 M");
}

static void
times_are_told_by_their_two_largest_parts(void **state)
{
    char out[UNITS_BYTES];

    (void)state;
    units_seconds(59, out);
    assert_string_equal(out, "59 s");
    units_seconds(385, out);
    assert_string_equal(out, "6 m 25 s");
    units_seconds(3720, out);
    assert_string_equal(out, "1 h 02 m");
}

static void
the_locale_decides_about_utf8(void **state)
{
    (void)state;
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    setenv("LANG", "de_DE.UTF-8", 1);
    assert_true(units_utf8());
    setenv("LC_ALL", "C", 1);
    assert_false(units_utf8());
    setenv("LC_ALL", "C.utf8", 1);
    assert_true(units_utf8());
}

static void
times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"90s", 90}, {"10m", 600}, {"12h", 43200}, {"7d", 604800},
        {"99999999d", INT64_C(8639999913600)}};
    static const char *const bad[] = {"", "7", "d", "7w", "7d1", "-7d", "0s", "100000000s", "7 d"};
    int64_t seconds;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(units_seconds_read(good[i].text, &seconds));
        assert_int_equal(seconds, good[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(units_seconds_read(bad[i], &seconds));
}

static void
without_a_terminal_columns_decides(void **state)
{
    (void)state;
    if (isatty(STDOUT_FILENO) != 0) {
        print_message("stdout is a terminal, which has columns of its own\n");
        skip();
    }
    setenv("COLUMNS", "77", 1);
    assert_int_equal(units_columns(120), 77);
    setenv("COLUMNS", "100000", 1);
    assert_int_equal(units_columns(120), UNITS_COLUMNS_MAX);
    setenv("COLUMNS", "-5", 1);
    assert_int_equal(units_columns(120), 120);
    setenv("COLUMNS", "wide", 1);
    assert_int_equal(units_columns(120), 120);
    unsetenv("COLUMNS");
    assert_int_equal(units_columns(120), 120);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_keep_two_or_three_digits),
        cmocka_unit_test(times_are_told_by_their_two_largest_parts),
        cmocka_unit_test(the_locale_decides_about_utf8),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(without_a_terminal_columns_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
