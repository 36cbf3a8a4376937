/* Area fetch, first half: positions, limits, waiting, epochs. */
#include <inttypes.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define WAIT_MS 700
#define LONG_WAIT_MS 10000
#define READERS 8
#define READ_BATCHES 20
#define BIG_BATCH (900 * 1024)
#define STARVED_PARTITIONS 50
#define NAMES_MAX 12

/* Three batches of 4, 3 and 5 records: offsets 0-3, 4-6, 7-11. */
static struct kc_topic *
three_batches(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "a", 4));
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "b", 3));
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "c", 5));
    return topic;
}

/* What a fetch at `offset` returned, which must be without error. */
static struct kc_log *
fetched(struct kc *kc, const struct kc_topic *topic, int64_t offset)
{
    struct kc_log *log = kc_alloc(kc, 1, sizeof *log);
    const struct km_fetch_response_partition_data *part = kc_fetch_one(kc, topic, 0, offset);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_log_add(kc, log, &part->records);
    return log;
}

/* --- positions -------------------------------------------------------------------------------- */

static void
basic(struct kc *kc)
{
    static const char *const values[] = {
        "a-0", "a-1", "a-2", "a-3", "b-0", "b-1", "b-2", "c-0", "c-1", "c-2", "c-3", "c-4"};
    struct kc_topic *topic = three_batches(kc);
    const struct km_fetch_response_partition_data *part = kc_fetch_one(kc, topic, 0, 0);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "high_watermark", part->high_watermark, 12);
    kc_int(kc, "last_stable_offset", part->last_stable_offset, 12);
    if (kc->last->version >= 5)
        kc_int(kc, "log_start_offset", part->log_start_offset, 0);
    kc_log_values(kc, kc_log_all(kc, topic, 0), 0, values, ARRAY_LEN(values));
}

static void
from_middle_of_batch(struct kc *kc)
{
    struct kc_log *log = fetched(kc, three_batches(kc), 5);

    kc_that(kc, log->batch_count > 0, "no-batch", "the batch that holds offset 5");
    kc_int(kc, "first_offset", log->records[0].offset, 4);
    kc_int(kc, "records_of_batch", log->batches[0].record_count, 3);
}

static void
mid_last_batch(struct kc *kc)
{
    struct kc_log *log = fetched(kc, three_batches(kc), 11);

    kc_that(kc, log->batch_count > 0, "no-batch", "the batch that holds offset 11");
    kc_int(kc, "first_offset", log->records[0].offset, 7);
    kc_int(kc, "last_offset", log->records[log->record_count - 1].offset, 11);
}

static void
batch_base_offset_rewritten(struct kc *kc)
{
    static const int64_t bases[] = {0, 4, 7};
    struct kc_topic *topic = three_batches(kc);
    struct kc_log *log = kc_log_all(kc, topic, 0);

    kc_int(kc, "batches", (int64_t)log->batch_count, 3);
    for (size_t i = 0; i < ARRAY_LEN(bases); i++)
        kc_int(kc, "base_offset", log->batches[i].base_offset, bases[i]);
}

static void
at_log_end(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 12);
    const struct km_fetch_response_partition_data *data;
    int64_t since_us = wire_client_now_us();

    options.max_wait_ms = WAIT_MS;
    data = kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0);
    kc_code(kc, "error_code", data->error_code, KE_NONE);
    kc_int(kc, "records_size", data->records.size > 0 ? data->records.size : 0, 0);
    kc_int(kc, "high_watermark", data->high_watermark, 12);
    kc_that(kc, (wire_client_now_us() - since_us) / 1000 >= WAIT_MS * 9 / 10, "no-wait",
        "an answer after max_wait");
}

static void
beyond_end(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);
    const struct km_fetch_response_partition_data *part = kc_fetch_one(kc, topic, 0, 13);

    kc_code(kc, "error_code", part->error_code, KE_OFFSET_OUT_OF_RANGE);
    kc_int(kc, "high_watermark", part->high_watermark, -1);
}

static void
below_start(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);

    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, 5)->error_code, KE_NONE);
    kc_code(kc, "error_code", kc_fetch_one(kc, topic, 0, 3)->error_code, KE_OFFSET_OUT_OF_RANGE);
    kc_code(kc, "error_code_at_start", kc_fetch_one(kc, topic, 0, 5)->error_code, KE_NONE);
}

static void
empty_topic_from_0(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    for (int8_t isolation = 0; isolation < 2; isolation++) {
        struct kc_fetch_options options = kc_fetch_defaults();
        struct kc_part part = kc_part(topic, 0, 0);
        const struct km_fetch_response_partition_data *data;

        options.isolation = isolation;
        data = kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0);
        kc_code(kc, "error_code", data->error_code, KE_NONE);
        kc_int(kc, "records_size", data->records.size > 0 ? data->records.size : 0, 0);
        kc_int(kc, "high_watermark", data->high_watermark, 0);
        kc_int(kc, "last_stable_offset", data->last_stable_offset, 0);
    }
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void
max_wait(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);
    const struct km_fetch_response_partition_data *data;
    int64_t since_us = wire_client_now_us(), took_ms;

    options.max_wait_ms = WAIT_MS;
    data = kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0);
    took_ms = (wire_client_now_us() - since_us) / 1000;
    kc_code(kc, "error_code", data->error_code, KE_NONE);
    kc_that(kc, took_ms >= WAIT_MS * 9 / 10, "too-early", "an answer after %d ms, not %" PRId64,
        WAIT_MS, took_ms);
    kc_that(kc, took_ms < WAIT_MS + (int64_t)(3000 * kc->options->timeout_mult), "too-late",
        "an answer after %d ms, not %" PRId64, WAIT_MS, took_ms);
    kc_int(kc, "records_size", data->records.size > 0 ? data->records.size : 0, 0);
}

static void
min_bytes_wakeup(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);
    struct link *link = kc_link_new(kc, topic->leaders[0]);
    const struct km_fetch_response_partition_data *data;
    struct exchange *waiting;
    int64_t since_us, limit_ms;

    options.max_wait_ms = (int32_t)(LONG_WAIT_MS * kc->options->timeout_mult);
    limit_ms = options.max_wait_ms / 10 * 9;
    if (limit_ms > kc->options->commit_ms)
        limit_ms = kc->options->commit_ms;
    waiting = kc_send(
        kc, link, KM_FETCH, kc_fetch_version(kc, &options), kc_fetch_body(kc, &options, &part, 1));
    if (link_wire(link) != NULL)
        kc_that(kc, wire_client_is_silent(link_wire(link), kc_deadline(kc, 200)), "no-wait",
            "no answer as long as there is nothing");
    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", 1));
    since_us = wire_client_now_us();
    data = kc_fetch_part(
        kc, kc_receive_within(kc, link, waiting, LONG_WAIT_MS + KC_REQUEST_MS), topic, 0);
    kc_that(kc, (wire_client_now_us() - since_us) / 1000 < limit_ms, "too-late",
        "an answer as soon as there is data");
    kc_code(kc, "error_code", data->error_code, KE_NONE);
    kc_that(kc, data->records.size > 0, "no-records", "the record just produced");
}

/* Partitions that the broker does not have are another matter: Kafka answers their error with the
 * rest, after max_wait. */
static void
error_is_immediate(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part parts[] = {kc_part(topic, 0, 0), kc_part(topic, 1, 1000)};
    const struct km_fetch_response *response;
    int64_t since_us = wire_client_now_us();

    if (topic->leaders[0] != topic->leaders[1])
        kc_skip(kc, "two leaders");
    options.max_wait_ms = KC_CLOSE_MS;
    response = kc_fetch(kc, &options, parts, 2);
    kc_code(kc, "error_code", kc_fetch_part(kc, response, topic, 1)->error_code,
        KE_OFFSET_OUT_OF_RANGE);
    kc_that(kc, (wire_client_now_us() - since_us) / 1000 < KC_CLOSE_MS * 9 / 10, "too-late",
        "an answer at once, not after max_wait");
}

/* --- limits ----------------------------------------------------------------------------------- */

static void
max_bytes_first_batch_oversize(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct wire_bytes batch = kc_batch_sized(kc, BIG_BATCH);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);
    const struct km_fetch_response_partition_data *data;

    kc_append_ok(kc, topic, 0, batch);
    kc_append_ok(kc, topic, 0, batch);
    options.max_bytes = 1;
    part.max_bytes = 1;
    data = kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0);
    kc_code(kc, "error_code", data->error_code, KE_NONE);
    kc_int(kc, "records_size", data->records.size, BIG_BATCH);
}

static void
max_bytes_total(struct kc *kc)
{
    enum { PARTITIONS = 10, BATCH = 16384, LIMIT = 65536 };
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_produce_options produce = kc_produce_defaults();
    struct kc_append appends[PARTITIONS];
    struct kc_part parts[PARTITIONS];
    const struct km_fetch_response *response;
    int32_t total = 0;

    for (int32_t i = 0; i < PARTITIONS; i++) {
        if (topic->leaders[i] != topic->leaders[0])
            kc_skip(kc, "two leaders");
        appends[i] = (struct kc_append){topic, i, kc_batch_sized(kc, BATCH)};
        parts[i] = kc_part(topic, PARTITIONS - 1 - i, 0);
    }
    kc_produce(kc, &produce, appends, PARTITIONS);
    options.max_bytes = LIMIT;
    response = kc_fetch(kc, &options, parts, PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        const struct km_fetch_response_partition_data *data = kc_fetch_find(response, topic, i);

        total += data != NULL && data->records.size > 0 ? data->records.size : 0;
    }
    kc_that(kc, total <= LIMIT + BATCH, "too-much", "at most %d bytes and one batch, not %d", LIMIT,
        total);
    kc_that(kc, kc_fetch_part(kc, response, topic, PARTITIONS - 1)->records.size >= BATCH,
        "order-ignored", "the first partition asked for served first");
}

static void
rotation_no_starvation(struct kc *kc)
{
    enum { BATCH = 4000, ROUNDS = 200 };
    struct kc_topic *topic = kc_topic_new(kc, STARVED_PARTITIONS, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_produce_options produce = kc_produce_defaults();
    struct kc_append appends[STARVED_PARTITIONS];
    struct kc_part parts[STARVED_PARTITIONS];
    bool seen[STARVED_PARTITIONS] = {false};
    int missing = STARVED_PARTITIONS;
    const struct km_fetch_response *response;

    for (int32_t i = 0; i < STARVED_PARTITIONS; i++) {
        if (topic->leaders[i] != topic->leaders[0])
            kc_skip(kc, "two leaders");
        appends[i] = (struct kc_append){topic, i, kc_batch_sized(kc, BATCH)};
        parts[i] = kc_part(topic, i, 0);
    }
    kc_produce(kc, &produce, appends, STARVED_PARTITIONS);
    /* Nobody moves on: only the broker's own rotation gives every partition its turn. */
    options.max_bytes = BATCH;
    options.session_epoch = KC_SESSION_NEW_EPOCH;
    response = kc_fetch(kc, &options, parts, STARVED_PARTITIONS);
    for (int round = 0; round < ROUNDS && missing > 0; round++) {
        kc_code(kc, "top_error_code", response->error_code, KE_NONE);
        for (int32_t i = 0; i < STARVED_PARTITIONS; i++) {
            const struct km_fetch_response_partition_data *data = kc_fetch_find(response, topic, i);

            if (data != NULL && data->records.size > 0 && !seen[i]) {
                seen[i] = true;
                missing--;
            }
        }
        options.session_id = response->session_id;
        options.session_epoch++;
        options.link = kc_topic_leader(kc, topic, 0);
        response = kc_fetch(kc, &options, NULL, 0);
    }
    kc_int(kc, "partitions_without_data", missing, 0);
}

static void
whole_batches_only(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);

    for (int i = 0; i < 5; i++)
        kc_append_ok(kc, topic, 0, kc_batch_sized(kc, 1000));
    for (int32_t limit = 1; limit < 5000; limit += 499) {
        struct kc_log *log = kc_alloc(kc, 1, sizeof *log);
        const struct km_fetch_response_partition_data *data;

        part.max_bytes = limit;
        data = kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0);
        kc_code(kc, "error_code", data->error_code, KE_NONE);
        /* An incomplete tail is allowed, clients drop it; the batches before it are whole. */
        kc_log_add(kc, log, &data->records);
        kc_that(kc, log->batch_count > 0, "no-batch", "at least one whole batch");
    }
}

/* --- unknown things --------------------------------------------------------------------------- */

static void
unknown_topic(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_topic none = {.name = kc_topic_name(kc), .partition_count = 1};
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part parts[] = {kc_part(&none, 0, 0), kc_part(topic, 99, 0)};
    const struct km_fetch_response *response;

    options.link = kc_topic_leader(kc, topic, 0);
    options.version_max = NAMES_MAX;
    response = kc_fetch(kc, &options, parts, 2);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        kc_code(kc, "error_code",
            kc_fetch_part(kc, response, parts[i].topic, parts[i].partition)->error_code,
            KE_UNKNOWN_TOPIC_OR_PARTITION);
}

static void
topic_id_v13(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);
    const struct km_fetch_response *response = kc_fetch(kc, &options, &part, 1);

    kc_int(kc, "responses_count", response->responses.count, 1);
    kc_that(kc, memcmp(&response->responses.items[0].topic_id, &topic->id, sizeof topic->id) == 0,
        "id-wrong", "the topic's id in the answer");
    kc_code(kc, "error_code", kc_fetch_part(kc, response, topic, 0)->error_code, KE_NONE);
}

static void
unknown_topic_id(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc), other = *topic;
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part parts[] = {kc_part(&other, 0, 0), kc_part(topic, 0, 0)};
    const struct km_fetch_response *response;

    env_random_bytes(&kc->env, other.id.bytes, sizeof other.id.bytes);
    options.link = kc_topic_leader(kc, topic, 0);
    response = kc_fetch(kc, &options, parts, 2);
    kc_code(
        kc, "error_code", kc_fetch_part(kc, response, &other, 0)->error_code, KE_UNKNOWN_TOPIC_ID);
    kc_code(kc, "good_error_code", kc_fetch_part(kc, response, topic, 0)->error_code, KE_NONE);
}

static void
id_of_deleted_topic(struct kc *kc)
{
    static const int16_t codes[] = {KE_UNKNOWN_TOPIC_ID, KE_INCONSISTENT_TOPIC_ID};
    struct kc_topic *old = kc_topic_new(kc, 1, NULL), *new = kc_topic_recreate(kc, old);
    const struct km_fetch_response_partition_data *part;

    kc_append_ok(kc, new, 0, kc_batch_values(kc, "new", 1));
    part = kc_fetch_one(kc, old, 0, 0);
    kc_code_in(kc, "error_code", part->error_code, codes, ARRAY_LEN(codes));
    kc_int(kc, "records_size", part->records.size > 0 ? part->records.size : 0, 0);
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void
leader_epoch_future(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, 0);

    part.current_leader_epoch = 1000;
    kc_code(kc, "error_code",
        kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0)->error_code,
        KE_UNKNOWN_LEADER_EPOCH);
    part.current_leader_epoch = 0; /* a new topic's */
    kc_code(kc, "error_code_current",
        kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0)->error_code, KE_NONE);
}

static void
batch_leader_epoch(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);
    const char *name = topic->name;
    const struct km_metadata_response_topic *seen =
        kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), &name, 1), name);
    struct kc_log *log = kc_log_all(kc, topic, 0);

    kc_that(kc, seen != NULL && seen->partitions.count == 1, "topic-missing", "the topic");
    kc_int(kc, "batches", (int64_t)log->batch_count, 3);
    for (size_t i = 0; i < log->batch_count; i++)
        kc_int(kc, "leader_epoch", log->batches[i].leader_epoch,
            seen->partitions.items[0].leader_epoch);
}

static void
epoch_fencing(struct kc *kc)
{
    struct kc_topic *topic = three_batches(kc);
    const int32_t partitions[] = {0, 99}, epochs[] = {1000, -1};
    const int16_t wanted[] = {KE_UNKNOWN_LEADER_EPOCH, KE_UNKNOWN_TOPIC_OR_PARTITION};

    for (size_t i = 0; i < ARRAY_LEN(partitions); i++) {
        struct km_offset_for_leader_epoch_request body;
        struct km_offset_for_leader_epoch_request_offset_for_leader_topic asked;
        struct km_offset_for_leader_epoch_request_offset_for_leader_partition part;
        const struct km_offset_for_leader_epoch_response *response;

        codec_init(&km_offset_for_leader_epoch_request_desc, &body);
        codec_init(&km_offset_for_leader_epoch_request_offset_for_leader_topic_desc, &asked);
        codec_init(&km_offset_for_leader_epoch_request_offset_for_leader_partition_desc, &part);
        part.partition = partitions[i];
        part.current_leader_epoch = epochs[i];
        asked.topic = kc_string(topic->name);
        asked.partitions.items = &part;
        asked.partitions.count = 1;
        body.replica_id = -1;
        body.topics.items = &asked;
        body.topics.count = 1;
        response = kc_ask(kc, kc_topic_leader(kc, topic, 0), KM_OFFSET_FOR_LEADER_EPOCH,
            kc_version(kc, KM_OFFSET_FOR_LEADER_EPOCH, KC_VERSION_MAX), &body);
        kc_int(kc, "topics_count", response->topics.count, 1);
        kc_code(
            kc, "error_code", response->topics.items[0].partitions.items[0].error_code, wanted[i]);
    }
}

/* --- the same for all ------------------------------------------------------------------------- */

static void
parallel_consumers_same_view(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_log *logs[READERS], *first;
    struct link *links[READERS];
    int64_t at[READERS] = {0};

    for (int i = 0; i < READ_BATCHES; i++)
        kc_append_ok(kc, topic, 0, kc_batch_values(kc, kc_printf(kc, "%d", i), 7));
    for (int i = 0; i < READERS; i++) {
        links[i] = kc_link_new(kc, topic->leaders[0]);
        logs[i] = kc_alloc(kc, 1, sizeof *logs[i]);
    }
    /* All readers' fetches are under way at a time, each with its own appetite. */
    for (int round = 0; round < 400; round++) {
        struct exchange *sent[READERS];

        for (int i = 0; i < READERS; i++) {
            struct kc_part part = kc_part(topic, 0, at[i]);

            part.max_bytes = 300 * (i + 1);
            sent[i] = kc_send(kc, links[i], KM_FETCH, kc_fetch_version(kc, &options),
                kc_fetch_body(kc, &options, &part, 1));
        }
        for (int i = 0; i < READERS; i++) {
            const struct km_fetch_response_partition_data *data =
                kc_fetch_part(kc, kc_receive(kc, links[i], sent[i]), topic, 0);

            kc_code(kc, "error_code", data->error_code, KE_NONE);
            kc_log_add(kc, logs[i], &data->records);
            if (logs[i]->batch_count > 0)
                at[i] = batch_view_next_offset(&logs[i]->batches[logs[i]->batch_count - 1]);
        }
        if (at[0] == READ_BATCHES * 7)
            break;
    }
    first = logs[0];
    kc_int(kc, "records", (int64_t)first->record_count, READ_BATCHES * 7);
    for (int i = 1; i < READERS; i++)
        kc_log_same(kc, first, logs[i]);
}

static void
reread_stable(struct kc *kc)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_log *before, *again;

    for (enum compress_codec codec = COMPRESS_NONE; codec < COMPRESS_CODECS; codec++)
        kc_append_ok(kc, topic, 0, kc_batch_codec(kc, codec, 30));
    before = kc_log_all(kc, topic, 0);
    again = kc_log_all(kc, topic, 0);
    kc_int(kc, "records", (int64_t)before->record_count, (int64_t)COMPRESS_CODECS * 30);
    kc_log_same(kc, before, again);
    kc_control(kc, kill, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    topic = kc_topic_await(kc, topic->name, 1);
    kc_log_same(kc, before, kc_log_all(kc, topic, 0));
}

static const struct check checks[] = {
    {"fetch.basic", "Fetch returns records in offset order, with the ends of the log",
        "protocol guide", CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, basic},
    {"fetch.from_middle_of_batch", "an offset inside a batch returns the whole batch", "franz-go",
        CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, from_middle_of_batch},
    {"fetch.mid_last_batch", "an offset inside the last batch returns that batch", "franz-go",
        CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, mid_last_batch},
    {"fetch.batch_base_offset_rewritten", "a batch carries its offset in the log and a right CRC",
        "DefaultRecordBatch", 0, 0, {CHECK_NEED(FETCH, 4)}, batch_base_offset_rewritten},
    {"fetch.at_log_end", "Fetch at the end is empty without error, after max_wait", "LocalLog", 0,
        0, {CHECK_NEED(FETCH, 4)}, at_log_end},
    {"fetch.beyond_end", "Fetch beyond the end is answered 1, with no high watermark",
        "LocalLog.read", CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, beyond_end},
    {"fetch.below_start", "Fetch below the log start is answered 1", "UnifiedLog", CHECK_CORE, 0,
        {CHECK_NEED(FETCH, 4), CHECK_NEED(DELETE_RECORDS, 0)}, below_start},
    {"fetch.empty_topic_from_0", "offset 0 of a new topic is empty without error, either isolation",
        "redpanda 3159", 0, 0, {CHECK_NEED(FETCH, 4)}, empty_topic_from_0},
    {"fetch.max_wait", "without data the answer comes after max_wait", "DelayedFetch", CHECK_CORE,
        0, {CHECK_NEED(FETCH, 4)}, max_wait},
    {"fetch.min_bytes_wakeup", "a waiting Fetch is answered as soon as there is data",
        "DelayedFetch", CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, min_bytes_wakeup},
    {"fetch.error_is_immediate", "one partition's error is told at once", "DelayedFetch", 0, 0,
        {CHECK_NEED(FETCH, 4)}, error_is_immediate},
    {"fetch.max_bytes_first_batch_oversize", "a first batch above all limits comes whole, alone",
        "KIP-74", CHECK_CORE, 0, {CHECK_NEED(FETCH, 4)}, max_bytes_first_batch_oversize},
    {"fetch.max_bytes_total", "max_bytes bounds the answer, partitions in the order asked",
        "FetchRequestTest", 0, 0, {CHECK_NEED(FETCH, 4)}, max_bytes_total},
    {"fetch.rotation_no_starvation", "with a small max_bytes every partition gets its turn",
        "KIP-227", 0, 0, {CHECK_NEED(FETCH, 7)}, rotation_no_starvation},
    {"fetch.whole_batches_only", "whatever the limit, the first batches are whole",
        "librdkafka 0036", 0, 0, {CHECK_NEED(FETCH, 4)}, whole_batches_only},
    {"fetch.unknown_topic", "an unknown topic or partition is answered 3", "KafkaApis", 0, 0,
        {CHECK_NEED(FETCH, 4)}, unknown_topic},
    {"fetch.topic_id_v13", "Fetch v13 names topics by id, in the answer too", "KIP-516", 0, 0,
        {CHECK_NEED(FETCH, 13)}, topic_id_v13},
    {"fetch.unknown_topic_id", "an unknown topic id is answered 100, others are served",
        "FetchRequestTest", 0, 0, {CHECK_NEED(FETCH, 13)}, unknown_topic_id},
    {"fetch.id_of_deleted_topic", "the id of a deleted topic never gives its successor's records",
        "KIP-516", 0, 0, {CHECK_NEED(FETCH, 13)}, id_of_deleted_topic},
    {"fetch.leader_epoch_future", "a leader epoch that is to come is answered 75", "KIP-320", 0, 0,
        {CHECK_NEED(FETCH, 9)}, leader_epoch_future},
    {"fetch.batch_leader_epoch", "batches carry the leader epoch of their append", "KIP-101", 0, 0,
        {CHECK_NEED(FETCH, 4), CHECK_NEED(METADATA, 7)}, batch_leader_epoch},
    {"epoch.fencing", "OffsetForLeaderEpoch: a future epoch is 75, an unknown partition 3",
        "OffsetsForLeaderEpochRequestTest", 0, 0, {CHECK_NEED(OFFSET_FOR_LEADER_EPOCH, 2)},
        epoch_fencing},
    {"fetch.parallel_consumers_same_view", "eight readers at a time see the same batches", "Jepsen",
        CHECK_CORE, 60, {CHECK_NEED(FETCH, 4)}, parallel_consumers_same_view},
    {"fetch.reread_stable", "a log read again, also after a kill, is the same byte for byte",
        "Jepsen", CHECK_CORE | CHECK_CONTROL, 120, {CHECK_NEED(FETCH, 4)}, reread_stable},
};

const struct check_table c_fetch_table = CHECK_TABLE("fetch", checks);
