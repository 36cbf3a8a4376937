#include "price/cliff.h"

#include <math.h>

#include "tests/unit/price/price_inputs.h"

static struct inputs inputs;

static int
begin(void **state)
{
    (void)state;
    price_inputs_init(&inputs);
    return 0;
}

static double
value_at(enum sheet_value input, double at, enum sheet_value value)
{
    double values[SHEET_VALUES];

    inputs_values(&inputs, values);
    values[input] = at;
    sheet_compute(values);
    return values[value];
}

static struct cliff
find(enum sheet_value input, enum sheet_value total, enum sheet_value against)
{
    for (size_t i = 0; i < CLIFF_INPUTS; i++)
        if (cliff_ranges()[i].input == input)
            return cliff_find(&inputs, &cliff_ranges()[i], total, against);
    fail();
    return (struct cliff){.kind = CLIFF_NEVER};
}

static void
diskless_is_dearer_just_below_the_rate_and_cheaper_from_it_on(void **state)
{
    struct cliff cliff = find(SHEET_produce_mbps, SHEET_inkless_total, SHEET_classic_best);

    (void)state;
    assert_int_equal(cliff.kind, CLIFF_BELOW);
    assert_true(cliff.at > 1 && cliff.at < 100);
    assert_true(value_at(SHEET_produce_mbps, cliff.at * 0.9999, SHEET_inkless_total) >
                value_at(SHEET_produce_mbps, cliff.at * 0.9999, SHEET_classic_best));
    for (unsigned step = 0; step < 60; step++) {
        double at = cliff.at * pow(1.1, step + 0.001);

        assert_true(value_at(SHEET_produce_mbps, at, SHEET_inkless_total) <=
                    value_at(SHEET_produce_mbps, at, SHEET_classic_best));
    }
}

/* Requests alone, with a hand-made solution: three brokers write 12 objects a second, $157.68 a
 * month; followers' traffic costs 2 * 2.628 * $20 per MB/s. They are the same at 1.5 MB/s. */
static void
requests_cost_what_replication_costs_at_one_and_a_half_mbps(void **state)
{
    struct cliff cliff;

    (void)state;
    price_inputs_set(&inputs, SHEET_diskless_brokers, 3);
    cliff = find(SHEET_produce_mbps, SHEET_inkless_put_cost, SHEET_classic_replication);
    assert_int_equal(cliff.kind, CLIFF_BELOW);
    assert_true(fabs(cliff.at - 1.5) < 1e-5);
}

static void
free_traffic_makes_diskless_dearer_everywhere_that_requests_cost_more_than_disks(void **state)
{
    (void)state;
    price_inputs_set(&inputs, SHEET_zone_gb, 0);
    price_inputs_set(&inputs, SHEET_volume_gb, 0);
    price_inputs_set(&inputs, SHEET_brokers, 3);
    price_inputs_set(&inputs, SHEET_diskless_brokers, 3);
    price_inputs_set(&inputs, SHEET_volume_mibps, 0);
    assert_int_equal(
        find(SHEET_produce_mbps, SHEET_inkless_total, SHEET_classic_total).kind, CLIFF_ALWAYS);
    assert_int_equal(
        find(SHEET_produce_mbps, SHEET_classic_total, SHEET_inkless_total).kind, CLIFF_NEVER);
}

static void
what_gets_dearer_with_readers_is_dearer_above(void **state)
{
    struct cliff cliff;

    (void)state;
    price_inputs_set(&inputs, SHEET_follower_fetch, 1);
    price_inputs_set(&inputs, SHEET_ebs_fetch_local, 0);
    cliff = find(SHEET_fan_out, SHEET_ebs_total, SHEET_classic_best);
    assert_int_equal(cliff.kind, CLIFF_ABOVE);
    assert_true(value_at(SHEET_fan_out, cliff.at * 1.0001, SHEET_ebs_total) >
                value_at(SHEET_fan_out, cliff.at * 1.0001, SHEET_classic_best));
    assert_true(value_at(SHEET_fan_out, cliff.at * 0.9999, SHEET_ebs_total) <=
                value_at(SHEET_fan_out, cliff.at * 0.9999, SHEET_classic_best));
}

static void
partitions_that_need_more_classic_brokers_are_counted_whole(void **state)
{
    struct cliff cliff;

    (void)state;
    price_inputs_set(&inputs, SHEET_produce_mbps, 2);
    cliff = find(SHEET_partitions, SHEET_inkless_total, SHEET_classic_best);
    assert_int_equal(cliff.kind, CLIFF_BELOW);
    assert_true(cliff.at == floor(cliff.at));
    assert_true(value_at(SHEET_partitions, cliff.at, SHEET_inkless_total) <=
                value_at(SHEET_partitions, cliff.at, SHEET_classic_best));
    assert_true(value_at(SHEET_partitions, cliff.at - 1, SHEET_inkless_total) >
                value_at(SHEET_partitions, cliff.at - 1, SHEET_classic_best));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(diskless_is_dearer_just_below_the_rate_and_cheaper_from_it_on),
        TEST(requests_cost_what_replication_costs_at_one_and_a_half_mbps),
        TEST(free_traffic_makes_diskless_dearer_everywhere_that_requests_cost_more_than_disks),
        TEST(what_gets_dearer_with_readers_is_dearer_above),
        TEST(partitions_that_need_more_classic_brokers_are_counted_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
