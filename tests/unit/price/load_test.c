#include "price/load.h"

#include "tests/unit/price/price_inputs.h"

static struct inputs inputs;
static struct load load;

static int
begin(void **state)
{
    (void)state;
    price_inputs_init(&inputs);
    memset(&load, 0, sizeof load);
    load.origin = INPUTS_MEASURED;
    return 0;
}

static double
value(enum sheet_value input)
{
    return inputs.entries[input].value;
}

static void
what_is_not_known_stays_a_default(void **state)
{
    struct inputs before = inputs;

    (void)state;
    load_miss(&load.produced, "nobody looked %d times", 2);
    assert_string_equal(load.produced.how, "nobody looked 2 times");
    load_apply(&load, &inputs);
    assert_memory_equal(&before, &inputs, sizeof before);
}

static void
what_is_known_beats_defaults_and_says_how(void **state)
{
    (void)state;
    load_know(&load.brokers, 7, "counted at %s", "noon");
    load_know(&load.produced, 5e6, "watched");
    load_apply(&load, &inputs);
    assert_true(value(SHEET_brokers) == 7);
    assert_int_equal(inputs.entries[SHEET_brokers].origin, INPUTS_MEASURED);
    assert_string_equal(inputs.entries[SHEET_brokers].note, "counted at noon");
    assert_true(value(SHEET_produce_mbps) == 5);
}

static void
what_is_given_beats_what_is_known(void **state)
{
    (void)state;
    price_inputs_set(&inputs, SHEET_fan_out, 9);
    price_inputs_set(&inputs, SHEET_retention_hours, 24);
    load_know(&load.fan_out, 2, "x");
    load_know(&load.produced, 1e6, "x");
    load_know(&load.stored, 1e9, "x");
    load_apply(&load, &inputs);
    assert_true(value(SHEET_fan_out) == 9);
    assert_true(value(SHEET_retention_hours) == 24);
}

static void
retention_is_what_is_stored_through_what_is_produced(void **state)
{
    (void)state;
    load_know(&load.produced, 1e6, "x");
    load_know(&load.stored, 7.2e9, "x");
    load_apply(&load, &inputs);
    assert_true(value(SHEET_retention_hours) == 2);
    /* An audit knows no rate; the user does. */
    begin(NULL);
    price_inputs_set(&inputs, SHEET_produce_mbps, 2);
    load_know(&load.stored, 7.2e9, "x");
    load_apply(&load, &inputs);
    assert_true(value(SHEET_retention_hours) == 1);
    /* Nobody does. */
    begin(NULL);
    load_know(&load.stored, 7.2e9, "x");
    load_apply(&load, &inputs);
    assert_int_equal(inputs.entries[SHEET_retention_hours].origin, INPUTS_DEFAULT);
}

static void
measured_bytes_are_compressed_already(void **state)
{
    double values[SHEET_VALUES];

    (void)state;
    price_inputs_set(&inputs, SHEET_compression_ratio, 4);
    load_know(&load.produced, 3e6, "x");
    load_know(&load.stored, 3e6 * 3600, "x");
    load_apply(&load, &inputs);
    inputs_values(&inputs, values);
    sheet_compute(values);
    assert_true(values[SHEET_wire_mbps] == 3);
    assert_true(value(SHEET_retention_hours) == 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_known_stays_a_default),
        TEST(what_is_known_beats_defaults_and_says_how),
        TEST(what_is_given_beats_what_is_known),
        TEST(retention_is_what_is_stored_through_what_is_produced),
        TEST(measured_bytes_are_compressed_already),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
