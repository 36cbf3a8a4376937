/* The formulas: the worked examples of two cost studies, to the digits that they print, and what a
 * sheet of formulas must be. */
#include "price/sheet.h"

#include <math.h>

#include "lib/base/xalloc.h"
#include "price/book.h"
#include "tests/unit/unit.h"

static double values[SHEET_VALUES];

struct setting {
    enum sheet_value input;
    double value;
};

static void
defaults(void)
{
    static struct inputs inputs;
    struct err e;

    inputs_init(&inputs);
    assert_int_equal(
        book_read(&inputs, book_builtin(), strlen(book_builtin()), BOOK_BUILTIN, &e), RC_OK);
    inputs_values(&inputs, values);
}

static void
set(const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[settings[i].input] = settings[i].value;
    sheet_compute(values);
}

/* `got` rounds to `want`, whose last digit stands for `unit`. */
static void
expect_near(const char *name, double got, double want, double unit)
{
    if (!(fabs(got - want) <= unit * 0.5 + 1e-9))
        fail_msg("%s is %.6f, wanted %.6f", name, got, want);
}
#define expect(name, want, unit) expect_near(#name, values[SHEET_##name], want, unit)

/* --- 100 MB/s, 72 h, six brokers, 60 % disk fill, decimal gigabytes --------------------------- */

static const struct setting six_brokers[] = {
    {SHEET_produce_mbps, 100},
    {SHEET_fan_out, 3},
    {SHEET_retention_hours, 72},
    {SHEET_zones, 3},
    {SHEET_replication_factor, 3},
    {SHEET_disk_fill, 0.6},
    {SHEET_brokers, 6},
    {SHEET_diskless_brokers, 6},
    {SHEET_peak, 1},
    {SHEET_cold_reads, 0},
    {SHEET_follower_fetch, 0},
    {SHEET_gb_bytes, 1e9},
    {SHEET_database_month, 700},
    /* What the example leaves out. */
    {SHEET_controllers, 0},
    {SHEET_diskless_controllers, 0},
    {SHEET_inkless_rewrite, 0},
    {SHEET_inkless_garbage, 0},
    {SHEET_metadata_share, 0},
    {SHEET_automq_verify, 0},
    {SHEET_automq_router_requests, 0},
    {SHEET_automq_rewrite, 1},
    {SHEET_compaction_get_mib, 16},
};

static void
six_brokers_of_classic_kafka_cost_what_the_study_says(void **state)
{
    (void)state;
    defaults();
    set(six_brokers, ARRAY_LEN(six_brokers));
    expect(in_gb, 262800, 1);
    expect(held_gb, 25920, 1);
    expect(classic_disk, 10368, 1);
    expect(classic_replication, 10512, 1);
    expect(classic_producers, 3504, 1);
    expect(classic_consumers, 10512, 1);
    expect(classic_instances, 1430, 1);
    expect(classic_throughput, 0, 1);
    expect(classic_total, 36300, 100);
    values[SHEET_follower_fetch] = 1;
    sheet_compute(values);
    expect(classic_consumers, 0, 1);
    expect(classic_total, 25800, 100);
}

static void
six_brokers_of_inkless_cost_what_the_study_says(void **state)
{
    (void)state;
    defaults();
    set(six_brokers, ARRAY_LEN(six_brokers));
    expect(inkless_puts, 24, 1);
    expect(inkless_put_cost, 315, 1);
    expect(inkless_gets, 48, 1);
    expect(inkless_get_cost, 50, 1);
    expect(inkless_objects, 596, 1);
    expect(inkless_instances, 1430, 1);
    expect(inkless_clients, 0, 1);
    expect(inkless_total, 3100, 100);
}

static void
six_brokers_of_automq_cost_what_the_study_says(void **state)
{
    (void)state;
    defaults();
    set(six_brokers, ARRAY_LEN(six_brokers));
    expect(automq_wal_cost, 315, 1);
    expect(automq_upload_cost, 78, 1);
    expect(automq_compaction_cost, 85, 1);
    expect(automq_instances, 1430, 1);
    expect(automq_total, 2500, 100);
}

/* The study prints $600, which is its own formula without the garbage of 5 to 10 % that stands in
 * it. The formula is kept. */
static void
garbage_in_automqs_objects_is_paid(void **state)
{
    (void)state;
    defaults();
    set(six_brokers, ARRAY_LEN(six_brokers));
    expect(automq_objects, 626, 1);
    values[SHEET_automq_garbage] = 0.1;
    sheet_compute(values);
    expect(automq_objects, 656, 1);
    values[SHEET_automq_garbage] = 0;
    sheet_compute(values);
    expect(automq_objects, 600, 10);
}

static void
requests_cost_60_dollars_a_terabyte_at_1_mbps_and_a_hundredth_at_100(void **state)
{
    static const double rates[] = {1, 10, 100}, per_tb[] = {60, 6, 0.6}, units[] = {1, 0.1, 0.01};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        defaults();
        set(six_brokers, ARRAY_LEN(six_brokers));
        values[SHEET_brokers] = values[SHEET_diskless_brokers] = 3;
        values[SHEET_produce_mbps] = rates[i];
        sheet_compute(values);
        expect(inkless_puts, 12, 1);
        expect(inkless_put_cost, 158, 1);
        expect_near("dollars per TB", values[SHEET_inkless_put_cost] / values[SHEET_in_gb] * 1000,
            per_tb[i], units[i]);
    }
}

static void
batches_of_16_kib_make_1_6_billion_rows(void **state)
{
    (void)state;
    defaults();
    set(six_brokers, ARRAY_LEN(six_brokers));
    expect(batch_rows, 1.6e9, 1e8);
    assert_true(values[SHEET_coalesced_rows] <= values[SHEET_batch_rows]);
}

/* By hand: 25,920 GB are there and 262,800 GB come in a month; two thirds of what is copied cross a
 * zone twice, and so does what is read on both sides to verify. */
static void
a_month_of_both_estates_costs_the_new_one_and_the_copy(void **state)
{
    (void)state;
    defaults();
    set(six_brokers, ARRAY_LEN(six_brokers));
    values[SHEET_overlap_days] = 730.0 / 24;
    sheet_compute(values);
    expect(copy_gb, 288720, 1);
    expect(copy_crossing_gb, 419520, 1);
    expect(copy_traffic, 8390.4, 0.1);
    expect(copy_machines, 119.1, 0.1);
    expect(copy_requests, 16.07, 0.01);
    expect_near("overlap", values[SHEET_overlap_inkless],
        values[SHEET_inkless_total] + 8390.4 + 119.1 + 16.07, 1);
    expect_near("old", values[SHEET_overlap_old], values[SHEET_classic_best], 0.01);
    /* Another region. */
    values[SHEET_copy_transfer_gb] = 0.09;
    sheet_compute(values);
    expect(copy_traffic, 8390.4 + 288720 * 0.09, 0.1);
}

static void
brokers_are_the_most_that_anything_asks_for(void **state)
{
    static const struct {
        struct setting setting;
        double classic, tiered, inkless;
    } cases[] = {
        {{SHEET_zones, 5}, 5, 5, 5},
        {{SHEET_replication_factor, 4}, 4, 4, 3},
        {{SHEET_partitions, 10000}, 8, 8, 3},
        /* 1000 MB/s, sent to two followers and one reader, 937.5 MB/s per broker at most. */
        {{SHEET_produce_mbps, 1000}, 4, 4, 3},
        {{SHEET_broker_disk_gb_max, 1000}, 13, 3, 3},
        {{SHEET_brokers, 2}, 2, 2, 3},
        {{SHEET_diskless_brokers, 9}, 3, 3, 9},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        defaults();
        values[SHEET_produce_mbps] = 10;
        values[SHEET_peak] = values[SHEET_fan_out] = 1;
        values[SHEET_nic_gbps] = 7.5;
        values[SHEET_nic_use] = 1;
        values[SHEET_retention_hours] = 72;
        values[SHEET_local_retention_hours] = 1;
        values[SHEET_broker_disk_gb_max] = 1e6;
        set(&cases[i].setting, 1);
        expect(classic_brokers, cases[i].classic, 1);
        expect(tiered_brokers, cases[i].tiered, 1);
        expect(inkless_brokers, cases[i].inkless, 1);
    }
}

/* --- 100 MiB/s and 1 GiB/s, a week, 75 % disk fill, binary gigabytes -------------------------- */

static const struct setting a_week[] = {
    {SHEET_fan_out, 3},
    {SHEET_retention_hours, 168},
    {SHEET_zones, 3},
    {SHEET_replication_factor, 3},
    {SHEET_disk_fill, 0.75},
    {SHEET_local_retention_hours, 6},
    {SHEET_peak, 1},
    {SHEET_cold_reads, 0},
    {SHEET_follower_fetch, 0},
    {SHEET_gb_bytes, 1073741824},
    {SHEET_nic_gbps, 7.5},
    {SHEET_broker_disk_gb_max, 1e6},
    {SHEET_segment_files, 1},
    {SHEET_inkless_rewrite, 1},
    {SHEET_automq_rewrite, 0.5},
    {SHEET_compaction_get_mib, 4},
    {SHEET_classic_broker_hour, 0.6528},
    {SHEET_inkless_broker_hour, 0.71808},
    {SHEET_automq_broker_hour, 0.6528},
    {SHEET_database_month, 600},
    /* What the example leaves out. */
    {SHEET_diskless_controllers, 0},
    {SHEET_inkless_garbage, 0},
    {SHEET_automq_garbage, 0},
    {SHEET_automq_router_requests, 0},
    {SHEET_ebs_fetch_local, 1},
};

static void
a_week_at(double gib_per_s, double diskless_brokers)
{
    defaults();
    values[SHEET_produce_mbps] = gib_per_s * 1073.741824;
    values[SHEET_diskless_brokers] = diskless_brokers;
    values[SHEET_object_caches] = diskless_brokers;
    set(a_week, ARRAY_LEN(a_week));
}

static void
a_week_of_100_mibps_on_classic_kafka(void **state)
{
    (void)state;
    a_week_at(100.0 / 1024, 3);
    expect(in_gb, 256641, 1);
    expect(held_gb, 59062.5, 1);
    expect(classic_brokers, 3, 1);
    expect_near(
        "instances", values[SHEET_classic_instances] + values[SHEET_classic_controllers], 1608, 1);
    expect(classic_disk, 18900, 1);
    expect(classic_replication, 10266, 1);
    expect(classic_producers, 3422, 1);
    expect(classic_consumers, 10266, 1);
    expect(classic_total, 44461, 1);
    expect_near("$/GiB", values[SHEET_classic_total] / values[SHEET_in_gb], 0.173, 0.001);
    values[SHEET_follower_fetch] = 1;
    sheet_compute(values);
    expect(classic_total, 34196, 1);
    expect_near("disks and objects",
        values[SHEET_tiered_disk] + values[SHEET_tiered_objects] + values[SHEET_tiered_requests],
        2108, 1);
    expect(tiered_total, 17404, 1);
}

static void
a_week_of_100_mibps_on_diskless_kafka(void **state)
{
    (void)state;
    a_week_at(100.0 / 1024, 3);
    expect(inkless_puts, 12.5, 0.1);
    expect(inkless_instances, 1573, 1);
    expect(inkless_objects, 1351, 1);
    expect(inkless_put_cost, 164, 1);
    expect(inkless_get_cost, 26, 1);
    expect(inkless_rewrite_cost, 82 + 13, 1);
    expect(inkless_metadata, 7, 1);
    expect(inkless_total, 3816, 1);
    expect_near("PUTs of automq-s3",
        2628 * values[SHEET_s3_put_1000] *
            (values[SHEET_automq_wal_puts] + values[SHEET_automq_upload_puts] +
                values[SHEET_automq_compaction_puts]),
        287, 1);
    expect_near("GETs of automq-s3",
        2628 * values[SHEET_s3_get_1000] *
            (values[SHEET_automq_wal_puts] + values[SHEET_automq_compaction_gets]),
        26, 1);
    expect(automq_total, 3094, 1);
    expect(ebs_volumes, 5, 1);
    expect(ebs_producers, 3422, 1);
    expect(ebs_total, 6343, 1);
}

static void
a_week_of_1_gibps(void **state)
{
    (void)state;
    a_week_at(1, 6);
    expect(classic_brokers, 12, 1);
    expect(classic_total, 444713, 1);
    expect(inkless_puts, 128, 1);
    expect(inkless_gets, 640, 1);
    expect(inkless_total, 20411, 1);
    expect(automq_objects, 13264, 1);
    expect(automq_total, 19336, 1);
    values[SHEET_follower_fetch] = 1;
    /* WAL volumes are bought with a quarter to spare. */
    values[SHEET_peak] = 1.25;
    values[SHEET_brokers] = 12;
    sheet_compute(values);
    expect(classic_total, 339593, 1);
    /* The study leaves out that few volumes must be fast. */
    expect_near("tiered without throughput",
        values[SHEET_tiered_total] - values[SHEET_tiered_throughput], 167074, 1);
    expect_near("volumes", values[SHEET_ebs_volumes] + values[SHEET_ebs_throughput], 31, 1);
    expect(ebs_total, 52590, 1);
}

static void
an_object_pays_from_131_to_184_kib(void **state)
{
    static const double caches[] = {1, 3, 6}, kib[] = {131, 152, 184};

    (void)state;
    a_week_at(1, 6);
    for (size_t i = 0; i < ARRAY_LEN(caches); i++) {
        values[SHEET_object_caches] = caches[i];
        sheet_compute(values);
        expect(break_even_kib, kib[i], 1);
    }
}

static void
at_low_load_puts_cost_13_dollars_per_broker_and_second_of_interval(void **state)
{
    static const double interval_ms[] = {10, 50, 100, 250, 1000};
    static const double brokers[] = {3, 6, 30};
    static const double want[5][3] = {
        {3942, 7884, 39420}, {788, 1577, 7884}, {394, 788, 3942}, {158, 315, 1577}, {39, 79, 394}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(interval_ms); i++)
        for (size_t k = 0; k < ARRAY_LEN(brokers); k++) {
            a_week_at(1.0 / 1024, brokers[k]);
            values[SHEET_commit_interval_ms] = interval_ms[i];
            sheet_compute(values);
            expect(inkless_put_cost, want[i][k], 1);
        }
}

/* --- the sheet -------------------------------------------------------------------------------- */

static void
a_total_is_the_sum_of_its_costs(void **state)
{
    size_t count;
    const struct sheet_cost *costs = sheet_costs(&count);

    (void)state;
    defaults();
    /* Prices and shares at which every cost is above 0. */
    values[SHEET_follower_fetch] = values[SHEET_zone_hint] = values[SHEET_automq_router] = 0.5;
    values[SHEET_automq_fetch_local] = 0.5;
    values[SHEET_ebs_licence] = 1000;
    values[SHEET_volume_mibps_free] = 1;
    sheet_compute(values);
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        double sum = 0;

        for (size_t i = 0; i < count; i++)
            if (costs[i].design == d) {
                assert_true(values[costs[i].value] > 0);
                sum += values[costs[i].value];
            }
        expect_near(sheet_design((enum sheet_design)d)->name,
            values[sheet_design((enum sheet_design)d)->total], sum, 1e-6);
    }
}

static void
every_name_in_a_formula_stands_above_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SHEET_VALUES; i++) {
        const char *text = sheet_row((enum sheet_value)i)->text;
        enum sheet_value part;
        size_t parts = 0;

        assert_int_equal(sheet_find(sheet_row((enum sheet_value)i)->name,
                             strlen(sheet_row((enum sheet_value)i)->name)),
            i);
        assert_int_equal(text == NULL, i < SHEET_INPUTS);
        while (text != NULL && (part = sheet_next(&text)) != SHEET_VALUES) {
            assert_true(part < i);
            parts++;
        }
        assert_true(i < SHEET_INPUTS || parts > 0);
    }
}

static void
a_name_nearly_right_is_found(void **state)
{
    (void)state;
    assert_string_equal(sheet_nearest("disk_fil", SHEET_INPUTS), "disk_fill");
    assert_null(sheet_nearest("inkless_total", SHEET_INPUTS));
    assert_string_equal(sheet_nearest("inkless_totl", SHEET_VALUES), "inkless_total");
    assert_null(sheet_nearest("nothing_like_it_at_all", SHEET_VALUES));
}

/* Smallest and largest inputs that are accepted, each alone: no total is negative or no number. */
static void
totals_are_numbers_for_all_that_is_accepted(void **state)
{
    static const double ends[][2] = {
#define PARAMETER(name, kind, unit, base, low, high, min, max, what, source) {min, max},
#include "price/parameters.def"
#define PRICE(name, unit, what) {0, 1e9},
#include "price/prices.def"
    };

    (void)state;
    for (unsigned i = 0; i < SHEET_INPUTS; i++)
        for (unsigned k = 0; k < 2; k++) {
            defaults();
            values[i] = ends[i][k];
            sheet_compute(values);
            for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
                double total = values[sheet_design((enum sheet_design)d)->total];

                if (!isfinite(total) || total < 0)
                    fail_msg("%s at %g: %s is %g", sheet_row((enum sheet_value)i)->name, ends[i][k],
                        sheet_design((enum sheet_design)d)->name, total);
            }
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_brokers_of_classic_kafka_cost_what_the_study_says),
        cmocka_unit_test(six_brokers_of_inkless_cost_what_the_study_says),
        cmocka_unit_test(six_brokers_of_automq_cost_what_the_study_says),
        cmocka_unit_test(garbage_in_automqs_objects_is_paid),
        cmocka_unit_test(requests_cost_60_dollars_a_terabyte_at_1_mbps_and_a_hundredth_at_100),
        cmocka_unit_test(batches_of_16_kib_make_1_6_billion_rows),
        cmocka_unit_test(a_month_of_both_estates_costs_the_new_one_and_the_copy),
        cmocka_unit_test(brokers_are_the_most_that_anything_asks_for),
        cmocka_unit_test(a_week_of_100_mibps_on_classic_kafka),
        cmocka_unit_test(a_week_of_100_mibps_on_diskless_kafka),
        cmocka_unit_test(a_week_of_1_gibps),
        cmocka_unit_test(an_object_pays_from_131_to_184_kib),
        cmocka_unit_test(at_low_load_puts_cost_13_dollars_per_broker_and_second_of_interval),
        cmocka_unit_test(a_total_is_the_sum_of_its_costs),
        cmocka_unit_test(every_name_in_a_formula_stands_above_it),
        cmocka_unit_test(a_name_nearly_right_is_found),
        cmocka_unit_test(totals_are_numbers_for_all_that_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
