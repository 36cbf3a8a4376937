/* Area compact: what compaction and retention leave of a log. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_compact.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "conformance/kc_txn.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define HOUR_MS 3600000
#define KEYS 100
#define UPDATES 10000
#define UPDATES_PER_BATCH 500
#define TOMBSTONE_MS 2000
#define MIB ((int64_t)1024 * 1024)
#define CHUNK_BYTES ((size_t)64 * 1024)
#define RESTS 10 /* looks at a log that tell the same */

/* Waits until the log begins at an offset. */
static void
begins_at(struct kc *kc, const struct kc_topic *topic, int64_t offset)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    while (kc_earliest(kc, topic, 0) != offset)
        kc_wait_more(kc, &wait, kc_printf(kc, "the log begins at %" PRId64, offset));
}

/* --- compact ---------------------------------------------------------------------------------- */

static void
updates_write(struct kc *kc, const struct kc_topic *topic)
{
    struct batch_builder_record *records = kc_alloc(kc, UPDATES_PER_BATCH, sizeof *records);
    int64_t now_ms = kc_wall_ms();

    for (int i = 0; i < UPDATES;) {
        for (int k = 0; k < UPDATES_PER_BATCH; k++, i++)
            records[k] =
                kc_record(kc_printf(kc, "key-%d", i % KEYS), kc_printf(kc, "value-%d", i), now_ms);
        (void)kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, records, UPDATES_PER_BATCH));
    }
}

static void
latest_kept(struct kc *kc)
{
    struct kc_topic *topic = kc_compact_topic(kc, "delete.retention.ms=86400000");
    const struct kc_log *log;

    updates_write(kc, topic);
    kc_compact_close(kc, topic, 1);
    log = kc_compact_gone(
        kc, topic, UPDATES - KEYS - 1, "the record before the last of a key is gone");
    kc_int(kc, "records", (int64_t)log->record_count, KEYS + 1);
    for (int i = 0; i < KEYS; i++) {
        int number = UPDATES - KEYS + i;
        const struct kc_seen *record = &log->records[i];

        kc_int(kc, "record_offset", record->offset, number);
        kc_bytes(kc, "record_key", record->key, kc_text_bytes(kc_printf(kc, "key-%d", i)));
        kc_bytes(
            kc, "record_value", record->value, kc_text_bytes(kc_printf(kc, "value-%d", number)));
    }
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 0, -1);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, UPDATES + 1, -1);
}

static void
gaps_ok(struct kc *kc)
{
    struct kc_topic *topic = kc_compact_topic(kc, "delete.retention.ms=86400000");
    int64_t now_ms = kc_wall_ms();

    (void)kc_compact_put(kc, topic, "a", "1", now_ms);
    (void)kc_compact_put(kc, topic, "a", "2", now_ms);
    (void)kc_compact_put(kc, topic, "a", "3", now_ms);
    (void)kc_compact_put(kc, topic, "b", "4", now_ms);
    kc_compact_close(kc, topic, 1);
    (void)kc_compact_gone(kc, topic, 1, "the first values are gone");
    for (int64_t offset = 0; offset < 3; offset++) {
        const struct km_fetch_response_partition_data *part = kc_fetch_one(kc, topic, 0, offset);
        struct kc_log *log = kc_alloc(kc, 1, sizeof *log);

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_log_add(kc, log, &part->records);
        kc_that(kc, log->record_count > 0, "records=0", "the next record that is left");
        kc_int(kc, "first_offset", log->records[0].offset, 2);
    }
}

static void
tombstone_kept_then_removed(struct kc *kc)
{
    struct kc_topic *topic = kc_compact_topic(kc, "delete.retention.ms=2000");
    int64_t now_ms = kc_wall_ms(), cleaned_ms;
    const struct kc_seen *tombstone;
    const struct kc_log *log;
    struct kc_wait wait;
    int closed = 1;

    (void)kc_compact_put(kc, topic, "a", "1", now_ms);
    (void)kc_compact_put(kc, topic, "a", NULL, now_ms);
    (void)kc_compact_put(kc, topic, "b", "2", now_ms);
    cleaned_ms = kc_wall_ms(); /* not before */
    kc_compact_close(kc, topic, closed);
    log = kc_compact_gone(kc, topic, 0, "the deleted value is gone");
    tombstone = kc_compact_seen(log, 1);
    kc_that(kc, tombstone != NULL, "too-early", "the tombstone, which stays for 2 s");
    kc_that(kc, tombstone->value.size < 0, "value-not-null", "a tombstone");
    /* The horizon is looked at when the log is cleaned for another reason. */
    wait = kc_wait_begin(kc, LIMIT_MS);
    while (kc_compact_seen(log, 1) != NULL) {
        kc_compact_close(kc, topic, ++closed);
        kc_wait_more(kc, &wait, "the tombstone is gone");
        log = kc_log_all(kc, topic, 0);
    }
    kc_that(kc, kc_wall_ms() - cleaned_ms >= TOMBSTONE_MS, "too-early", "2 s later");
    kc_that(kc, kc_compact_seen(log, 2) != NULL, "record-missing", "the other key's record");
}

static void
delete_policy_combo(struct kc *kc)
{
    const struct kc_seen *last;
    const struct kc_log *log;
    struct kc_topic *topic;
    int64_t now_ms;

    topic = kc_topic_new(kc, 1, "cleanup.policy=compact,delete", KC_COMPACT_SEGMENT_MS,
        "min.cleanable.dirty.ratio=0.01", "retention.ms=3600000", NULL);
    now_ms = kc_wall_ms();
    (void)kc_compact_put(kc, topic, "old", "1", now_ms - 2 * HOUR_MS);
    /* Before more is closed: a cleaner may join segments, and then they grow old together. */
    (void)kc_compact_put(kc, topic, "a", "2", now_ms);
    begins_at(kc, topic, 1);
    (void)kc_compact_put(kc, topic, "a", "3", now_ms);
    kc_compact_close(kc, topic, 1);
    log = kc_compact_gone(kc, topic, 1, "the first value is gone");
    last = kc_compact_seen(log, 2);
    kc_that(kc, last != NULL, "record-missing", "the last value of the other key");
    kc_int(kc, "records", (int64_t)log->record_count, 2);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 1, -1);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 4, -1);
}

/* --- transactions ----------------------------------------------------------------------------- */

/* One record in a transaction, and its end; returns when the marker is in the log, at `marker`. */
static void
transaction_of(struct kc *kc, struct kc_txn *txn, const struct kc_topic *topic, const char *value,
    bool commits, int64_t marker)
{
    kc_txn_append(kc, txn, topic, 0, value);
    kc_txn_end(kc, txn, commits);
    kc_txn_settled(kc, topic, 0, marker + 1);
}

static void
txn_aborted_removed(struct kc *kc)
{
    struct kc_topic *topic = kc_compact_topic(kc, "delete.retention.ms=86400000");
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    int64_t now_ms = kc_wall_ms();
    const struct kc_log *log;
    const struct kc_seen *committed;

    (void)kc_compact_put(kc, topic, "other", "1", now_ms);
    (void)kc_compact_put(kc, topic, "other", "2", now_ms);
    transaction_of(kc, &txn, topic, "committed", true, 3);
    transaction_of(kc, &txn, topic, "aborted", false, 5);
    kc_compact_close(kc, topic, 1);
    (void)kc_compact_gone(kc, topic, 0, "the first value is gone");
    log = kc_compact_gone(kc, topic, 4, "the aborted record is gone");
    committed = kc_compact_seen(log, 2);
    kc_that(kc, committed != NULL, "record-missing", "the committed record");
    kc_bytes(kc, "record_value", committed->value, kc_text_bytes("committed"));
}

/* --- retain ----------------------------------------------------------------------------------- */

static void
time_over(struct kc *kc)
{
    struct kc_topic *topic;
    int64_t now_ms;

    topic = kc_topic_new(kc, 1, KC_COMPACT_SEGMENT_MS, "retention.ms=3600000", NULL);
    now_ms = kc_wall_ms();
    for (int i = 0; i < 3; i++)
        (void)kc_compact_put(kc, topic, NULL, "old", now_ms - 2 * HOUR_MS);
    (void)kc_compact_put(kc, topic, NULL, "new", now_ms);
    begins_at(kc, topic, 3);
    kc_code(kc, "error_code", kc_fetch_one(kc, topic, 0, 0)->error_code, KE_OFFSET_OUT_OF_RANGE);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 4, -1);
    kc_int(kc, "first_offset", kc_log_all(kc, topic, 0)->records[0].offset, 3);
}

static void
bytes_over(struct kc *kc)
{
    int64_t chunks = 5 * MIB / (int64_t)CHUNK_BYTES, earliest = 0, before;
    struct kc_topic *topic;
    const struct kc_log *log;
    int same = 0;
    struct kc_wait wait;

    topic = kc_topic_new(kc, 1, "segment.bytes=1048576", "retention.bytes=1048576", NULL);
    for (int64_t i = 0; i < chunks; i++)
        (void)kc_append_ok(kc, topic, 0, kc_batch_sized(kc, CHUNK_BYTES));
    wait = kc_wait_begin(kc, LIMIT_MS);
    while ((chunks - earliest) * (int64_t)CHUNK_BYTES > 2 * MIB) {
        kc_wait_more(kc, &wait, "the log is at most a segment above retention.bytes");
        earliest = kc_earliest(kc, topic, 0);
    }
    /* A target may take away in more than one go; the log is read when it rests. */
    wait = kc_wait_begin(kc, LIMIT_MS);
    while (same < RESTS) {
        kc_wait_more(kc, &wait, "its beginning stays");
        before = earliest;
        earliest = kc_earliest(kc, topic, 0);
        same = earliest == before ? same + 1 : 0;
    }
    kc_that(kc, (chunks - earliest) * (int64_t)CHUNK_BYTES >= MIB, "too-much-gone",
        "at least retention.bytes are left");
    log = kc_log_all(kc, topic, 0);
    kc_int(kc, "first_offset", log->records[0].offset, earliest);
    kc_int(kc, "records", (int64_t)log->record_count, chunks - earliest);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, chunks, -1);
}

static void
empty_partition_keeps_end(struct kc *kc)
{
    static const char *const restart[] = {"restart"};
    struct kc_topic *topic;
    int64_t now_ms;

    topic = kc_topic_new(kc, 1, KC_COMPACT_SEGMENT_MS, "retention.ms=3600000", NULL);
    now_ms = kc_wall_ms();
    for (int i = 0; i < 3; i++)
        (void)kc_compact_put(kc, topic, NULL, "old", now_ms - 2 * HOUR_MS);
    begins_at(kc, topic, 3);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 3, -1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    topic = kc_topic_await(kc, topic->name, 1);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 3, -1);
    kc_int(kc, "base_offset", kc_compact_put(kc, topic, NULL, "new", now_ms), 3);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"compact.latest_kept", "compaction leaves the last value of each key, at its offset",
        "log_compaction_test, TestCompactBasic", CHECK_CORE, 90,
        {CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)}, latest_kept},
    {"compact.gaps_ok", "a fetch at an offset that was compacted away goes on at the next record",
        "redpanda 6749", CHECK_CORE, 90, {CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)},
        gaps_ok},
    {"compact.tombstone_kept_then_removed",
        "a tombstone stays for delete.retention.ms from the first cleaning, then goes", "KIP-534",
        CHECK_CORE, 90, {CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)},
        tombstone_kept_then_removed},
    {"compact.txn_aborted_removed", "aborted records go, and supersede no committed one",
        "testBasicTransactionAwareCleaning", CHECK_CORE, 90,
        {CHECK_NEED(FETCH, 4), CHECK_NEED(ADD_PARTITIONS_TO_TXN, 0), CHECK_NEED(END_TXN, 0),
            CHECK_START(kc_compact_intervals)},
        txn_aborted_removed},
    {"compact.delete_policy_combo",
        "with compact,delete old segments go by time, and the others are compacted",
        "LogCleanerParameterizedIntegrationTest", CHECK_CORE, 90,
        {CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)}, delete_policy_combo},
    {"retain.time", "what is older than retention.ms goes, and the log's end stays",
        "TestRetentionTime", CHECK_CORE, 90,
        {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)},
        time_over},
    {"retain.bytes", "beyond retention.bytes the oldest go, a segment at a time",
        "TestRetentionBytes", CHECK_CORE, 90,
        {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)},
        bytes_over},
    {"retain.empty_partition_keeps_end",
        "a log that lost all its records goes on at its end, after a restart, too", "UnifiedLog",
        CHECK_CORE | CHECK_CONTROL, 120,
        {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)},
        empty_partition_keeps_end},
};

const struct check_table c_compact_table = CHECK_TABLE("compact", checks);
