#include "refbroker/log/replay.h"

#include "lib/wire/batch_builder.h"
#include "tests/unit/unit.h"

#define BYTES_MAX 4096
#define PRODUCER_ID 9
#define EPOCH 2

static struct buf bytes;

static int
setup(void **state)
{
    *state = producers_new(10);
    buf_init(&bytes, BYTES_MAX);
    return 0;
}

static int
teardown(void **state)
{
    producers_free(*state);
    buf_fini(&bytes);
    return 0;
}

static struct batch_view
parsed(void)
{
    struct batch_view batch;
    struct err e;

    assert_int_equal(batch_view_parse(bytes.data, bytes.size, &batch, &e), RC_OK);
    return batch;
}

/* A batch of `count` records at an offset. */
static struct batch_view
batch_make(int64_t producer_id, int64_t offset, int32_t sequence, int count, bool transactional)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {.value = "v", .value_size = 1, .key_size = -1};
    struct batch_builder builder;
    struct err e;

    buf_clear(&bytes);
    options.base_offset = offset;
    options.producer_id = producer_id;
    options.producer_epoch = producer_id < 0 ? -1 : EPOCH;
    options.base_sequence = sequence;
    options.transactional = transactional;
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int i = 0; i < count; i++) {
        record.offset = offset + i;
        assert_int_equal(batch_builder_append(&builder, &record, &e), RC_OK);
    }
    assert_int_equal(batch_builder_finish(&builder, &bytes, &e), RC_OK);
    batch_builder_fini(&builder);
    return parsed();
}

static struct batch_view
marker_make(int64_t offset, bool commit)
{
    struct batch_builder_marker marker = {.base_offset = offset,
        .producer_id = PRODUCER_ID,
        .timestamp = 1000,
        .coordinator_epoch = 5,
        .producer_epoch = EPOCH,
        .commit = commit};
    struct err e;

    buf_clear(&bytes);
    assert_int_equal(batch_builder_marker(&marker, &bytes, &e), RC_OK);
    return parsed();
}

static struct producer_info
only_producer(const struct producers *producers)
{
    struct producer_info info;
    size_t position = 0;

    assert_int_equal(producers_count(producers), 1);
    assert_true(producers_next(producers, &position, &info));
    return info;
}

static void
a_batch_is_asked_for_with_its_own_fields(void **state)
{
    struct batch_view batch = batch_make(PRODUCER_ID, 40, INT32_MAX, 3, true);
    struct producer_batch ask = replay_ask(&batch);

    (void)state;
    assert_int_equal(ask.producer_id, PRODUCER_ID);
    assert_int_equal(ask.producer_epoch, EPOCH);
    assert_int_equal(ask.base_offset, 40);
    assert_int_equal(ask.last_offset, 42);
    assert_int_equal(ask.base_sequence, INT32_MAX);
    assert_int_equal(ask.last_sequence, 1);
    assert_true(ask.is_transactional);
}

static void
a_batch_without_a_producer_means_nothing(void **state)
{
    struct batch_view batch = batch_make(-1, 0, -1, 1, false);

    replay_batch(*state, &batch);
    assert_int_equal(producers_count(*state), 0);
}

static void
a_noted_batch_is_a_duplicate_from_then_on(void **state)
{
    struct batch_view batch = batch_make(PRODUCER_ID, 40, 0, 3, false);
    struct producer_batch ask = replay_ask(&batch);
    struct producer_first first;

    assert_int_equal(producers_check(*state, &ask, &first), PRODUCER_APPEND);
    replay_batch(*state, &batch);
    assert_int_equal(producers_check(*state, &ask, &first), PRODUCER_DUPLICATE);
    assert_int_equal(first.base_offset, 40);
    assert_int_equal(first.last_offset, 42);
}

static void
a_marker_ends_the_transaction_and_an_abort_is_remembered(void **state)
{
    struct producers *producers = *state;
    struct aborted_txn aborted;
    struct batch_view batch;
    size_t position = 0;

    batch = batch_make(PRODUCER_ID, 10, 0, 2, true);
    replay_batch(producers, &batch);
    assert_int_equal(producers_first_unstable(producers, INT64_MAX), 10);
    batch = marker_make(12, true);
    replay_batch(producers, &batch);
    assert_int_equal(producers_first_unstable(producers, INT64_MAX), INT64_MAX);
    assert_false(producers_aborted(producers, 0, 100, &position, &aborted));
    batch = batch_make(PRODUCER_ID, 20, 2, 2, true);
    replay_batch(producers, &batch);
    batch = marker_make(22, false);
    replay_batch(producers, &batch);
    assert_int_equal(producers_first_unstable(producers, INT64_MAX), INT64_MAX);
    position = 0;
    assert_true(producers_aborted(producers, 0, 100, &position, &aborted));
    assert_int_equal(aborted.producer_id, PRODUCER_ID);
    assert_int_equal(aborted.first_offset, 20);
    assert_int_equal(only_producer(producers).coordinator_epoch, 5);
}

/* A control record of a type that nobody knows, a key that is too short, and records that are none:
 * mirrored logs may hold anything. */
static void
a_control_batch_that_is_no_marker_ends_nothing(void **state)
{
    static const struct {
        uint8_t key[4];
        int32_t key_size;
    } cases[] = {{{0, 0, 0, 2}, 4}, {{0, 0, 1, 0}, 4}, {{0, 0, 0}, 3}, {{0}, -1}};
    struct producers *producers = *state;
    struct batch_view batch = batch_make(PRODUCER_ID, 10, 0, 2, true);
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct err e;

    replay_batch(producers, &batch);
    options.producer_id = PRODUCER_ID;
    options.producer_epoch = EPOCH;
    options.transactional = true;
    options.control = true;
    options.base_offset = 12;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct batch_builder_record record = {.offset = 12,
            .key = cases[i].key_size < 0 ? NULL : cases[i].key,
            .key_size = cases[i].key_size,
            .value_size = -1};

        buf_clear(&bytes);
        batch_builder_init(&builder, BYTES_MAX);
        batch_builder_start(&builder, &options);
        assert_int_equal(batch_builder_append(&builder, &record, &e), RC_OK);
        assert_int_equal(batch_builder_finish(&builder, &bytes, &e), RC_OK);
        batch_builder_fini(&builder);
        batch = parsed();
        replay_batch(producers, &batch);
        assert_int_equal(producers_first_unstable(producers, INT64_MAX), 10);
    }
    bytes.data[BATCH_VIEW_HEADER_BYTES] = 0xff;
    batch = parsed();
    replay_batch(producers, &batch);
    assert_int_equal(producers_first_unstable(producers, INT64_MAX), 10);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_asked_for_with_its_own_fields),
        TEST(a_batch_without_a_producer_means_nothing),
        TEST(a_noted_batch_is_a_duplicate_from_then_on),
        TEST(a_marker_ends_the_transaction_and_an_abort_is_remembered),
        TEST(a_control_batch_that_is_no_marker_ends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
