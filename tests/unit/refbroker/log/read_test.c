#include "refbroker/log/read.h"

#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/crc32c.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX 65536
#define OBJECT_ID 1000

static struct broker_world world;
static struct buf object;

static int
setup(void **state)
{
    (void)state;
    broker_world_init(&world, 1);
    buf_init(&object, BYTES_MAX);
    return broker_world_start(&world) != NULL;
}

static int
teardown(void **state)
{
    (void)state;
    broker_world_fini(&world);
    buf_fini(&object);
    return 0;
}

/* Puts a run of one batch with one record into the partition's log, or without, as the cleaner
 * leaves it. */
static void
run_add(struct partition *partition, int64_t offset, int64_t timestamp, bool is_empty)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {
        .offset = offset, .timestamp = timestamp, .key = "k", .key_size = 1};
    struct batch_builder builder;
    struct batch_view batch;
    struct buf full;
    struct run run = {.base_offset = offset,
        .last_offset = offset,
        .max_timestamp = timestamp,
        .log_append_time = -1,
        .object_id = OBJECT_ID,
        .position = (int64_t)object.size};

    buf_init(&full, BYTES_MAX);
    options.base_offset = offset;
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_append(&builder, &record, NULL), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &full, NULL), RC_OK);
    assert_int_equal(batch_view_parse(full.data, full.size, &batch, NULL), RC_OK);
    if (is_empty)
        assert_int_equal(batch_rewrite_empty(&batch, &object, NULL), RC_OK);
    else
        buf_append(&object, full.data, full.size);
    run.size = (uint32_t)(object.size - (size_t)run.position);
    run.crc = crc32c_of(object.data + run.position, run.size);
    run_index_add(&partition->runs, &run);
    partition->committed_end = partition->log_end_offset = partition->high_watermark = offset + 1;
    batch_builder_fini(&builder);
    buf_fini(&full);
}

static void
object_put(void)
{
    char key[READER_KEY_BYTES];
    struct err e;

    reader_key(key, OBJECT_ID);
    assert_int_equal(store_put(world.broker->store, key, object.data, object.size, &e), RC_OK);
}

static void
assert_max_timestamp(struct partition *partition, int64_t offset, int64_t timestamp)
{
    int64_t found_offset = -2, found_timestamp = -2;
    enum reader_state reader;
    int16_t error = 0;

    while ((reader = read_find_max_timestamp(world.broker, partition, partition->high_watermark,
                NULL, &found_offset, &found_timestamp, &error)) == READER_LOADING)
        broker_world_rest(&world, 10);
    assert_int_equal(reader, READER_READY);
    assert_int_equal(found_offset, offset);
    assert_int_equal(found_timestamp, timestamp);
}

static void
the_largest_timestamp_is_that_of_a_record_and_not_of_an_empty_batch(void **state)
{
    struct partition *partition = broker_world_partition(&world, 0);

    (void)state;
    run_add(partition, 0, 5, false);
    run_add(partition, 1, 7, false);
    run_add(partition, 2, 9, true);
    run_add(partition, 3, 6, false);
    run_add(partition, 4, 8, true);
    object_put();
    assert_max_timestamp(partition, 1, 7);
}

static void
a_log_of_empty_batches_has_none(void **state)
{
    struct partition *partition = broker_world_partition(&world, 0);

    (void)state;
    run_add(partition, 0, 9, true);
    run_add(partition, 1, 8, true);
    object_put();
    assert_max_timestamp(partition, -1, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_largest_timestamp_is_that_of_a_record_and_not_of_an_empty_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_of_empty_batches_has_none, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
