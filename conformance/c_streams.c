/*
 * Area streams, first part: what Kafka Streams needs of a broker, whatever protocol its groups
 * speak: internal topics, restoring of state, exactly-once loops.
 */
#include "conformance/kc_ask.h"
#include "conformance/kc_compact.h"
#include "conformance/kc_group.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define RECORDS 10
#define PURGED 6
#define READ_COMMITTED 1

/* --- internal topics -------------------------------------------------------------------------- */

static void
created_with(struct kc *kc, const char *const *configs, size_t count)
{
    const char *name = kc_topic_name(kc);

    kc_code(kc, "CreateTopics", kc_topic_create_as(kc, name, 2, configs, count), KE_NONE);
    (void)kc_topic_await(kc, name, 2);
    for (size_t i = 0; i < count; i++)
        kc_topic_has(kc, name, configs[i]);
}

static void
changelog_create(struct kc *kc)
{
    static const char *const of_keys[] = {
        "cleanup.policy=compact", "message.timestamp.type=CreateTime", "segment.bytes=52428800"};
    static const char *const of_windows[] = {"cleanup.policy=compact,delete",
        "message.timestamp.type=CreateTime", "retention.ms=86700000", "segment.bytes=52428800"};

    created_with(kc, of_keys, ARRAY_LEN(of_keys));
    created_with(kc, of_windows, ARRAY_LEN(of_windows));
}

static void
repartition_create(struct kc *kc)
{
    static const char *const configs[] = {"cleanup.policy=delete",
        "message.timestamp.type=CreateTime", "retention.ms=-1", "segment.bytes=52428800"};

    created_with(kc, configs, ARRAY_LEN(configs));
}

static void
repartition_purge(struct kc *kc)
{
    static const char *const left[] = {"value-6", "value-7", "value-8", "value-9"};
    struct kc_topic *topic = kc_topic_new(kc, 1, "cleanup.policy=delete", "retention.ms=-1", NULL);
    struct kc_group *group = kc_group_new(kc);
    const struct km_delete_records_response_partition_result *purged;
    struct kc_commit commit = kc_commit_of(NULL, PURGED);

    for (int i = 0; i < RECORDS; i++) {
        struct batch_builder_record record =
            kc_record("key", kc_printf(kc, "value-%d", i), kc_wall_ms());

        (void)kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, &record, 1));
    }
    kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, 0, &commit), KE_NONE);
    purged = kc_delete_records(kc, topic, 0, PURGED);
    kc_code(kc, "DeleteRecords", purged->error_code, KE_NONE);
    kc_int(kc, "low_watermark", purged->low_watermark, PURGED);
    kc_int(kc, "earliest", kc_earliest(kc, topic, 0), PURGED);
    kc_int(kc, "committed_offset", kc_committed(kc, group, topic, 0).offset, PURGED);
    kc_log_values(kc, kc_log_all(kc, topic, 0), PURGED, left, ARRAY_LEN(left));
    kc_int(kc, "base_offset", kc_append_ok(kc, topic, 0, kc_batch_values(kc, "more", 1)), RECORDS);
}

/* --- restoring -------------------------------------------------------------------------------- */

/* The last value of a key, or NULL where there is none or a tombstone. */
static const struct kc_seen *
stored(const struct kc_log *log, const char *key)
{
    const struct kc_seen *last = NULL;

    for (size_t i = 0; i < log->record_count; i++) {
        const struct kc_seen *record = &log->records[i];

        if (kc_topic_is_named(
                (struct wire_string){(const char *)record->key.data, record->key.size}, key))
            last = record->value.size < 0 ? NULL : record;
    }
    return last;
}

static void
restore_to_end(struct kc *kc)
{
    struct kc_topic *topic = kc_compact_topic(kc, "delete.retention.ms=86400000");
    int64_t now_ms = kc_wall_ms(), end;
    struct kc_fetch_options options = kc_fetch_defaults();
    const struct kc_log *log;

    for (int i = 0; i < RECORDS; i++) {
        (void)kc_compact_put(kc, topic, "a", kc_printf(kc, "a-%d", i), now_ms);
        (void)kc_compact_put(kc, topic, "b", kc_printf(kc, "b-%d", i), now_ms);
    }
    (void)kc_compact_put(kc, topic, "b", NULL, now_ms);
    kc_compact_close(kc, topic, 1);
    (void)kc_compact_gone(kc, topic, 0, "the first values are gone");
    end = kc_latest(kc, topic, 0);
    kc_int(kc, "log_end", end, 2 * RECORDS + 2);
    /* As a store is restored: from 0 on, whatever is left, until the position is the end. */
    log = kc_log_read(kc, &options, topic, 0, 0, end);
    kc_int(kc, "position", batch_view_next_offset(&log->batches[log->batch_count - 1]), end);
    kc_that(kc, log->record_count < (size_t)end, "no-gaps", "a log that was compacted");
    kc_that(kc, stored(log, "b") == NULL, "deleted-key", "no value of a key that was deleted");
    kc_that(kc, stored(log, "a") != NULL, "record-missing", "the last value of the other key");
    kc_bytes(kc, "record_value", stored(log, "a")->value, kc_text_bytes("a-9"));
}

static int64_t
committed_end(struct kc *kc, const struct kc_topic *topic)
{
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part;

    options.isolation = READ_COMMITTED;
    part = kc_offsets_of(kc, &options, topic, 0, KC_TIMESTAMP_LATEST);
    kc_code(kc, "ListOffsets", part->error_code, KE_NONE);
    return part->offset;
}

static void
restore_read_committed(struct kc *kc)
{
    static const char *const values[] = {"committed"};
    struct kc_topic *topic = kc_topic_new(kc, 1, "cleanup.policy=compact", NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "store"), KC_TXN_V1);
    struct kc_txn open = kc_txn_open(kc, kc_txn_id(kc, "open"), KC_TXN_V1);
    struct kc_fetch_options options = kc_fetch_defaults();
    const struct kc_log *log;

    kc_txn_append(kc, &txn, topic, 0, "committed");
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_append(kc, &txn, topic, 0, "aborted");
    kc_txn_end(kc, &txn, false);
    kc_txn_settled(kc, topic, 0, 4);
    kc_txn_append(kc, &open, topic, 0, "open");
    kc_int(kc, "committed_end", committed_end(kc, topic), 4);
    options.isolation = READ_COMMITTED;
    log = kc_log_read(kc, &options, topic, 0, 0, 4);
    kc_int(kc, "position", batch_view_next_offset(&log->batches[log->batch_count - 1]), 4);
    kc_txn_values(kc, topic, 0, values, 1);
    kc_txn_end(kc, &open, false);
}

/* --- who may commit --------------------------------------------------------------------------- */

/* Two producers, which do not fence each other, work for one group: what keeps out the one whose
 * partitions are another's is its generation. */
static void
eos_zombie_fencing(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, NULL, "one");
    struct kc_member *other = kc_member_new(kc, group, NULL, "other");
    struct kc_member *both[] = {one, other};
    struct kc_txn zombie = kc_txn_open(kc, kc_txn_id(kc, "zombie"), KC_TXN_V1);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "txn"), KC_TXN_V1);
    struct kc_member before;

    kc_members_settle(kc, &one, 1, "alone");
    kc_code(kc, "TxnOffsetCommit", kc_txn_offset_commit_as(kc, &zombie, one, topic, 1), KE_NONE);
    kc_txn_end(kc, &zombie, true);
    before = *one;
    kc_members_settle(kc, both, 2, "together");
    kc_code(kc, "old_generation", kc_txn_offset_commit_as(kc, &zombie, &before, topic, 2),
        KE_ILLEGAL_GENERATION);
    before.generation = one->generation;
    before.id = kc_printf(kc, "%s-stranger", one->id);
    kc_code(kc, "unknown_member", kc_txn_offset_commit_as(kc, &zombie, &before, topic, 3),
        KE_UNKNOWN_MEMBER_ID);
    kc_txn_end(kc, &zombie, false);
    kc_code(kc, "TxnOffsetCommit", kc_txn_offset_commit_as(kc, &txn, other, topic, 4), KE_NONE);
    kc_txn_end(kc, &txn, true);
    for (struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);;) {
        const struct km_offset_fetch_response_partition *part =
            kc_txn_offset_fetch(kc, group->id, topic, true);

        if (part->error_code == KE_NONE) {
            kc_int(kc, "committed_offset", part->committed_offset, 4);
            break;
        }
        kc_wait_more(kc, &wait, "the offset is stable");
    }
}

/* --- the table -------------------------------------------------------------------------------- */

#define NEED_TXN CHECK_NEED(INIT_PRODUCER_ID, 0), CHECK_NEED(ADD_PARTITIONS_TO_TXN, 0)

static const struct check checks[] = {
    {"streams.changelog_create", "changelogs are made, and DescribeConfigs repeats their configs",
        "InternalTopicManager, WindowedChangelogTopicConfig", CHECK_CORE, 0,
        {CHECK_NEED(CREATE_TOPICS, 2), CHECK_NEED(DESCRIBE_CONFIGS, 1)}, changelog_create},
    {"streams.repartition_create", "so are repartition topics, which keep everything",
        "RepartitionTopicConfig", 0, 0,
        {CHECK_NEED(CREATE_TOPICS, 2), CHECK_NEED(DESCRIBE_CONFIGS, 1)}, repartition_create},
    {"streams.repartition_purge",
        "what is deleted behind the committed offset is gone, and the consumer goes on",
        "PurgeRepartitionTopicIntegrationTest", 0, 0,
        {CHECK_NEED(DELETE_RECORDS, 0), CHECK_NEED(OFFSET_COMMIT, 2)}, repartition_purge},
    {"streams.restore_to_end",
        "who reads a compacted changelog from 0 comes to its end and has the last values",
        "StoreChangelogReader", CHECK_CORE, 90,
        {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(FETCH, 4), CHECK_START(kc_compact_intervals)},
        restore_to_end},
    {"streams.restore_read_committed",
        "a changelog's committed end stands before what is open, and behind what was aborted",
        "EosIntegrationTest", 0, 0, {CHECK_NEED(LIST_OFFSETS, 2), CHECK_NEED(FETCH, 4), NEED_TXN},
        restore_read_committed},
    {"streams.eos_zombie_fencing",
        "offsets of a transaction are refused to earlier generations (22) and strangers (25)",
        "KIP-447", 0, 60,
        {CHECK_NEED(TXN_OFFSET_COMMIT, 3), CHECK_NEED(OFFSET_FETCH, 7), CHECK_NEED(JOIN_GROUP, 0)},
        eos_zombie_fencing},
};

const struct check_table c_streams_table = CHECK_TABLE("streams", checks);
