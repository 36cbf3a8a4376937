/* Batches of one partition, out of the answers of Fetch. */
#include "tests/unit/unit.h"

#include "audit/probe_read.h"
#include "lib/base/buf.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TAKEN_MAX 8

static struct buf answer;
static struct probe_read reading;
static struct err err;

static struct taken {
    int64_t offsets[TAKEN_MAX];
    size_t count;
    int64_t enough_from; /* of the batch that is one too many; -1: none is */
    enum rc rc;          /* of each */
} taken;

static int
setup(void **state)
{
    (void)state;
    buf_init(&answer, 100000);
    reading = (struct probe_read){0};
    err = (struct err){0};
    taken = (struct taken){.enough_from = -1};
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_fini(&answer);
    return 0;
}

/* Adds a batch of ten offsets to the answer. */
static void
add(int64_t from)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;

    options.base_offset = from;
    batch_builder_init(&builder, 1000);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_reach(&builder, from + 9, NULL), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &answer, NULL), RC_OK);
    batch_builder_fini(&builder);
}

static enum rc
take(void *arg, const struct batch_view *batch, bool *enough, struct err *e)
{
    struct taken *to = arg;

    *enough = to->enough_from >= 0 && batch->base_offset >= to->enough_from;
    if (*enough)
        return RC_OK;
    assert_true(to->count < TAKEN_MAX);
    to->offsets[to->count++] = batch->base_offset;
    return to->rc == RC_OK ? RC_OK : err_set(e, to->rc, "not taken");
}

static enum rc
read_answer(void)
{
    struct wire_records records = {.data = answer.data, .size = (int32_t)answer.size};

    return probe_read_batches(&reading, &records, take, &taken, &err);
}

static void
batches_are_taken_in_order_and_never_again(void **state)
{
    (void)state;
    reading.next_offset = 15;
    add(0);
    add(10);
    add(20);
    assert_int_equal(read_answer(), RC_OK);
    assert_int_equal(taken.count, 2);
    assert_int_equal(taken.offsets[0], 10);
    assert_int_equal(taken.offsets[1], 20);
    assert_int_equal(reading.next_offset, 30);
    assert_int_equal(read_answer(), RC_OK);
    assert_int_equal(taken.count, 2);
}

static void
a_batch_that_is_one_too_many_is_left_for_the_next_answer(void **state)
{
    (void)state;
    add(0);
    add(10);
    add(20);
    taken.enough_from = 10;
    assert_int_equal(read_answer(), RC_OK);
    assert_int_equal(taken.count, 1);
    assert_int_equal(reading.next_offset, 10);
    taken.enough_from = -1;
    assert_int_equal(read_answer(), RC_OK);
    assert_int_equal(taken.count, 3);
    assert_int_equal(reading.next_offset, 30);
}

static void
a_last_batch_that_is_cut_is_asked_for_again(void **state)
{
    (void)state;
    add(0);
    add(10);
    answer.size -= 5;
    assert_int_equal(read_answer(), RC_OK);
    assert_int_equal(reading.next_offset, 10);
}

static void
a_batch_that_cannot_be_taken_ends_it(void **state)
{
    (void)state;
    add(0);
    add(10);
    taken.rc = RC_CORRUPT;
    assert_int_equal(read_answer(), RC_CORRUPT);
    assert_string_equal(err.text, "not taken");
    assert_int_equal(taken.count, 1);
    assert_int_equal(reading.next_offset, 0);
}

static void
what_is_no_batch_is_corrupt(void **state)
{
    (void)state;
    add(0);
    add(10);
    answer.data[answer.size / 2 + BATCH_VIEW_MAGIC_AT] = 9;
    assert_int_equal(read_answer(), RC_CORRUPT);
    assert_int_equal(reading.next_offset, 10);
}

static void
answers_without_a_batch_are_borne_for_a_while(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < PROBE_READ_EMPTY_MAX; i++)
            assert_int_equal(read_answer(), RC_OK);
        /* One batch, and the count begins again. */
        buf_clear(&answer);
        add(10 * round);
        assert_int_equal(read_answer(), RC_OK);
        buf_clear(&answer);
    }
    for (int i = 0; i < PROBE_READ_EMPTY_MAX; i++)
        assert_int_equal(read_answer(), RC_OK);
    assert_int_equal(read_answer(), RC_PROTOCOL);
    assert_string_equal(err.text, "no batch at offset 20");
}

static void
a_log_that_begins_later_by_now_is_read_from_there(void **state)
{
    struct km_fetch_response_partition_data data;

    (void)state;
    codec_init(&km_fetch_response_partition_data_desc, &data);
    data.log_start_offset = 7;
    assert_false(probe_read_has_moved(&reading, &data));
    data.error_code = KE_OFFSET_OUT_OF_RANGE;
    assert_true(probe_read_has_moved(&reading, &data));
    assert_int_equal(reading.next_offset, 7);
    /* An offset above the end is out of range, too. */
    assert_false(probe_read_has_moved(&reading, &data));
}

static void
the_end_is_where_nothing_comes_and_nothing_is_missing(void **state)
{
    struct km_fetch_response_partition_data data;

    (void)state;
    codec_init(&km_fetch_response_partition_data_desc, &data);
    data.high_watermark = 10;
    data.records.size = 0;
    reading.next_offset = 9;
    assert_false(probe_read_is_at_end(&reading, &data));
    reading.next_offset = 10;
    assert_true(probe_read_is_at_end(&reading, &data));
    data.records.size = -1;
    assert_true(probe_read_is_at_end(&reading, &data));
    data.records.size = 61;
    assert_false(probe_read_is_at_end(&reading, &data));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(batches_are_taken_in_order_and_never_again),
        TEST(a_batch_that_is_one_too_many_is_left_for_the_next_answer),
        TEST(a_last_batch_that_is_cut_is_asked_for_again),
        TEST(a_batch_that_cannot_be_taken_ends_it),
        TEST(what_is_no_batch_is_corrupt),
        TEST(answers_without_a_batch_are_borne_for_a_while),
        TEST(a_log_that_begins_later_by_now_is_read_from_there),
        TEST(the_end_is_where_nothing_comes_and_nothing_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
