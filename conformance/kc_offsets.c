#include "conformance/kc_offsets.h"

#include "conformance/kc_ask.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TIMEOUT_MS 30000

struct kc_offsets_options
kc_offsets_defaults(void)
{
    return (struct kc_offsets_options){.version_max = KC_VERSION_MAX, .current_leader_epoch = -1};
}

const struct km_list_offsets_response_partition_response *
kc_offsets_of(struct kc *kc, const struct kc_offsets_options *options, const struct kc_topic *topic,
    int32_t partition, int64_t timestamp)
{
    struct km_list_offsets_request body;
    struct km_list_offsets_request_topic asked;
    struct km_list_offsets_request_partition part;
    const struct km_list_offsets_response *response;

    codec_init(&km_list_offsets_request_desc, &body);
    codec_init(&km_list_offsets_request_topic_desc, &asked);
    codec_init(&km_list_offsets_request_partition_desc, &part);
    part.partition_index = partition;
    part.timestamp = timestamp;
    part.current_leader_epoch = options->current_leader_epoch;
    asked.name = kc_string(topic->name);
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.replica_id = -1;
    body.isolation_level = options->isolation;
    body.timeout_ms = TIMEOUT_MS;
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_topic_leader(kc, topic, partition), KM_LIST_OFFSETS,
        kc_version(kc, KM_LIST_OFFSETS, options->version_max), &body);
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_that(kc, kc_topic_is_named(response->topics.items[0].name, topic->name), "other-topic",
        "an answer for topic %s", topic->name);
    kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
    kc_int(kc, "partition_index", response->topics.items[0].partitions.items[0].partition_index,
        partition);
    return &response->topics.items[0].partitions.items[0];
}

void
kc_offset(
    struct kc *kc, const struct kc_topic *topic, int64_t asked, int64_t offset, int64_t timestamp)
{
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part =
        kc_offsets_of(kc, &options, topic, 0, asked);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "offset", part->offset, offset);
    if (timestamp != INT64_MIN)
        kc_int(kc, "timestamp", part->timestamp, timestamp);
}

static int64_t
log_end(struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t timestamp)
{
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part =
        kc_offsets_of(kc, &options, topic, partition, timestamp);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    return part->offset;
}

int64_t
kc_earliest(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    return log_end(kc, topic, partition, KC_TIMESTAMP_EARLIEST);
}

int64_t
kc_latest(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    return log_end(kc, topic, partition, KC_TIMESTAMP_LATEST);
}

const struct km_delete_records_response_partition_result *
kc_delete_records(struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t offset)
{
    struct km_delete_records_request body;
    struct km_delete_records_request_topic asked;
    struct km_delete_records_request_partition part;
    const struct km_delete_records_response *response;

    codec_init(&km_delete_records_request_desc, &body);
    codec_init(&km_delete_records_request_topic_desc, &asked);
    codec_init(&km_delete_records_request_partition_desc, &part);
    part.partition_index = partition;
    part.offset = offset;
    asked.name = kc_string(topic->name);
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.timeout_ms = TIMEOUT_MS;
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_topic_leader(kc, topic, partition), KM_DELETE_RECORDS,
        kc_version(kc, KM_DELETE_RECORDS, KC_VERSION_MAX), &body);
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
    return &response->topics.items[0].partitions.items[0];
}
