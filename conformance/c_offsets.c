/* Area offsets: ListOffsets and DeleteRecords. */
#include <inttypes.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TIMESTAMP_NO_SUCH (-7)
#define ANY_TIMESTAMP INT64_MIN

/* Batches with the timestamps t0+10 to t0+30, t0+40 to t0+60, t0+70: offsets 0-2, 3-5, 6. */
static struct kc_topic *
timed_topic(struct kc *kc, int64_t *t0)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t now_ms = *t0 = kc_wall_ms() - 100000;
    const int64_t first[] = {now_ms + 10, now_ms + 20, now_ms + 30};
    const int64_t second[] = {now_ms + 40, now_ms + 50, now_ms + 60};
    const int64_t third[] = {now_ms + 70};

    kc_append_ok(kc, topic, 0, kc_batch_timed(kc, first, 3));
    kc_append_ok(kc, topic, 0, kc_batch_timed(kc, second, 3));
    kc_append_ok(kc, topic, 0, kc_batch_timed(kc, third, 1));
    return topic;
}

/* Answers that a broker gives which knows batches and not records, by name. */
static void
by_time(struct kc *kc, const struct kc_topic *topic, int64_t asked, int64_t offset,
    int64_t timestamp, int64_t batch_base)
{
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part =
        kc_offsets_of(kc, &options, topic, 0, asked);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_classify(kc, part->offset == batch_base && offset != batch_base ? "batch-base" : NULL);
    kc_int(kc, "offset", part->offset, offset);
    kc_classify(
        kc, part->offset == batch_base && part->timestamp != timestamp ? "batch-timestamp" : NULL);
    kc_int(kc, "timestamp", part->timestamp, timestamp);
    kc_classify(kc, NULL);
}

/* --- the ends --------------------------------------------------------------------------------- */

static void
earliest(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 0, -1);
    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, 4)->error_code, KE_NONE);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 4, -1);
}

static void
latest(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 7, -1);
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", 5));
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 12, -1);
}

static void
empty_topic(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 0, -1);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 0, -1);
}

static void
earliest_local(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, 2)->error_code, KE_NONE);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST_LOCAL, 2, -1);
}

static void
seek_to_end_reachable(struct kc *kc)
{
    int64_t t0, end;
    struct kc_topic *topic = timed_topic(kc, &t0);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_log *log;

    for (int i = 0; i < 10; i++)
        kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", 3));
    end = kc_latest(kc, topic, 0);
    kc_int(kc, "latest", end, 37);
    log = kc_log_read(kc, &options, topic, 0, 0, end);
    kc_int(kc, "position", batch_view_next_offset(&log->batches[log->batch_count - 1]), end);
}

/* --- by timestamp ----------------------------------------------------------------------------- */

static void
by_timestamp_exact(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    for (int64_t i = 0; i < 7; i++)
        by_time(kc, topic, t0 + 10 * (i + 1), i, t0 + 10 * (i + 1), i / 3 * 3);
}

static void
by_timestamp_between(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    for (int64_t i = 0; i < 7; i++)
        by_time(kc, topic, t0 + 10 * i + 5, i, t0 + 10 * (i + 1), i / 3 * 3);
    by_time(kc, topic, 0, 0, t0 + 10, 0);
}

static void
by_timestamp_skips_none(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    by_time(kc, topic, t0 + 41, 4, t0 + 50, 3);
    by_time(kc, topic, t0 + 60, 5, t0 + 60, 3);
}

static void
by_timestamp_after_last(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    kc_offset(kc, topic, t0 + 71, -1, -1);
    kc_offset(kc, topic, t0 + 70, 6, t0 + 70);
}

static void
by_timestamp_out_of_order(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t t0 = kc_wall_ms() - 100000;
    const int64_t times[] = {t0 + 10, t0 + 5, t0 + 20, t0 + 1};

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        kc_append_ok(kc, topic, 0, kc_batch_timed(kc, &times[i], 1));
    kc_offset(kc, topic, t0 + 1, 0, t0 + 10);
    kc_offset(kc, topic, t0 + 5, 0, t0 + 10);
    kc_offset(kc, topic, t0 + 11, 2, t0 + 20);
    kc_offset(kc, topic, t0 + 21, -1, -1);
}

static void
by_timestamp_after_delete_records(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, 4)->error_code, KE_NONE);
    by_time(kc, topic, t0 + 10, 4, t0 + 50, 3);
    by_time(kc, topic, t0 + 60, 5, t0 + 60, 3);
}

static void
max_timestamp(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t t0 = kc_wall_ms() - 100000;
    const int64_t first[] = {t0 + 10, t0 + 30}, second[] = {t0 + 20, t0 + 90, t0 + 90, t0 + 40};
    const int64_t third[] = {t0 + 50};
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part;

    kc_append_ok(kc, topic, 0, kc_batch_timed(kc, first, 2));
    kc_append_ok(kc, topic, 0, kc_batch_timed(kc, second, 4));
    kc_append_ok(kc, topic, 0, kc_batch_timed(kc, third, 1));
    part = kc_offsets_of(kc, &options, topic, 0, KC_TIMESTAMP_MAX);
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_classify(kc, part->offset == 5 ? "batch-last" : NULL);
    kc_int(kc, "offset", part->offset, 3);
    kc_classify(kc, NULL);
    kc_int(kc, "timestamp", part->timestamp, t0 + 90);
}

static void
max_timestamp_empty(struct kc *kc)
{
    kc_offset(kc, kc_topic_new(kc, 1, NULL), KC_TIMESTAMP_MAX, -1, -1);
}

/* --- what is not answered -----------------------------------------------------------------------
 */

static void
unsupported(struct kc *kc, const struct kc_topic *topic, int64_t timestamp, int16_t version_max)
{
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part;

    options.version_max = version_max;
    part = kc_offsets_of(kc, &options, topic, 0, timestamp);
    kc_code(kc, "error_code", part->error_code, KE_UNSUPPORTED_VERSION);
    kc_int(kc, "offset", part->offset, -1);
}

static void
unsupported_special(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);

    unsupported(kc, topic, TIMESTAMP_NO_SUCH, KC_VERSION_MAX);
    if (kc_has_version(kc, KM_LIST_OFFSETS, 6))
        unsupported(kc, topic, KC_TIMESTAMP_MAX, 6);
    if (kc_has_version(kc, KM_LIST_OFFSETS, 7))
        unsupported(kc, topic, KC_TIMESTAMP_EARLIEST_LOCAL, 7);
}

static void
leader_epoch_returned(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);
    const int64_t asked[] = {KC_TIMESTAMP_EARLIEST, KC_TIMESTAMP_LATEST, t0 + 40};

    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct kc_offsets_options options = kc_offsets_defaults();
        const struct km_list_offsets_response_partition_response *part =
            kc_offsets_of(kc, &options, topic, 0, asked[i]);

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_int(kc, "leader_epoch", part->leader_epoch, 0);
    }
}

static void
epoch_fencing(struct kc *kc)
{
    int64_t t0;
    struct kc_topic *topic = timed_topic(kc, &t0);
    struct kc_offsets_options options = kc_offsets_defaults();

    options.current_leader_epoch = 1000;
    kc_code(kc, "error_code",
        kc_offsets_of(kc, &options, topic, 0, KC_TIMESTAMP_LATEST)->error_code,
        KE_UNKNOWN_LEADER_EPOCH);
    options.current_leader_epoch = 0;
    kc_code(kc, "error_code_current",
        kc_offsets_of(kc, &options, topic, 0, KC_TIMESTAMP_LATEST)->error_code, KE_NONE);
}

/* One request for two partitions of one topic; the codes as answered. */
static void
ask_two(struct kc *kc, const struct kc_topic *near, const char *name, int32_t first, int32_t second,
    int16_t wanted)
{
    struct km_list_offsets_request body;
    struct km_list_offsets_request_topic asked;
    struct km_list_offsets_request_partition parts[2];
    const struct km_list_offsets_response *response;
    int32_t answers = 0;

    codec_init(&km_list_offsets_request_desc, &body);
    codec_init(&km_list_offsets_request_topic_desc, &asked);
    for (int i = 0; i < 2; i++) {
        codec_init(&km_list_offsets_request_partition_desc, &parts[i]);
        parts[i].partition_index = i == 0 ? first : second;
        parts[i].timestamp = KC_TIMESTAMP_LATEST;
    }
    asked.name = kc_string(name);
    asked.partitions.items = parts;
    asked.partitions.count = 2;
    body.replica_id = -1;
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_topic_leader(kc, near, 0), KM_LIST_OFFSETS,
        kc_version(kc, KM_LIST_OFFSETS, KC_VERSION_MAX), &body);
    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t k = 0; k < response->topics.items[i].partitions.count; k++, answers++)
            kc_code(
                kc, "error_code", response->topics.items[i].partitions.items[k].error_code, wanted);
    kc_that(kc, answers > 0, "no-answer-for-it", "an answer for the partitions");
}

static void
unknown_topic_partition(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    ask_two(kc, topic, topic->name, 98, 99, KE_UNKNOWN_TOPIC_OR_PARTITION);
    ask_two(kc, topic, kc_topic_name(kc), 0, 1, KE_UNKNOWN_TOPIC_OR_PARTITION);
}

static void
duplicate_partition(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    ask_two(kc, topic, topic->name, 0, 0, KE_INVALID_REQUEST);
}

/* --- DeleteRecords ---------------------------------------------------------------------------- */

static void
deleted(struct kc *kc, const struct kc_topic *topic, int64_t offset, int16_t code,
    int64_t low_watermark)
{
    const struct km_delete_records_response_partition_result *part =
        kc_delete_records(kc, topic, 0, offset);

    kc_code(kc, "error_code", part->error_code, code);
    kc_int(kc, "low_watermark", part->low_watermark, low_watermark);
}

/* Batches of 3, 2 and 5 records. */
static struct kc_topic *
ten_records(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "a", 3));
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "b", 2));
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "c", 5));
    return topic;
}

static void
delrec_basic(struct kc *kc)
{
    struct kc_topic *topic = ten_records(kc);

    deleted(kc, topic, 5, KE_NONE, 5);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 5, ANY_TIMESTAMP);
    kc_code(kc, "fetch_4", kc_fetch_one(kc, topic, 0, 4)->error_code, KE_OFFSET_OUT_OF_RANGE);
    kc_code(kc, "fetch_5", kc_fetch_one(kc, topic, 0, 5)->error_code, KE_NONE);
    kc_int(kc, "records", (int64_t)kc_log_all(kc, topic, 0)->record_count, 5);
}

static void
delrec_minus_one(struct kc *kc)
{
    struct kc_topic *topic = ten_records(kc);

    deleted(kc, topic, -1, KE_NONE, 10);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 10, ANY_TIMESTAMP);
    kc_offset(kc, topic, KC_TIMESTAMP_LATEST, 10, ANY_TIMESTAMP);
    kc_int(kc, "base_offset", kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", 1)), 10);
}

static void
delrec_beyond_hw(struct kc *kc)
{
    struct kc_topic *topic = ten_records(kc);

    deleted(kc, topic, 11, KE_OFFSET_OUT_OF_RANGE, -1);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 0, ANY_TIMESTAMP);
    kc_int(kc, "records", (int64_t)kc_log_all(kc, topic, 0)->record_count, 10);
}

static void
delrec_idempotent_backward(struct kc *kc)
{
    struct kc_topic *topic = ten_records(kc);

    deleted(kc, topic, 5, KE_NONE, 5);
    deleted(kc, topic, 5, KE_NONE, 5);
    deleted(kc, topic, 3, KE_NONE, 5);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 5, ANY_TIMESTAMP);
}

static void
delrec_mid_batch(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_log *log = kc_alloc(kc, 1, sizeof *log);
    const struct km_fetch_response_partition_data *part;

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", 10));
    deleted(kc, topic, 4, KE_NONE, 4);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 4, ANY_TIMESTAMP);
    part = kc_fetch_one(kc, topic, 0, 4);
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_log_add(kc, log, &part->records);
    kc_int(kc, "batches", (int64_t)log->batch_count, 1);
    kc_int(kc, "last_offset", log->records[log->record_count - 1].offset, 9);
    kc_code(kc, "fetch_3", kc_fetch_one(kc, topic, 0, 3)->error_code, KE_OFFSET_OUT_OF_RANGE);
}

static void
delrec_compact_only_policy(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "cleanup.policy=compact", NULL);
    struct batch_builder_record record = kc_record("k", "v", kc_wall_ms());

    kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, &record, 1));
    kc_code(kc, "error_code", kc_delete_records(kc, topic, 0, 1)->error_code, KE_POLICY_VIOLATION);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 0, ANY_TIMESTAMP);
}

static void
delrec_internal_topic(struct kc *kc)
{
    kc_code(kc, "error_code", kc_delete_records(kc, kc_topic_internal(kc), 0, 0)->error_code,
        KE_INVALID_TOPIC_EXCEPTION);
}

static void
delrec_survives_restart(struct kc *kc)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};
    static const char *const stop[] = {"stop"};
    struct kc_topic *topic = ten_records(kc);

    deleted(kc, topic, 5, KE_NONE, 5);
    /* Kafka writes the log start down once a minute and when it stops; a broker that always does
     * passes as well. */
    kc_control(kc, stop, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    topic = kc_topic_await(kc, topic->name, 1);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 5, ANY_TIMESTAMP);
    kc_control(kc, kill, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    topic = kc_topic_await(kc, topic->name, 1);
    kc_offset(kc, topic, KC_TIMESTAMP_EARLIEST, 5, ANY_TIMESTAMP);
    kc_code(kc, "fetch_4", kc_fetch_one(kc, topic, 0, 4)->error_code, KE_OFFSET_OUT_OF_RANGE);
    kc_int(kc, "records", (int64_t)kc_log_all(kc, topic, 0)->record_count, 5);
}

static const struct check checks[] = {
    {"offsets.earliest", "-2 gives the log start", "ListOffsetsRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(DELETE_RECORDS, 0)}, earliest},
    {"offsets.latest", "-1 gives the high watermark", "ListOffsetsRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(LIST_OFFSETS, 1)}, latest},
    {"offsets.empty_topic", "both ends of a new topic are 0", "LogOffsetTest", 0, 0,
        {CHECK_NEED(LIST_OFFSETS, 1)}, empty_topic},
    {"offsets.by_timestamp_exact", "a record's own timestamp gives that record",
        "UnifiedLog, redpanda 6604", CHECK_CORE, 0, {CHECK_NEED(LIST_OFFSETS, 1)},
        by_timestamp_exact},
    {"offsets.by_timestamp_between", "a time between two records gives the later one",
        "librdkafka 0054", CHECK_CORE, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, by_timestamp_between},
    {"offsets.by_timestamp_skips_none", "a time inside a batch gives the record inside it",
        "redpanda 6604", 0, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, by_timestamp_skips_none},
    {"offsets.by_timestamp_after_last", "a time behind the newest record gives -1",
        "librdkafka 0031", 0, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, by_timestamp_after_last},
    {"offsets.by_timestamp_out_of_order", "the first offset counts, not the first time",
        "redpanda 6604", 0, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, by_timestamp_out_of_order},
    {"offsets.by_timestamp_after_delete_records", "no offset below the log start is given",
        "redpanda 18599", 0, 0, {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(DELETE_RECORDS, 0)},
        by_timestamp_after_delete_records},
    {"offsets.max_timestamp", "-3 gives the first record with the highest timestamp", "KIP-734",
        CHECK_CORE, 0, {CHECK_NEED(LIST_OFFSETS, 7)}, max_timestamp},
    {"offsets.max_timestamp_empty", "-3 of an empty log gives -1", "LogOffsetTest", 0, 0,
        {CHECK_NEED(LIST_OFFSETS, 7)}, max_timestamp_empty},
    {"offsets.earliest_local", "-4 without tiering gives the log start", "KIP-405", 0, 0,
        {CHECK_NEED(LIST_OFFSETS, 8), CHECK_NEED(DELETE_RECORDS, 0)}, earliest_local},
    {"offsets.unsupported_special", "a special timestamp that the version lacks is answered 35",
        "ReplicaManager", 0, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, unsupported_special},
    {"offsets.leader_epoch_returned", "answers carry the leader epoch", "ListOffsetsRequestTest", 0,
        0, {CHECK_NEED(LIST_OFFSETS, 4)}, leader_epoch_returned},
    {"offsets.epoch_fencing", "a leader epoch that is to come is answered 75",
        "ListOffsetsRequestTest", 0, 0, {CHECK_NEED(LIST_OFFSETS, 4)}, epoch_fencing},
    {"offsets.unknown_topic_partition", "an unknown topic or partition is answered 3",
        "ListOffsetsRequestTest", 0, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, unknown_topic_partition},
    {"offsets.duplicate_partition", "a partition named twice is answered 42", "ReplicaManager", 0,
        0, {CHECK_NEED(LIST_OFFSETS, 1)}, duplicate_partition},
    {"offsets.seek_to_end_reachable", "a reader reaches the offset that -1 gave", "redpanda 8698",
        CHECK_CORE, 0, {CHECK_NEED(LIST_OFFSETS, 1)}, seek_to_end_reachable},
    {"delrec.basic", "DeleteRecords moves the log start, what is below is gone",
        "DeleteRecordsRequestTest", CHECK_CORE, 0, {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_basic},
    {"delrec.minus_one", "offset -1 deletes all there is, offsets go on",
        "Partition.deleteRecordsOnLeader", 0, 0, {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_minus_one},
    {"delrec.beyond_hw", "an offset above the high watermark is answered 1, nothing is deleted",
        "DeleteRecordsRequestTest", CHECK_CORE, 0, {CHECK_NEED(DELETE_RECORDS, 0)},
        delrec_beyond_hw},
    {"delrec.idempotent_backward", "a log start never moves back", "UnifiedLog", 0, 0,
        {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_idempotent_backward},
    {"delrec.mid_batch", "a log start inside a batch keeps the batch readable", "UnifiedLog", 0, 0,
        {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_mid_batch},
    {"delrec.compact_only_policy", "a topic that is only compacted answers 44", "Partition", 0, 0,
        {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_compact_only_policy},
    {"delrec.internal_topic", "Kafka's own topics answer 17", "ReplicaManager", 0, 0,
        {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_internal_topic},
    {"delrec.survives_restart", "deleted records stay deleted when the broker starts again",
        "log-start-offset checkpoint", CHECK_CORE | CHECK_CONTROL, 180,
        {CHECK_NEED(DELETE_RECORDS, 0)}, delrec_survives_restart},
};

const struct check_table c_offsets_table = CHECK_TABLE("offsets", checks);
