/* The life of a partition, its offsets, and OffsetForLeaderEpoch's answers as Kafka's
 * LeaderEpochFileCache gives them. */
#include "refbroker/log/partition.h"

#include "refbroker/log/cache.h"
#include "refbroker/meta/topics.h"
#include "tests/unit/unit.h"

static struct cache cache;
static struct topic topic = {.topic_id = {{1, 2, 3}}};

static int
setup(void **state)
{
    cache_init(&cache, 1 << 20);
    *state = partition_new(&cache, &topic, 7);
    return 0;
}

static int
teardown(void **state)
{
    partition_drop(*state);
    blob_trim();
    return 0;
}

static void
a_new_partition_is_empty_and_belongs_to_its_topic(void **state)
{
    const struct partition *partition = *state;

    assert_ptr_equal(partition->topic, &topic);
    assert_memory_equal(&partition->topic_id, &topic.topic_id, sizeof topic.topic_id);
    assert_int_equal(partition->index, 7);
    assert_int_equal(partition->high_watermark, 0);
    assert_int_equal(partition->log_end_offset, 0);
    assert_false(partition->stopped);
    assert_null(partition->producers);
    assert_int_equal(partition_last_stable_offset(partition), 0);
}

static void
a_held_partition_outlives_its_topic(void **state)
{
    struct partition *partition = partition_new(&cache, &topic, 0);
    struct blob *blob = blob_new(10);

    (void)state;
    cache_add(partition, blob, blob->data, 10, 0, 0, 0);
    partition_hold(partition);
    partition_drop(partition);
    assert_null(partition->topic);
    assert_true(partition->stopped);
    assert_int_equal(partition->cached.count, 0);
    assert_int_equal(blob->refs, 1);
    assert_memory_equal(&partition->topic_id, &topic.topic_id, sizeof topic.topic_id);
    partition_release(partition);
    blob_unref(blob);
}

static void
the_last_stable_offset_stops_at_the_oldest_open_transaction(void **state)
{
    struct partition *partition = *state;
    struct producer_batch batch = {
        .producer_id = 9, .base_offset = 40, .last_offset = 42, .is_transactional = true};

    partition->high_watermark = 100;
    assert_int_equal(partition_last_stable_offset(partition), 100);
    producers_note(partition_producers(partition), &batch);
    assert_ptr_equal(partition_producers(partition), partition->producers);
    assert_int_equal(partition_last_stable_offset(partition), 40);
    partition->high_watermark = 30;
    assert_int_equal(partition_last_stable_offset(partition), 30);
    partition->high_watermark = 100;
    producers_note_marker(partition->producers, 9, 0, 0, 50, 0, true);
    assert_int_equal(partition_last_stable_offset(partition), 100);
}

static void
the_size_is_that_of_runs_and_of_batches_that_are_in_none(void **state)
{
    struct partition *partition = *state;
    struct run run = {.base_offset = 0, .last_offset = 9, .size = 700};
    struct blob *blob = blob_new(30);

    assert_int_equal(partition_bytes(partition), 0);
    cache_add(partition, blob, blob->data, 30, 0, 9, 0);
    assert_int_equal(partition_bytes(partition), 30);
    cache_commit(partition, 10);
    run_index_add(&partition->runs, &run);
    cache_add(partition, blob, blob->data, 20, 10, 10, 0);
    assert_int_equal(partition_bytes(partition), 720);
    blob_unref(blob);
}

static void
assert_epoch_end(
    const struct partition *partition, int32_t epoch, int32_t found, int64_t end_offset)
{
    int32_t got_epoch = -2;
    int64_t got_end = -2;

    partition_epoch_end(partition, epoch, &got_epoch, &got_end);
    assert_int_equal(got_epoch, found);
    assert_int_equal(got_end, end_offset);
}

static void
an_epoch_ends_where_the_next_known_one_begins(void **state)
{
    struct partition *partition = *state;

    partition_epoch_start(partition, 2, 0);
    partition_epoch_start(partition, 4, 11);
    partition_epoch_start(partition, 7, 20);
    partition->leader_epoch = 7;
    partition->high_watermark = partition->log_end_offset = 30;
    assert_epoch_end(partition, 2, 2, 11);
    assert_epoch_end(partition, 3, 2, 11);
    assert_epoch_end(partition, 4, 4, 20);
    assert_epoch_end(partition, 6, 4, 20);
    assert_epoch_end(partition, 7, 7, 30);
}

static void
an_epoch_before_all_known_ones_ends_where_the_log_begins(void **state)
{
    struct partition *partition = *state;

    partition_epoch_start(partition, 5, 17);
    partition->leader_epoch = 5;
    partition->high_watermark = partition->log_end_offset = 30;
    assert_epoch_end(partition, 4, 4, 17);
    assert_epoch_end(partition, 0, 0, 17);
}

static void
a_future_epoch_and_no_epoch_are_unknown(void **state)
{
    struct partition *partition = *state;

    assert_epoch_end(partition, 0, 0, 0);
    assert_epoch_end(partition, 1, -1, -1);
    partition_epoch_start(partition, 1, 0);
    partition->leader_epoch = 1;
    assert_epoch_end(partition, 2, -1, -1);
    assert_epoch_end(partition, INT32_MAX, -1, -1);
    assert_epoch_end(partition, -1, -1, -1);
    assert_epoch_end(partition, INT32_MIN, -1, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_new_partition_is_empty_and_belongs_to_its_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_size_is_that_of_runs_and_of_batches_that_are_in_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_held_partition_outlives_its_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_last_stable_offset_stops_at_the_oldest_open_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_epoch_ends_where_the_next_known_one_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_epoch_before_all_known_ones_ends_where_the_log_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(a_future_epoch_and_no_epoch_are_unknown, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
