#include "refbroker/log/cleaner_range.h"

#include "refbroker/log/cache.h"
#include "tests/unit/unit.h"

#define NOW_MS 1000000
#define RUNS 6

static struct cache cache;
static struct topic topic;
static struct partition *partition;

/* Six runs of ten records and 100 bytes, 100 ms apart, the last one now; all of it in objects. */
static int
setup(void **state)
{
    (void)state;
    cache_init(&cache, 0);
    memset(&topic, 0, sizeof topic);
    topic.configs.values = (struct topic_values){.compacts = true,
        .segment_bytes = 1 << 20,
        .segment_ms = 250,
        .max_compaction_lag_ms = INT64_MAX,
        .min_cleanable_dirty_ratio = 0.5};
    partition = partition_new(&cache, &topic, 0);
    for (int i = 0; i < RUNS; i++)
        run_index_add(&partition->runs, &(struct run){.base_offset = i * 10,
                                            .last_offset = i * 10 + 9,
                                            .max_timestamp = NOW_MS - (RUNS - 1 - i) * 100,
                                            .size = 100});
    partition->committed_end = partition->log_end_offset = partition->high_watermark = RUNS * 10;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    partition_drop(partition);
    return 0;
}

static struct cleaner_range
range(void)
{
    return cleaner_range_of(partition, NOW_MS);
}

static void
the_active_segment_is_not_cleaned(void **state)
{
    (void)state;
    /* 500, 400, 300 | 200, 100, 0 ms ago */
    assert_int_equal(range().end, 30);
    assert_int_equal(range().dirty_bytes, 300);
    topic.configs.values.segment_ms = 99;
    assert_int_equal(range().end, 50);
    topic.configs.values.segment_ms = 500;
    assert_int_equal(range().end, 0);
    assert_false(cleaner_range_is_due(&(struct cleaner_range){0}, &topic.configs.values));
}

static void
a_segment_ends_at_segment_bytes(void **state)
{
    (void)state;
    topic.configs.values.segment_ms = INT64_MAX;
    assert_int_equal(range().end, 0);
    topic.configs.values.segment_bytes = 200;
    assert_int_equal(range().end, 40);
    topic.configs.values.segment_bytes = 1;
    assert_int_equal(range().end, 50);
}

static void
nothing_at_or_above_the_last_stable_offset_is_cleaned(void **state)
{
    struct producer_batch batch = {.producer_id = 1,
        .base_offset = 15,
        .last_offset = 19,
        .base_sequence = 0,
        .last_sequence = 4,
        .is_transactional = true};

    (void)state;
    producers_note(partition_producers(partition), &batch);
    assert_int_equal(partition_last_stable_offset(partition), 15);
    assert_int_equal(range().end, 10);
    assert_int_equal(range().dirty_bytes, 100);
}

static void
segments_younger_than_min_compaction_lag_stay(void **state)
{
    (void)state;
    topic.configs.values.segment_ms = 99;
    topic.configs.values.min_compaction_lag_ms = 300;
    assert_int_equal(range().end, 30);
    topic.configs.values.min_compaction_lag_ms = 301;
    assert_int_equal(range().end, 20);
    topic.configs.values.min_compaction_lag_ms = INT64_MAX;
    assert_int_equal(range().end, 0);
}

static void
what_waits_longer_than_max_compaction_lag_is_overdue_and_closes_segments(void **state)
{
    struct cleaner_range found;

    (void)state;
    topic.configs.values.segment_ms = INT64_MAX;
    topic.configs.values.min_cleanable_dirty_ratio = 1;
    topic.configs.values.max_compaction_lag_ms = 250;
    found = range();
    assert_int_equal(found.end, 30);
    assert_true(found.overdue);
    assert_true(cleaner_range_is_due(&found, &topic.configs.values));
    topic.configs.values.max_compaction_lag_ms = INT64_MAX;
    found = range();
    assert_false(found.overdue);
}

static void
the_share_of_dirty_bytes_decides(void **state)
{
    struct cleaner_range found;

    (void)state;
    topic.configs.values.segment_ms = 99;
    partition->first_dirty_offset = 30;
    found = range();
    assert_int_equal(found.clean_bytes, 300);
    assert_int_equal(found.dirty_bytes, 200);
    assert_int_equal(found.end, 50);
    topic.configs.values.min_cleanable_dirty_ratio = 0.4;
    assert_false(cleaner_range_is_due(&found, &topic.configs.values));
    topic.configs.values.min_cleanable_dirty_ratio = 0.39;
    assert_true(cleaner_range_is_due(&found, &topic.configs.values));
}

static void
what_is_before_the_log_start_is_not_dirty(void **state)
{
    (void)state;
    partition->log_start_offset = 20;
    (void)run_index_trim(&partition->runs, 20);
    assert_int_equal(range().first_dirty, 20);
    partition->first_dirty_offset = RUNS * 10;
    assert_int_equal(range().end, range().first_dirty);
    assert_int_equal(range().dirty_bytes, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_active_segment_is_not_cleaned, setup, teardown),
        cmocka_unit_test_setup_teardown(a_segment_ends_at_segment_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(
            nothing_at_or_above_the_last_stable_offset_is_cleaned, setup, teardown),
        cmocka_unit_test_setup_teardown(
            segments_younger_than_min_compaction_lag_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_waits_longer_than_max_compaction_lag_is_overdue_and_closes_segments, setup,
            teardown),
        cmocka_unit_test_setup_teardown(the_share_of_dirty_bytes_decides, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_before_the_log_start_is_not_dirty, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
