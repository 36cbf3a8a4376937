#include "price/risk.h"

#include <math.h>

#include "tests/unit/price/price_inputs.h"

static struct inputs inputs;
static struct risk risk;

static int
begin(void **state)
{
    (void)state;
    price_inputs_init(&inputs);
    return 0;
}

static void
all_known(void)
{
    for (unsigned i = 0; i < SHEET_INPUTS; i++)
        price_inputs_set(&inputs, (enum sheet_value)i, inputs.entries[i].value);
}

static void
what_is_known_does_not_move_a_total(void **state)
{
    (void)state;
    all_known();
    risk_of(&inputs, SHEET_inkless_total, &risk);
    assert_int_equal(risk.count, 0);
    assert_true(risk.low == risk.value && risk.high == risk.value);
}

static void
one_uncertain_input_gives_its_own_ends(void **state)
{
    struct err e;

    (void)state;
    all_known();
    assert_int_equal(inputs_give_pair(&inputs, "database_month=100:700:1000", &e), RC_OK);
    risk_of(&inputs, SHEET_inkless_total, &risk);
    assert_int_equal(risk.count, 1);
    assert_int_equal(risk.swings[0].input, SHEET_database_month);
    assert_true(fabs(risk.value - risk.low - 600) < 1e-6);
    assert_true(fabs(risk.high - risk.value - 300) < 1e-6);
    /* Of nothing that another design pays. */
    risk_of(&inputs, SHEET_classic_total, &risk);
    assert_int_equal(risk.count, 0);
}

static void
two_uncertain_inputs_add_as_squares(void **state)
{
    struct err e;

    (void)state;
    all_known();
    assert_int_equal(inputs_give_pair(&inputs, "database_month=400:700:1000", &e), RC_OK);
    assert_int_equal(inputs_give_pair(&inputs, "ebs_licence=0", &e), RC_OK);
    price_inputs_set(&inputs, SHEET_diskless_controllers, 1);
    /* 730 hours at 0 to 400 / 730 dollars. */
    assert_int_equal(
        inputs_give_pair(&inputs, "controller_hour=0:0.547945205479452:1.095890410958904", &e),
        RC_OK);
    risk_of(&inputs, SHEET_inkless_total, &risk);
    assert_int_equal(risk.count, 2);
    assert_int_equal(risk.swings[0].input, SHEET_controller_hour);
    assert_int_equal(risk.swings[1].input, SHEET_database_month);
    assert_true(fabs(risk.value - risk.low - 500) < 1e-6);
    assert_true(fabs(risk.high - risk.value - 500) < 1e-6);
}

static void
swings_are_ordered_and_the_band_holds_the_value(void **state)
{
    (void)state;
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        risk_of(&inputs, sheet_design((enum sheet_design)d)->total, &risk);
        assert_true(risk.count > 3);
        assert_true(risk.low < risk.value && risk.value < risk.high);
        for (size_t i = 0; i + 1 < risk.count; i++)
            assert_true(fabs(risk.swings[i].at_high - risk.swings[i].at_low) >=
                        fabs(risk.swings[i + 1].at_high - risk.swings[i + 1].at_low));
    }
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_known_does_not_move_a_total),
        TEST(one_uncertain_input_gives_its_own_ends),
        TEST(two_uncertain_inputs_add_as_squares),
        TEST(swings_are_ordered_and_the_band_holds_the_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
