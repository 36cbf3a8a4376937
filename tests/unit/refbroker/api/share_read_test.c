#include "refbroker/api/share_read.h"

#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "refbroker/meta/topics.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define FRAGMENTS_MAX 8
#define PRODUCER 77
#define OTHER 78

/* Batches in a buffer, and where each begins. */
struct rig {
    struct buf bytes;
    size_t starts[FRAGMENTS_MAX + 1];
    size_t count;
    struct partition partition;
    struct arena arena;
    struct wire_fragment fragments[FRAGMENTS_MAX];
    struct read_result result;
};

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    buf_init(&rig->bytes, BYTES_MAX);
    arena_init(&rig->arena, BYTES_MAX);
    rig->partition.producers = producers_new(100);
    rig->result.fragments = rig->fragments;
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    producers_free(rig->partition.producers);
    arena_fini(&rig->arena);
    buf_fini(&rig->bytes);
    free(rig);
    return 0;
}

static void
added(struct rig *rig, int64_t end_offset)
{
    rig->starts[++rig->count] = rig->bytes.size;
    rig->result.end_offset = end_offset;
}

/* A batch of `records` records; producer -1: none, else of a transaction. */
static void
add(struct rig *rig, int64_t base_offset, int32_t records, int64_t producer_id)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct err e;

    options.base_offset = base_offset;
    options.producer_id = producer_id;
    options.producer_epoch = producer_id < 0 ? -1 : 0;
    options.base_sequence = producer_id < 0 ? -1 : 0;
    options.transactional = producer_id >= 0;
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int32_t i = 0; i < records; i++)
        assert_int_equal(batch_builder_append(&builder,
                             &(struct batch_builder_record){
                                 .offset = base_offset + i, .value = "value", .value_size = 5},
                             &e),
            RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &rig->bytes, &e), RC_OK);
    batch_builder_fini(&builder);
    added(rig, base_offset + records);
}

static void
abort_at(struct rig *rig, int64_t offset, int64_t producer_id)
{
    struct batch_builder_marker marker = {.base_offset = offset, .producer_id = producer_id};
    struct err e;

    assert_int_equal(batch_builder_marker(&marker, &rig->bytes, &e), RC_OK);
    added(rig, offset + 1);
}

/* What the partition knows of a transaction. */
static void
txn_note(struct rig *rig, int64_t producer_id, int64_t first, int64_t last, int64_t marker)
{
    struct producer_batch batch = {.producer_id = producer_id,
        .base_offset = first,
        .last_offset = last,
        .is_transactional = true};

    producers_note(rig->partition.producers, &batch);
    producers_note_marker(rig->partition.producers, producer_id, 0, 0, marker, 0, false);
}

/* All batches as fragments, of which each but the first begins at one of `cuts`. */
static void
cut(struct rig *rig, const size_t *cuts, size_t count)
{
    size_t from = 0;

    for (size_t i = 0; i <= count; i++) {
        size_t to = rig->starts[i == count ? rig->count : cuts[i]];

        rig->fragments[i] = (struct wire_fragment){rig->bytes.data + from, to - from};
        from = to;
    }
    rig->result.fragment_count = (int32_t)count + 1;
    rig->result.size = (int32_t)rig->bytes.size;
}

static void
slice(struct rig *rig, const struct share_read *read, int64_t first, int64_t last, size_t from,
    size_t to)
{
    struct wire_records records;
    struct buf bytes;

    assert_true(share_read_slice(&rig->arena, read, &rig->result, first, last, &records));
    buf_init(&bytes, BYTES_MAX);
    for (int32_t i = 0; i < records.fragment_count; i++)
        buf_append(&bytes, records.fragments[i].data, records.fragments[i].size);
    assert_int_equal(records.size, rig->starts[to] - rig->starts[from]);
    assert_int_equal(bytes.size, records.size);
    assert_memory_equal(bytes.data, rig->bytes.data + rig->starts[from], bytes.size);
    buf_fini(&bytes);
}

static void
a_slice_is_whole_batches(void **state)
{
    struct rig *rig = *state;
    static const size_t cuts[] = {2};
    struct share_read read;

    add(rig, 10, 5, -1);
    add(rig, 15, 1, -1);
    add(rig, 20, 4, -1);
    add(rig, 24, 2, -1);
    cut(rig, cuts, 1);
    assert_true(share_read_batches(&rig->arena, &rig->partition, &rig->result, 10, false, &read));
    assert_int_equal(read.count, 4);
    assert_int_equal(read.batches[2].first, 20);
    assert_int_equal(read.batches[2].last, 23);
    slice(rig, &read, 10, 25, 0, 4);
    slice(rig, &read, 12, 12, 0, 1);
    slice(rig, &read, 15, 20, 1, 3);
    slice(rig, &read, 23, 24, 2, 4);
    slice(rig, &read, 25, 25, 3, 4);
    /* Between 15 and 20 there is nothing. */
    slice(rig, &read, 16, 19, 2, 2);
}

static void
aborted_batches_are_picked(void **state)
{
    struct rig *rig = *state;
    static const size_t cuts[] = {1, 3};
    struct share_read read;

    add(rig, 0, 2, PRODUCER);
    add(rig, 2, 2, -1);
    add(rig, 4, 2, OTHER);
    add(rig, 6, 1, PRODUCER);
    abort_at(rig, 7, PRODUCER);
    add(rig, 8, 1, PRODUCER);
    txn_note(rig, PRODUCER, 0, 6, 7);
    cut(rig, cuts, 2);
    assert_true(share_read_batches(&rig->arena, &rig->partition, &rig->result, 0, true, &read));
    assert_int_equal(read.count, 6);
    assert_int_equal(read.aborted_count, 2);
    assert_int_equal(read.aborted[0].first, 0);
    assert_int_equal(read.aborted[0].last, 1);
    assert_int_equal(read.aborted[1].first, 6);
    assert_true(share_read_batches(&rig->arena, &rig->partition, &rig->result, 0, false, &read));
    assert_int_equal(read.aborted_count, 0);
}

static void
a_transaction_that_began_earlier_is_known(void **state)
{
    struct rig *rig = *state;
    struct share_read read;

    txn_note(rig, PRODUCER, 0, 12, 13);
    add(rig, 12, 1, PRODUCER);
    abort_at(rig, 13, PRODUCER);
    cut(rig, (const size_t[]){0}, 0);
    assert_true(share_read_batches(&rig->arena, &rig->partition, &rig->result, 12, true, &read));
    assert_int_equal(read.aborted_count, 1);
    assert_int_equal(read.aborted[0].first, 12);
}

static void
nothing_read_is_nothing(void **state)
{
    struct rig *rig = *state;
    struct share_read read;

    assert_true(share_read_batches(&rig->arena, &rig->partition, &rig->result, 5, true, &read));
    assert_int_equal(read.count, 0);
    assert_int_equal(read.aborted_count, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_slice_is_whole_batches),
        TEST(aborted_batches_are_picked),
        TEST(a_transaction_that_began_earlier_is_known),
        TEST(nothing_read_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
