#include "conformance/kc_produce.h"

#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TIMEOUT_MS 30000
#define TRANSACTION_TIMEOUT_MS 60000
#define STABLE_INIT_VERSION 5

struct kc_produce_options
kc_produce_defaults(void)
{
    return (struct kc_produce_options){.version_max = KC_VERSION_MAX, .acks = -1};
}

int16_t
kc_produce_version(struct kc *kc, const struct kc_produce_options *options)
{
    return kc_version(kc, KM_PRODUCE, options->version_max);
}

/* One partition; a topic that follows itself is named once. */
static void
part_add(struct kc *kc, struct km_produce_request *body, const struct kc_append *append,
    bool is_same_topic, size_t part_count_max)
{
    struct km_produce_request_topic_produce_data *topic;
    struct km_produce_request_partition_produce_data *part;

    if (!is_same_topic) {
        topic = &body->topic_data.items[body->topic_data.count++];
        codec_init(&km_produce_request_topic_produce_data_desc, topic);
        topic->name = kc_string(append->topic->name);
        topic->topic_id = append->topic->id;
        topic->partition_data.items =
            kc_alloc(kc, part_count_max, sizeof *topic->partition_data.items);
    }
    topic = &body->topic_data.items[body->topic_data.count - 1];
    part = &topic->partition_data.items[topic->partition_data.count++];
    codec_init(&km_produce_request_partition_produce_data_desc, part);
    part->index = append->partition;
    part->records.data = append->records.data;
    part->records.size = append->records.size;
}

const struct km_produce_request *
kc_produce_body(struct kc *kc, const struct kc_produce_options *options,
    const struct kc_append *appends, size_t count)
{
    struct km_produce_request *body = kc_alloc(kc, 1, sizeof *body);

    codec_init(&km_produce_request_desc, body);
    body->acks = options->acks;
    body->timeout_ms = TIMEOUT_MS;
    body->transactional_id = kc_string(options->transactional_id);
    body->topic_data.items = kc_alloc(kc, count, sizeof *body->topic_data.items);
    for (size_t i = 0; i < count; i++)
        part_add(kc, body, &appends[i], i > 0 && appends[i - 1].topic == appends[i].topic, count);
    return body;
}

const struct km_produce_response *
kc_produce(struct kc *kc, const struct kc_produce_options *options, const struct kc_append *appends,
    size_t count)
{
    struct link *link = options->link != NULL
                            ? options->link
                            : kc_topic_leader(kc, appends[0].topic, appends[0].partition);

    return kc_ask(kc, link, KM_PRODUCE, kc_produce_version(kc, options),
        kc_produce_body(kc, options, appends, count));
}

const struct km_produce_response_partition_produce_response *
kc_produce_part(struct kc *kc, const struct km_produce_response *response,
    const struct kc_topic *topic, int32_t partition)
{
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_produce_response_topic_produce_response *it = &response->responses.items[i];

        if (it->name.size > 0 ? !kc_topic_is_named(it->name, topic->name)
                              : memcmp(&it->topic_id, &topic->id, sizeof topic->id) != 0)
            continue;
        for (int32_t k = 0; k < it->partition_responses.count; k++)
            if (it->partition_responses.items[k].index == partition)
                return &it->partition_responses.items[k];
    }
    kc_fail(kc, "partition-missing", NULL, "an answer for partition %d", partition);
}

const struct km_produce_response_partition_produce_response *
kc_append(struct kc *kc, const struct kc_topic *topic, int32_t partition, struct wire_bytes records)
{
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, partition, records};

    return kc_produce_part(kc, kc_produce(kc, &options, &append, 1), topic, partition);
}

int64_t
kc_append_ok(
    struct kc *kc, const struct kc_topic *topic, int32_t partition, struct wire_bytes records)
{
    const struct km_produce_response_partition_produce_response *part =
        kc_append(kc, topic, partition, records);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    return part->base_offset;
}

const struct km_produce_response_partition_produce_response *
kc_append_refused(struct kc *kc, const struct kc_topic *topic, struct wire_bytes records,
    const int16_t *codes, size_t count)
{
    int64_t end = kc_latest(kc, topic, 0);
    const struct km_produce_response_partition_produce_response *part =
        kc_append(kc, topic, 0, records);
    struct exchange *refusal = kc->last;

    kc_code_in(kc, "error_code", part->error_code, codes, count);
    kc_int(kc, "base_offset", part->base_offset, -1);
    kc_int(kc, "log_end_after", kc_latest(kc, topic, 0), end);
    kc->last = refusal;
    return part;
}

struct kc_producer
kc_producer_new(struct kc *kc)
{
    struct kc_wait wait = kc_wait_begin(kc, KC_REQUEST_MS);
    const struct km_init_producer_id_response *response;
    struct km_init_producer_id_request body;

    codec_init(&km_init_producer_id_request_desc, &body);
    body.transactional_id = kc_string(NULL);
    body.transaction_timeout_ms = TRANSACTION_TIMEOUT_MS;
    for (;;) {
        response = kc_ask(kc, kc_link(kc, 0), KM_INIT_PRODUCER_ID,
            kc_version(kc, KM_INIT_PRODUCER_ID, STABLE_INIT_VERSION), &body);
        if (!kerr_is_retriable(response->error_code))
            break;
        /* A broker may have to fetch a block of ids first. */
        kc_wait_more(kc, &wait, "a producer id");
    }
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    return (struct kc_producer){response->producer_id, response->producer_epoch};
}
