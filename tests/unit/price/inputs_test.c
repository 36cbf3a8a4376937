#include "price/inputs.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static struct inputs inputs;

static int
begin(void **state)
{
    (void)state;
    inputs_init(&inputs);
    return 0;
}

static void
defaults_lie_in_their_ranges_and_say_why(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SHEET_PARAMETERS; i++) {
        struct inputs_entry entry = inputs.entries[i];
        char text[128];
        struct err e;

        assert_int_equal(entry.origin, INPUTS_DEFAULT);
        assert_true(entry.low <= entry.value && entry.value <= entry.high);
        assert_true(entry.note[0] != '\0');
        /* All three are accepted as well. */
        snprintf(text, sizeof text, "%.17g:%.17g:%.17g", entry.low, entry.value, entry.high);
        assert_int_equal(inputs_give(&inputs, (enum sheet_value)i, text, "x", &e), RC_OK);
        assert_true(inputs.entries[i].value == entry.value);
    }
}

static void
a_value_that_is_given_has_no_range_unless_one_is_given(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(inputs_give(&inputs, SHEET_fan_out, "2.5", "--fan-out", &e), RC_OK);
    assert_true(inputs.entries[SHEET_fan_out].value == 2.5);
    assert_true(inputs.entries[SHEET_fan_out].low == 2.5);
    assert_true(inputs.entries[SHEET_fan_out].high == 2.5);
    assert_int_equal(inputs.entries[SHEET_fan_out].origin, INPUTS_GIVEN);
    assert_string_equal(inputs.entries[SHEET_fan_out].note, "--fan-out");
    assert_int_equal(inputs_give_pair(&inputs, "fan_out=1:2:1e1", &e), RC_OK);
    assert_true(inputs.entries[SHEET_fan_out].low == 1);
    assert_true(inputs.entries[SHEET_fan_out].value == 2);
    assert_true(inputs.entries[SHEET_fan_out].high == 10);
}

static void
what_is_no_number_in_range_is_refused_and_changes_nothing(void **state)
{
    static const char *const texts[] = {"", "-1", "nan", "NaN", "inf", "-inf", "1e999", "1001",
        "0x10", " 1", "1 ", "1,5", "1..2", "e", "+", "1:2", "3:2:1", "1:2:3:4", "1::3", ":",
        "::", "1:2:", "1:nan:2", "1:2:1001",
        "0000000000000000000000000000000000000000000000000000000000000000000001"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct inputs_entry before = inputs.entries[SHEET_fan_out];
        struct err e;

        if (inputs_give(&inputs, SHEET_fan_out, texts[i], "--fan-out", &e) != RC_CONFIG)
            fail_msg("%s is taken", texts[i]);
        assert_memory_equal(&before, &inputs.entries[SHEET_fan_out], sizeof before);
        assert_non_null(strstr(e.text, "--fan-out wants a number from 0 to 1000"));
    }
}

static void
whole_numbers_have_no_fraction(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(inputs_give(&inputs, SHEET_zones, "2.5", "--zones", &e), RC_CONFIG);
    assert_int_equal(inputs_give(&inputs, SHEET_zones, "2", "--zones", &e), RC_OK);
}

static void
a_pair_needs_a_name_that_is_an_input(void **state)
{
    static const struct {
        const char *pair, *said;
    } cases[] = {
        {"zones", "--set wants NAME=VALUE, not zones."},
        {"zone=1", "--set knows no zone. Did you mean zones?"},
        {"=1", "--set knows no ; --explain all lists what there is."},
        {"inkless_total=1",
            "--set inkless_total: that is computed; --explain inkless_total shows from what."},
        {"s3_put_1000=-1", "--set s3_put_1000 wants a number from 0 to 1e+09 ($/1000), or "
                           "LOW:VALUE:HIGH, not -1."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e;

        assert_int_equal(inputs_give_pair(&inputs, cases[i].pair, &e), RC_CONFIG);
        assert_string_equal(e.text, cases[i].said);
    }
}

static void
a_measured_value_out_of_range_is_moved_into_it(void **state)
{
    (void)state;
    inputs_put(&inputs, SHEET_retention_hours, 0, INPUTS_MEASURED, "x");
    assert_true(inputs.entries[SHEET_retention_hours].value > 0);
    inputs_put(&inputs, SHEET_retention_hours, 1e300, INPUTS_MEASURED, "x");
    assert_true(inputs.entries[SHEET_retention_hours].value == 876000);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_lie_in_their_ranges_and_say_why),
        TEST(a_value_that_is_given_has_no_range_unless_one_is_given),
        TEST(what_is_no_number_in_range_is_refused_and_changes_nothing),
        TEST(whole_numbers_have_no_fraction),
        TEST(a_pair_needs_a_name_that_is_an_input),
        TEST(a_measured_value_out_of_range_is_moved_into_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
