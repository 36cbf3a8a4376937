#include "conformance/kc_fetch.h"

#include <inttypes.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define PART_BYTES (1 << 20)
#define FETCH_BYTES (50 << 20)
#define UNCOMPRESSED_BYTES_MAX ((size_t)64 << 20)
#define CONSUMER_REPLICA (-1)

struct kc_fetch_options
kc_fetch_defaults(void)
{
    return (struct kc_fetch_options){
        .version_max = KC_VERSION_MAX,
        .max_wait_ms = 0,
        .min_bytes = 1,
        .max_bytes = FETCH_BYTES,
        .session_epoch = KC_SESSION_NONE_EPOCH,
    };
}

struct kc_part
kc_part(const struct kc_topic *topic, int32_t partition, int64_t offset)
{
    return (struct kc_part){.topic = topic,
        .partition = partition,
        .offset = offset,
        .current_leader_epoch = -1,
        .last_fetched_epoch = -1};
}

int16_t
kc_fetch_version(struct kc *kc, const struct kc_fetch_options *options)
{
    return kc_version(kc, KM_FETCH, options->version_max);
}

/* --- requests --------------------------------------------------------------------------------- */

static void
part_add(struct kc *kc, struct km_fetch_request *body, const struct kc_part *asked,
    bool is_same_topic, size_t part_count_max)
{
    struct km_fetch_request_topic *topic;
    struct km_fetch_request_partition *part;

    if (!is_same_topic) {
        topic = &body->topics.items[body->topics.count++];
        codec_init(&km_fetch_request_topic_desc, topic);
        topic->topic = kc_string(asked->topic->name);
        topic->topic_id = asked->topic->id;
        topic->partitions.items = kc_alloc(kc, part_count_max, sizeof *topic->partitions.items);
    }
    topic = &body->topics.items[body->topics.count - 1];
    part = &topic->partitions.items[topic->partitions.count++];
    codec_init(&km_fetch_request_partition_desc, part);
    part->partition = asked->partition;
    part->fetch_offset = asked->offset;
    part->current_leader_epoch = asked->current_leader_epoch;
    part->last_fetched_epoch = asked->last_fetched_epoch;
    part->partition_max_bytes = asked->max_bytes != 0 ? asked->max_bytes : PART_BYTES;
}

static void
forget_add(struct kc *kc, struct km_fetch_request *body, const struct kc_topic *topic)
{
    struct km_fetch_request_forgotten_topic *forgotten = kc_alloc(kc, 1, sizeof *forgotten);

    codec_init(&km_fetch_request_forgotten_topic_desc, forgotten);
    forgotten->topic = kc_string(topic->name);
    forgotten->topic_id = topic->id;
    forgotten->partitions.items = kc_alloc(kc, 1, sizeof *forgotten->partitions.items);
    forgotten->partitions.count = 1;
    body->forgotten_topics_data.items = forgotten;
    body->forgotten_topics_data.count = 1;
}

const struct km_fetch_request *
kc_fetch_body(struct kc *kc, const struct kc_fetch_options *options, const struct kc_part *parts,
    size_t count)
{
    struct km_fetch_request *body = kc_alloc(kc, 1, sizeof *body);

    codec_init(&km_fetch_request_desc, body);
    body->replica_id = CONSUMER_REPLICA;
    body->max_wait_ms = options->max_wait_ms;
    body->min_bytes = options->min_bytes;
    body->max_bytes = options->max_bytes;
    body->isolation_level = options->isolation;
    body->session_id = options->session_id;
    body->session_epoch = options->session_epoch;
    body->topics.items = kc_alloc(kc, count, sizeof *body->topics.items);
    for (size_t i = 0; i < count; i++)
        part_add(kc, body, &parts[i], i > 0 && parts[i - 1].topic == parts[i].topic, count);
    if (options->forgotten != NULL)
        forget_add(kc, body, options->forgotten);
    return body;
}

const struct km_fetch_response *
kc_fetch(struct kc *kc, const struct kc_fetch_options *options, const struct kc_part *parts,
    size_t count)
{
    struct link *link = options->link != NULL
                            ? options->link
                            : kc_topic_leader(kc, parts[0].topic, parts[0].partition);
    struct exchange *exchange = kc_send(kc, link, KM_FETCH, kc_fetch_version(kc, options),
        kc_fetch_body(kc, options, parts, count));

    return kc_receive_within(kc, link, exchange, KC_REQUEST_MS + options->max_wait_ms);
}

const struct km_fetch_response_partition_data *
kc_fetch_find(
    const struct km_fetch_response *response, const struct kc_topic *topic, int32_t partition)
{
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_fetch_response_fetchable_topic_response *it = &response->responses.items[i];

        if (it->topic.size > 0 ? !kc_topic_is_named(it->topic, topic->name)
                               : memcmp(&it->topic_id, &topic->id, sizeof topic->id) != 0)
            continue;
        for (int32_t k = 0; k < it->partitions.count; k++)
            if (it->partitions.items[k].partition_index == partition)
                return &it->partitions.items[k];
    }
    return NULL;
}

const struct km_fetch_response_partition_data *
kc_fetch_part(struct kc *kc, const struct km_fetch_response *response, const struct kc_topic *topic,
    int32_t partition)
{
    const struct km_fetch_response_partition_data *part = kc_fetch_find(response, topic, partition);

    kc_code(kc, "top_error_code", response->error_code, KE_NONE);
    if (part == NULL)
        kc_fail(kc, "partition-missing", NULL, "an answer for partition %d", partition);
    return part;
}

const struct km_fetch_response_partition_data *
kc_fetch_one(struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t offset)
{
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, partition, offset);

    return kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, partition);
}

/* --- records ---------------------------------------------------------------------------------- */

static void *
room(struct kc *kc, void *items, size_t count, size_t *capacity, size_t size)
{
    void *more;

    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    more = kc_alloc(kc, *capacity, size);
    if (count > 0)
        memcpy(more, items, count * size);
    return more;
}

static struct wire_bytes
bytes_of(const uint8_t *data, int32_t size)
{
    return (struct wire_bytes){data, size < 0 ? -1 : size};
}

static void
batch_add(struct kc *kc, struct kc_log *log, const struct batch_view *batch)
{
    struct buf *scratch = kc_alloc(kc, 1, sizeof *scratch); /* the records stay in it */
    struct batch_records_record record;
    struct batch_records records;
    struct err e = {0};
    bool found = false;
    enum rc rc;

    if (!batch_view_is_intact(batch))
        kc_fail(kc, "crc-wrong", NULL, "the CRC of the batch at offset %" PRId64 " right",
            batch->base_offset);
    if (log->record_count > 0 &&
        batch_view_last_offset(batch) <= log->records[log->record_count - 1].offset)
        kc_fail(kc, "offsets-descend", kc_printf(kc, "offset %" PRId64, batch->base_offset),
            "a batch behind offset %" PRId64, log->records[log->record_count - 1].offset);
    log->batches = room(kc, log->batches, log->batch_count, &log->batch_room, sizeof *log->batches);
    log->batches[log->batch_count++] = *batch;
    buf_init(scratch, UNCOMPRESSED_BYTES_MAX);
    rc = batch_records_open(&records, batch, scratch, UNCOMPRESSED_BYTES_MAX, &e);
    while (rc == RC_OK) {
        rc = batch_records_next(&records, &record, &found, &e);
        if (rc != RC_OK || !found)
            break;
        log->records =
            room(kc, log->records, log->record_count, &log->record_room, sizeof *log->records);
        log->records[log->record_count++] = (struct kc_seen){
            .offset = record.offset,
            .timestamp = record.timestamp,
            .key = bytes_of(record.key, record.key_size),
            .value = bytes_of(record.value, record.value_size),
            .headers = record.headers,
            .batch = log->batch_count - 1,
        };
    }
    if (rc != RC_OK)
        kc_fail(kc, "batch-unreadable", e.text, "a readable batch at offset %" PRId64,
            batch->base_offset);
}

void
kc_log_add(struct kc *kc, struct kc_log *log, const struct wire_records *records)
{
    struct batch_view_cursor cursor = {
        records->data, records->size > 0 ? (size_t)records->size : 0};
    struct batch_view batch;
    struct err e = {0};
    bool found = true;

    while (found) {
        if (batch_view_next(&cursor, &batch, &found, &e) != RC_OK)
            kc_fail(kc, "batch-unreadable", e.text, "record batches");
        if (found)
            batch_add(kc, log, &batch);
    }
}

static int64_t
next_offset(const struct kc_log *log, int64_t from)
{
    return log->batch_count == 0 ? from
                                 : batch_view_next_offset(&log->batches[log->batch_count - 1]);
}

struct kc_log *
kc_log_read(struct kc *kc, const struct kc_fetch_options *options, const struct kc_topic *topic,
    int32_t partition, int64_t from, int64_t end)
{
    struct kc_log *log = kc_alloc(kc, 1, sizeof *log);
    struct kc_wait wait = kc_wait_begin(kc, KC_REQUEST_MS);
    int64_t at = from;

    while (at < end) {
        struct kc_part part = kc_part(topic, partition, at);
        const struct km_fetch_response_partition_data *data =
            kc_fetch_part(kc, kc_fetch(kc, options, &part, 1), topic, partition);

        kc_code(kc, "error_code", data->error_code, KE_NONE);
        kc_log_add(kc, log, &data->records);
        if (next_offset(log, from) <= at)
            kc_wait_more(kc, &wait, "records up to the end of the log");
        at = next_offset(log, from);
    }
    return log;
}

struct kc_log *
kc_log_all(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    struct kc_fetch_options options = kc_fetch_defaults();

    return kc_log_read(kc, &options, topic, partition, kc_earliest(kc, topic, partition),
        kc_latest(kc, topic, partition));
}

void
kc_log_values(struct kc *kc, const struct kc_log *log, int64_t first_offset,
    const char *const *values, size_t count)
{
    kc_int(kc, "records", (int64_t)log->record_count, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        kc_int(kc, "record_offset", log->records[i].offset, first_offset + (int64_t)i);
        kc_bytes(kc, "record_value", log->records[i].value, kc_text_bytes(values[i]));
    }
}

void
kc_log_same(struct kc *kc, const struct kc_log *first, const struct kc_log *second)
{
    kc_int(kc, "batches", (int64_t)second->batch_count, (int64_t)first->batch_count);
    for (size_t i = 0; i < first->batch_count; i++)
        kc_bytes(kc, "batch",
            (struct wire_bytes){second->batches[i].data, (int32_t)second->batches[i].size},
            (struct wire_bytes){first->batches[i].data, (int32_t)first->batches[i].size});
}
