/* What stays of a log: each rule of cleaner_rewrite.h and cleaner_txns.h, over logs made batch by
 * batch. */
#include "refbroker/log/cleaner_rewrite.h"

#include "lib/wire/batch_records.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define NOW_MS 5000000
#define KEEP_MS 1000
#define NO_HORIZON BATCH_VIEW_NONE

static struct buf source, cleaned;
static struct aborted_txn aborted[4];
static size_t aborted_count;
static struct cleaner_last lasts[2];
static size_t last_count;
static int64_t next_offset, now_ms, gone[4];
static size_t gone_count;

/* How the next batch is made. */
static struct batch_builder_options options;

static int
setup(void **state)
{
    (void)state;
    buf_init(&source, BYTES_MAX);
    buf_init(&cleaned, BYTES_MAX);
    options = batch_builder_defaults();
    options.leader_epoch = 3;
    aborted_count = last_count = gone_count = 0;
    next_offset = 0;
    now_ms = NOW_MS;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_fini(&source);
    buf_fini(&cleaned);
    return 0;
}

/* Appends a batch with a record for each word: "k=v", or "k" for a tombstone; timestamps are
 * 1000 + offset. */
static void
write(const char *words)
{
    static const struct batch_builder_header header = {"h", "x", 1, 1};
    struct batch_builder builder;
    struct err e;

    options.base_offset = next_offset;
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " "), key_size = strcspn(at, "= ");
        struct batch_builder_record record = {.offset = next_offset,
            .timestamp = 1000 + next_offset,
            .key = at,
            .key_size = (int32_t)key_size,
            .headers = &header,
            .header_count = 1};

        if (key_size < size) {
            record.value = at + key_size + 1;
            record.value_size = (int32_t)(size - key_size - 1);
        }
        assert_int_equal(batch_builder_append(&builder, &record, &e), RC_OK);
        next_offset++;
        at += size;
    }
    assert_int_equal(batch_builder_finish(&builder, &source, &e), RC_OK);
    batch_builder_fini(&builder);
}

static void
write_marker(int64_t producer_id, bool commit)
{
    struct batch_builder_marker marker = {.base_offset = next_offset++,
        .producer_id = producer_id,
        .producer_epoch = options.producer_epoch,
        .timestamp = 77,
        .commit = commit};

    assert_int_equal(batch_builder_marker(&marker, &source, NULL), RC_OK);
}

static void
transaction_of(int64_t producer_id)
{
    options.producer_id = producer_id;
    options.producer_epoch = producer_id < 0 ? -1 : 0;
    options.base_sequence = producer_id < 0 ? -1 : 0;
    options.transactional = producer_id >= 0;
}

/* One round over `source` up to `upper_bound`; keys of what lies from `first_dirty` on. The result
 * becomes the source, as in the next round. */
static void
clean_within(int64_t first_dirty, int64_t upper_bound)
{
    struct cleaner_keys *keys = cleaner_keys_new(1 << 20);
    struct cleaner_txns *txns = cleaner_txns_new(aborted, aborted_count);
    struct batch_view_cursor cursor = {source.data, source.size};
    const int64_t *last_offsets;
    struct cleaner_rewrite rewrite;
    struct batch_view batch;
    bool found, full;
    struct err e;

    cleaner_rewrite_init(&rewrite);
    rewrite.keys = keys;
    rewrite.txns = txns;
    rewrite.lasts = lasts;
    rewrite.last_count = last_count;
    rewrite.upper_bound = upper_bound;
    rewrite.now_ms = now_ms;
    rewrite.delete_retention_ms = KEEP_MS;
    cleaner_txns_rewind(txns, first_dirty);
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found)
        if (batch.base_offset < upper_bound && batch_view_last_offset(&batch) >= first_dirty)
            assert_int_equal(
                cleaner_rewrite_index(&rewrite, keys, &batch, first_dirty, &full, &e), RC_OK);
    cleaner_txns_rewind(txns, 0);
    buf_clear(&cleaned);
    cursor = (struct batch_view_cursor){source.data, source.size};
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
        if (batch.base_offset < upper_bound)
            assert_int_equal(cleaner_rewrite_batch(&rewrite, &batch, &cleaned, &e), RC_OK);
        else
            buf_append(&cleaned, batch.data, batch.size);
    }
    last_offsets = cleaner_txns_gone(txns, &gone_count);
    memcpy(gone, last_offsets, gone_count * sizeof *gone);
    buf_clear(&source);
    buf_append(&source, cleaned.data, cleaned.size);
    cleaner_rewrite_fini(&rewrite);
    cleaner_txns_free(txns);
    cleaner_keys_free(keys);
}

static void
clean(void)
{
    clean_within(0, next_offset);
}

/* The cleaned log as text: "[base-last offset:key=value ...]", "[base-last commit]". */
static const char *
left(void)
{
    static struct buf text;
    struct batch_view_cursor cursor = {source.data, source.size};
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    struct buf scratch;
    bool found;
    struct err e;

    buf_fini(&text);
    buf_init(&text, BYTES_MAX);
    buf_init(&scratch, BYTES_MAX);
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
        assert_true(batch_view_is_intact(&batch));
        buf_printf(&text, "[%d-%d", (int)batch.base_offset, (int)batch_view_last_offset(&batch));
        assert_int_equal(batch_records_open(&records, &batch, &scratch, BYTES_MAX, &e), RC_OK);
        while (batch_records_next(&records, &record, &found, &e) == RC_OK && found) {
            if (batch_view_is_control(&batch)) {
                buf_append_text(&text, record.key[3] == 1 ? " commit" : " abort");
                continue;
            }
            assert_int_equal(record.timestamp, 1000 + record.offset);
            assert_int_equal(record.headers.left, 1);
            buf_printf(&text, " %d:%.*s", (int)record.offset, record.key_size, record.key);
            if (record.value_size >= 0)
                buf_printf(&text, "=%.*s", record.value_size, record.value);
        }
        buf_append_text(&text, "]");
    }
    buf_fini(&scratch);
    return buf_text(&text);
}

static struct batch_view
batch_at(int64_t base_offset)
{
    struct batch_view_cursor cursor = {source.data, source.size};
    struct batch_view batch;
    bool found;
    struct err e;

    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found)
        if (batch.base_offset == base_offset)
            return batch;
    fail();
    return batch;
}

static void
the_last_record_of_a_key_stays_at_its_offset(void **state)
{
    (void)state;
    write("a=1 b=1");
    write("a=2");
    write("c=1 b=2 c=2");
    clean();
    assert_string_equal(left(), "[2-2 2:a=2][3-5 4:b=2 5:c=2]");
}

static void
a_batch_that_loses_records_keeps_its_range_producer_and_codec(void **state)
{
    (void)state;
    for (int codec = COMPRESS_NONE; codec < COMPRESS_CODECS; codec++) {
        struct batch_view batch;

        teardown(NULL);
        setup(NULL);
        options.codec = (enum compress_codec)codec;
        options.producer_id = 9;
        options.producer_epoch = 2;
        options.base_sequence = 40;
        write("a=1 b=1 c=1 b=2");
        write("a=2 c=2");
        clean();
        assert_string_equal(left(), "[0-3 3:b=2][4-5 4:a=2 5:c=2]");
        batch = batch_at(0);
        assert_int_equal(batch_view_codec(&batch), codec);
        assert_int_equal(batch.producer_id, 9);
        assert_int_equal(batch.producer_epoch, 2);
        assert_int_equal(batch.base_sequence, 40);
        assert_int_equal(batch_view_last_sequence(&batch), 43);
        assert_int_equal(batch.leader_epoch, 3);
        assert_int_equal(batch.base_timestamp, 1003);
        assert_int_equal(batch.max_timestamp, 1003);
        assert_int_equal(batch.record_count, 1);
    }
}

static void
append_times_stay(void **state)
{
    struct batch_view batch;

    (void)state;
    options.append_time_ms = 1001;
    write("a=1 b=1");
    options.append_time_ms = 1002;
    write("a=2");
    clean_within(0, 2);
    batch = batch_at(0);
    assert_int_equal(batch.max_timestamp, 1001);
    assert_true(batch_view_is_log_append_time(&batch));
}

static void
what_lies_behind_the_round_stays_and_does_not_count(void **state)
{
    (void)state;
    write("a=1 b=1");
    write("a=2");
    write("a=3");
    clean_within(0, 3);
    assert_string_equal(left(), "[0-1 1:b=1][2-2 2:a=2][3-3 3:a=3]");
}

static void
a_later_round_takes_what_its_dirty_part_supersedes(void **state)
{
    (void)state;
    write("a=1 b=1");
    clean();
    write("b=2");
    clean_within(2, 3);
    assert_string_equal(left(), "[0-1 0:a=1][2-2 2:b=2]");
}

static void
the_last_batch_of_the_round_stays_without_records(void **state)
{
    (void)state;
    write("a=1");
    transaction_of(5);
    write("b=1");
    aborted[0] = (struct aborted_txn){5, 1, 9, 10};
    aborted_count = 1;
    clean();
    assert_string_equal(left(), "[0-0 0:a=1][1-1]");
}

static void
a_tombstone_stays_until_its_horizon(void **state)
{
    struct batch_view batch;

    (void)state;
    write("a=1");
    write("a");
    write("b=1");
    clean();
    assert_string_equal(left(), "[1-1 1:a][2-2 2:b=1]");
    batch = batch_at(1);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NOW_MS + KEEP_MS);
    assert_int_equal(batch.max_timestamp, 1001);
    batch = batch_at(2);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NO_HORIZON);
    now_ms = NOW_MS + KEEP_MS - 1;
    clean();
    batch = batch_at(1);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NOW_MS + KEEP_MS);
    now_ms++;
    clean();
    assert_string_equal(left(), "[2-2 2:b=1]");
}

static void
a_superseded_tombstone_goes_at_once(void **state)
{
    (void)state;
    write("a=1");
    write("a");
    write("a=2");
    clean();
    assert_string_equal(left(), "[2-2 2:a=2]");
}

static void
aborted_records_go_and_supersede_nothing(void **state)
{
    (void)state;
    write("a=1");
    transaction_of(5);
    write("a=2 b=2");
    write_marker(5, false);
    transaction_of(-1);
    write("c=1");
    aborted[0] = (struct aborted_txn){5, 1, 3, 4};
    aborted_count = 1;
    clean();
    assert_string_equal(left(), "[0-0 0:a=1][3-3 abort][4-4 4:c=1]");
    assert_int_equal(gone_count, 0);
}

static void
a_marker_goes_after_its_records_and_its_horizon(void **state)
{
    struct batch_view batch;

    (void)state;
    transaction_of(5);
    write("a=1");
    write_marker(5, false);
    transaction_of(6);
    write("b=1");
    write_marker(6, true);
    transaction_of(-1);
    write("b=2");
    aborted[0] = (struct aborted_txn){5, 0, 1, 2};
    aborted_count = 1;
    clean();
    assert_string_equal(left(), "[1-1 abort][3-3 commit][4-4 4:b=2]");
    batch = batch_at(1);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NO_HORIZON);
    assert_int_equal(gone_count, 0);
    clean();
    batch = batch_at(1);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NOW_MS + KEEP_MS);
    batch = batch_at(3);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NOW_MS + KEEP_MS);
    assert_int_equal(gone_count, 1);
    assert_int_equal(gone[0], 1);
    now_ms = NOW_MS + KEEP_MS;
    clean();
    assert_string_equal(left(), "[4-4 4:b=2]");
}

static void
a_committed_transaction_keeps_its_marker_while_a_record_is_left(void **state)
{
    struct batch_view batch;

    (void)state;
    transaction_of(6);
    write("a=1 b=1");
    write_marker(6, true);
    transaction_of(-1);
    write("b=2");
    clean();
    clean();
    assert_string_equal(left(), "[0-1 0:a=1][2-2 commit][3-3 3:b=2]");
    batch = batch_at(2);
    assert_int_equal(batch_view_delete_horizon_ms(&batch), NO_HORIZON);
}

static void
an_old_abort_does_not_hide_later_transactions_of_its_producer(void **state)
{
    (void)state;
    transaction_of(5);
    write("a=1");
    write_marker(5, false);
    write("a=2");
    write_marker(5, true);
    aborted[0] = (struct aborted_txn){5, 0, 1, 2};
    aborted_count = 1;
    clean_within(2, 4);
    assert_string_equal(left(), "[1-1 abort][2-2 2:a=2][3-3 commit]");
}

static void
the_last_batch_of_an_active_producer_stays_empty(void **state)
{
    struct batch_view batch;

    (void)state;
    options.codec = COMPRESS_ZSTD;
    options.producer_id = 9;
    options.producer_epoch = 2;
    options.base_sequence = 0;
    write("a=1 b=1");
    options.base_sequence = 2;
    write("a=2 b=2");
    options = batch_builder_defaults();
    write("a=3 b=3");
    lasts[0] = (struct cleaner_last){9, 3, 2};
    lasts[1] = (struct cleaner_last){1, 100, 0};
    last_count = 2;
    cleaner_rewrite_sort(lasts, last_count);
    clean();
    assert_string_equal(left(), "[2-3][4-5 4:a=3 5:b=3]");
    batch = batch_at(2);
    assert_int_equal(batch.producer_id, 9);
    assert_int_equal(batch_view_last_sequence(&batch), 3);
    assert_int_equal(batch.record_count, 0);
    assert_int_equal(batch.base_timestamp, BATCH_VIEW_NONE);
    assert_int_equal(batch.max_timestamp, 1003);
    assert_int_equal(batch_view_codec(&batch), COMPRESS_NONE);
    clean();
    assert_string_equal(left(), "[2-3][4-5 4:a=3 5:b=3]");
    last_count = 0;
    clean();
    assert_string_equal(left(), "[4-5 4:a=3 5:b=3]");
}

static void
a_producer_whose_last_is_a_marker_keeps_it_for_its_epoch(void **state)
{
    (void)state;
    transaction_of(5);
    write("a=1");
    write_marker(5, true);
    transaction_of(-1);
    write("a=2");
    lasts[0] = (struct cleaner_last){5, -1, 0};
    last_count = 1;
    clean();
    clean();
    now_ms += KEEP_MS;
    clean();
    assert_string_equal(left(), "[1-1][2-2 2:a=2]");
}

static void
a_round_whose_map_is_full_stops_at_the_last_key_that_fitted(void **state)
{
    struct cleaner_keys *keys = cleaner_keys_new(0);
    struct cleaner_txns *txns = cleaner_txns_new(NULL, 0);
    struct cleaner_rewrite rewrite;
    struct batch_view batch;
    bool full;
    struct err e;

    (void)state;
    write("a=1 a=2 b=1 a=3");
    cleaner_rewrite_init(&rewrite);
    rewrite.keys = keys;
    rewrite.txns = txns;
    rewrite.upper_bound = 100;
    batch = batch_at(0);
    assert_int_equal(cleaner_rewrite_index(&rewrite, keys, &batch, 0, &full, &e), RC_OK);
    assert_true(full);
    assert_int_equal(rewrite.latest_offset, 1);
    assert_int_equal(cleaner_rewrite_batch(&rewrite, &batch, &cleaned, &e), RC_OK);
    buf_clear(&source);
    buf_append(&source, cleaned.data, cleaned.size);
    assert_string_equal(left(), "[0-3 1:a=2 2:b=1 3:a=3]");
    assert_int_equal(rewrite.counts.records_read, 4);
    assert_int_equal(rewrite.counts.records_kept, 3);
    cleaner_rewrite_fini(&rewrite);
    cleaner_txns_free(txns);
    cleaner_keys_free(keys);
}

static void
a_broken_record_is_refused(void **state)
{
    struct cleaner_txns *txns = cleaner_txns_new(NULL, 0);
    struct cleaner_keys *keys = cleaner_keys_new(1 << 16);
    struct cleaner_rewrite rewrite;
    struct batch_view batch;
    bool full;
    struct err e;

    (void)state;
    write("a=1");
    source.data[BATCH_VIEW_HEADER_BYTES] = 0x7e;
    cleaner_rewrite_init(&rewrite);
    rewrite.keys = keys;
    rewrite.txns = txns;
    batch = batch_at(0);
    assert_int_equal(cleaner_rewrite_index(&rewrite, keys, &batch, 0, &full, &e), RC_CORRUPT);
    assert_int_equal(cleaner_rewrite_batch(&rewrite, &batch, &cleaned, &e), RC_CORRUPT);
    cleaner_rewrite_fini(&rewrite);
    cleaner_txns_free(txns);
    cleaner_keys_free(keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_record_of_a_key_stays_at_its_offset),
        TEST(a_batch_that_loses_records_keeps_its_range_producer_and_codec),
        TEST(append_times_stay),
        TEST(what_lies_behind_the_round_stays_and_does_not_count),
        TEST(a_later_round_takes_what_its_dirty_part_supersedes),
        TEST(the_last_batch_of_the_round_stays_without_records),
        TEST(a_tombstone_stays_until_its_horizon),
        TEST(a_superseded_tombstone_goes_at_once),
        TEST(aborted_records_go_and_supersede_nothing),
        TEST(a_marker_goes_after_its_records_and_its_horizon),
        TEST(a_committed_transaction_keeps_its_marker_while_a_record_is_left),
        TEST(an_old_abort_does_not_hide_later_transactions_of_its_producer),
        TEST(the_last_batch_of_an_active_producer_stays_empty),
        TEST(a_producer_whose_last_is_a_marker_keeps_it_for_its_epoch),
        TEST(a_round_whose_map_is_full_stops_at_the_last_key_that_fitted),
        TEST(a_broken_record_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
