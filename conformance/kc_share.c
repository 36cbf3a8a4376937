#include "conformance/kc_share.h"

#include <string.h>

#include "conformance/kc_ask.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 20000
#define NOTHING_MS 1500
#define WAIT_MS 300 /* of fetches that wait for records */

struct kc_group *
kc_share_group(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);

    kc_group_set(kc, group, "share.auto.offset.reset", "earliest");
    return group;
}

struct kc_sharer
kc_sharer_new(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic)
{
    uint64_t number = env_random(&kc->env);

    return (struct kc_sharer){.group = group,
        .topic = topic,
        .id = kc_printf(kc, "kc-%016llx", (unsigned long long)number),
        .link = kc_link_new(kc, topic->leaders[0])};
}

/* --- membership ----------------------------------------------------------------------------------
 */

const struct km_share_group_heartbeat_response *
kc_share_heartbeat(struct kc *kc, const struct kc_sharer *sharer, int32_t epoch)
{
    struct wire_string name = kc_string(sharer->topic->name);
    struct km_share_group_heartbeat_request body;

    codec_init(&km_share_group_heartbeat_request_desc, &body);
    body.group_id = kc_string(sharer->group->id);
    body.member_id = kc_string(sharer->id);
    body.member_epoch = epoch;
    body.subscribed_topic_names.items = &name;
    body.subscribed_topic_names.count = epoch >= 0 ? 1 : -1;
    return kc_ask(kc, kc_group_link(kc, sharer->group), KM_SHARE_GROUP_HEARTBEAT,
        kc_version(kc, KM_SHARE_GROUP_HEARTBEAT, KC_VERSION_MAX), &body);
}

static void
assigned_take(struct kc *kc, struct kc_sharer *sharer,
    const struct km_share_group_heartbeat_response_assignment *assignment)
{
    memset(sharer->assigned, 0, sizeof sharer->assigned);
    for (int32_t i = 0; i < assignment->topic_partitions.count; i++) {
        const struct km_share_group_heartbeat_response_topic_partitions *topic =
            &assignment->topic_partitions.items[i];

        kc_that(kc, memcmp(&topic->topic_id, &sharer->topic->id, sizeof topic->topic_id) == 0,
            "other-topic", "partitions of the topic that was subscribed to, by its id");
        for (int32_t k = 0; k < topic->partitions.count; k++) {
            uint32_t partition = (uint32_t)topic->partitions.items[k];

            kc_that(kc,
                partition < (uint32_t)sharer->topic->partition_count &&
                    partition < KC_SHARE_PARTITIONS_MAX,
                "other-partition", "a partition of the topic");
            sharer->assigned[partition] = true;
        }
    }
}

const struct km_share_group_heartbeat_response *
kc_share_beat(struct kc *kc, struct kc_sharer *sharer)
{
    const struct km_share_group_heartbeat_response *response =
        kc_share_heartbeat(kc, sharer, sharer->epoch);

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    sharer->epoch = response->member_epoch;
    if (response->assignment != NULL)
        assigned_take(kc, sharer, response->assignment);
    return response;
}

void
kc_share_join(struct kc *kc, struct kc_sharer *sharer)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    sharer->epoch = 0;
    kc_share_beat(kc, sharer);
    while (!sharer->assigned[0]) {
        kc_wait_more(kc, &wait, "the member is assigned the partition");
        kc_share_beat(kc, sharer);
    }
}

void
kc_share_leave(struct kc *kc, const struct kc_sharer *sharer)
{
    kc_code(kc, "ShareGroupHeartbeat", kc_share_heartbeat(kc, sharer, -1)->error_code, KE_NONE);
}

/* --- fetching ------------------------------------------------------------------------------------
 */

struct kc_share_ask
kc_share_defaults(const struct kc_sharer *sharer)
{
    return (struct kc_share_ask){.version_max = KC_VERSION_MAX,
        .epoch = sharer->session_epoch,
        .max_wait_ms = WAIT_MS,
        .min_bytes = 1,
        .max_bytes = 1 << 20,
        .max_records = 1000,
        .batch_size = 1000};
}

static int32_t
epoch_after(int32_t epoch)
{
    return epoch == KC_SHARE_LAST ? KC_SHARE_FIRST : epoch + 1;
}

const struct km_share_fetch_response *
kc_share_fetch(struct kc *kc, struct kc_sharer *sharer, const struct kc_share_ask *ask)
{
    struct km_share_fetch_request_acknowledgement_batch *batches =
        kc_alloc(kc, ask->said_count + 1, sizeof *batches);
    struct km_share_fetch_request_fetch_partition partition;
    struct km_share_fetch_request_fetch_topic topic;
    struct km_share_fetch_request body;
    const struct km_share_fetch_response *response;

    codec_init(&km_share_fetch_request_desc, &body);
    codec_init(&km_share_fetch_request_fetch_topic_desc, &topic);
    codec_init(&km_share_fetch_request_fetch_partition_desc, &partition);
    for (size_t i = 0; i < ask->said_count; i++) {
        batches[i].first_offset = ask->said[i].first;
        batches[i].last_offset = ask->said[i].last;
        batches[i].acknowledge_types.items = kc_alloc(kc, 1, 1);
        batches[i].acknowledge_types.items[0] = ask->said[i].type;
        batches[i].acknowledge_types.count = 1;
    }
    partition.partition_index = sharer->partition;
    partition.acknowledgement_batches.items = batches;
    partition.acknowledgement_batches.count = (int32_t)ask->said_count;
    topic.topic_id = sharer->topic->id;
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    body.group_id = kc_string(sharer->group->id);
    body.member_id = kc_string(sharer->id);
    body.share_session_epoch = ask->epoch;
    body.max_wait_ms = ask->max_wait_ms;
    body.min_bytes = ask->min_bytes;
    body.max_bytes = ask->max_bytes;
    body.max_records = ask->max_records;
    body.batch_size = ask->batch_size;
    body.share_acquire_mode = ask->mode;
    body.is_renew_ack = ask->renews;
    body.topics.items = &topic;
    body.topics.count = 1;
    response = kc_ask(
        kc, sharer->link, KM_SHARE_FETCH, kc_version(kc, KM_SHARE_FETCH, ask->version_max), &body);
    if (response->error_code == KE_NONE)
        sharer->session_epoch = epoch_after(ask->epoch);
    return response;
}

const struct km_share_fetch_response_partition_data *
kc_share_part(const struct kc_sharer *sharer, const struct km_share_fetch_response *response)
{
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_share_fetch_response_share_fetchable_topic_response *topic =
            &response->responses.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++)
            if (memcmp(&topic->topic_id, &sharer->topic->id, sizeof topic->topic_id) == 0 &&
                topic->partitions.items[k].partition_index == sharer->partition)
                return &topic->partitions.items[k];
    }
    return NULL;
}

/* The answer's batches must hold whatever was acquired. */
static void
records_hold(struct kc *kc, const struct km_share_fetch_response_partition_data *part)
{
    struct kc_log log = {0};
    int64_t first = -1, last = -1;

    kc_log_add(kc, &log, &part->records);
    if (log.batch_count > 0) {
        first = log.batches[0].base_offset;
        last = batch_view_last_offset(&log.batches[log.batch_count - 1]);
    }
    for (int32_t i = 0; i < part->acquired_records.count; i++) {
        const struct km_share_fetch_response_acquired_records *run =
            &part->acquired_records.items[i];

        kc_that(kc, run->first_offset <= run->last_offset, "run-upside-down",
            "a run of acquired offsets");
        kc_that(kc, run->first_offset >= first && run->last_offset <= last, "records-lack",
            "the records %lld to %lld, which were acquired", (long long)run->first_offset,
            (long long)run->last_offset);
    }
}

int64_t
kc_share_take_as(struct kc *kc, struct kc_sharer *sharer, const struct kc_share_ask *ask,
    struct kc_share_runs *runs)
{
    const struct km_share_fetch_response *response = kc_share_fetch(kc, sharer, ask);
    const struct km_share_fetch_response_partition_data *part = kc_share_part(sharer, response);
    int64_t records = 0;

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    if (part == NULL)
        return 0;
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_code(kc, "acknowledge_error_code", part->acknowledge_error_code, KE_NONE);
    records_hold(kc, part);
    for (int32_t i = 0; i < part->acquired_records.count; i++) {
        const struct km_share_fetch_response_acquired_records *run =
            &part->acquired_records.items[i];

        kc_that(kc, runs->count < KC_SHARE_RUNS_MAX, "too-many-runs", "at most %d runs",
            KC_SHARE_RUNS_MAX);
        runs->items[runs->count++] =
            (struct kc_share_run){run->first_offset, run->last_offset, run->delivery_count};
        records += run->last_offset - run->first_offset + 1;
    }
    runs->records += records;
    return records;
}

int64_t
kc_share_take(struct kc *kc, struct kc_sharer *sharer, struct kc_share_runs *runs)
{
    struct kc_share_ask ask = kc_share_defaults(sharer);

    return kc_share_take_as(kc, sharer, &ask, runs);
}

struct kc_share_runs *
kc_share_await(struct kc *kc, struct kc_sharer *sharer, int64_t records)
{
    struct kc_share_runs *runs = kc_alloc(kc, 1, sizeof *runs);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    while (kc_share_take(kc, sharer, runs), runs->records < records)
        kc_wait_more(kc, &wait, kc_printf(kc, "%lld records are acquired", (long long)records));
    kc_int(kc, "records_acquired", runs->records, records);
    return runs;
}

void
kc_share_nothing(struct kc *kc, struct kc_sharer *sharer)
{
    struct kc_wait wait = kc_wait_begin(kc, NOTHING_MS);
    struct kc_share_runs runs = {0};

    do {
        kc_share_take(kc, sharer, &runs);
        kc_int(kc, "records_acquired", runs.records, 0);
    } while (!kc_wait_over(kc, &wait));
}

/* --- acknowledging -------------------------------------------------------------------------------
 */

const struct km_share_acknowledge_response *
kc_share_acknowledge(struct kc *kc, struct kc_sharer *sharer, const struct kc_share_ask *ask)
{
    struct km_share_acknowledge_request_acknowledgement_batch *batches =
        kc_alloc(kc, ask->said_count + 1, sizeof *batches);
    struct km_share_acknowledge_request_acknowledge_partition partition;
    struct km_share_acknowledge_request_acknowledge_topic topic;
    struct km_share_acknowledge_request body;
    const struct km_share_acknowledge_response *response;

    codec_init(&km_share_acknowledge_request_desc, &body);
    codec_init(&km_share_acknowledge_request_acknowledge_topic_desc, &topic);
    codec_init(&km_share_acknowledge_request_acknowledge_partition_desc, &partition);
    for (size_t i = 0; i < ask->said_count; i++) {
        batches[i].first_offset = ask->said[i].first;
        batches[i].last_offset = ask->said[i].last;
        batches[i].acknowledge_types.items = kc_alloc(kc, 1, 1);
        batches[i].acknowledge_types.items[0] = ask->said[i].type;
        batches[i].acknowledge_types.count = 1;
    }
    partition.partition_index = sharer->partition;
    partition.acknowledgement_batches.items = batches;
    partition.acknowledgement_batches.count = (int32_t)ask->said_count;
    topic.topic_id = sharer->topic->id;
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    body.group_id = kc_string(sharer->group->id);
    body.member_id = kc_string(sharer->id);
    body.share_session_epoch = ask->epoch;
    body.is_renew_ack = ask->renews;
    body.topics.items = &topic;
    body.topics.count = ask->said_count > 0 ? 1 : 0;
    response = kc_ask(kc, sharer->link, KM_SHARE_ACKNOWLEDGE,
        kc_version(kc, KM_SHARE_ACKNOWLEDGE, ask->version_max), &body);
    if (response->error_code == KE_NONE)
        sharer->session_epoch = epoch_after(ask->epoch);
    return response;
}

static int16_t
acknowledged_code(struct kc *kc, const struct km_share_acknowledge_response *response)
{
    if (response->error_code != KE_NONE)
        return response->error_code;
    kc_that(kc,
        response->responses.count == 1 && response->responses.items[0].partitions.count == 1,
        "partition-lacks", "an answer about one partition");
    return response->responses.items[0].partitions.items[0].error_code;
}

int16_t
kc_share_say(
    struct kc *kc, struct kc_sharer *sharer, int64_t first, int64_t last, enum kc_share_type type)
{
    struct kc_share_ask ask = kc_share_defaults(sharer);
    struct kc_share_said said = {first, last, (int8_t)type};

    ask.said = &said;
    ask.said_count = 1;
    ask.renews = type == KC_SHARE_RENEW;
    return acknowledged_code(kc, kc_share_acknowledge(kc, sharer, &ask));
}

void
kc_share_say_all(struct kc *kc, struct kc_sharer *sharer, const struct kc_share_runs *runs,
    enum kc_share_type type)
{
    struct kc_share_said *said = kc_alloc(kc, runs->count + 1, sizeof *said);
    struct kc_share_ask ask = kc_share_defaults(sharer);

    for (size_t i = 0; i < runs->count; i++)
        said[i] = (struct kc_share_said){runs->items[i].first, runs->items[i].last, (int8_t)type};
    ask.said = said;
    ask.said_count = runs->count;
    ask.renews = type == KC_SHARE_RENEW;
    kc_code(kc, "ShareAcknowledge", acknowledged_code(kc, kc_share_acknowledge(kc, sharer, &ask)),
        KE_NONE);
}
