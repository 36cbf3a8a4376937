/* Area meta, first half: Metadata, topic ids, automatic creation. */
#include <stdlib.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_topic.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define RESOURCE_BROKER 4
#define NAME_TOO_LONG 250
#define STAYS_AWAY_MS 2000
#define NOT_ASKED_OPERATIONS INT32_MIN

/* --- helpers ---------------------------------------------------------------------------------- */

/* Metadata for one topic, by name or by id. */
static const struct km_metadata_response *
metadata_one(
    struct kc *kc, struct link *link, const char *name, const struct wire_uuid *id, bool creates)
{
    struct km_metadata_request body;
    struct km_metadata_request_topic asked;

    codec_init(&km_metadata_request_desc, &body);
    codec_init(&km_metadata_request_topic_desc, &asked);
    asked.name = kc_string(name);
    if (id != NULL)
        asked.topic_id = *id;
    body.allow_auto_topic_creation = creates;
    body.topics.items = &asked;
    body.topics.count = 1;
    return kc_ask(kc, link, KM_METADATA, kc_version(kc, KM_METADATA, KC_VERSION_MAX), &body);
}

static const struct km_metadata_response_topic *
the_topic(struct kc *kc, const struct km_metadata_response *response)
{
    kc_int(kc, "topics_count", response->topics.count, 1);
    return &response->topics.items[0];
}

static bool
is_zero(const struct wire_uuid *id)
{
    static const struct wire_uuid zero;

    return memcmp(id, &zero, sizeof zero) == 0;
}

static bool
is_same(const struct wire_uuid *a, const struct wire_uuid *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* A config of the first broker, or NULL where it tells none. */
static const char *
broker_config(struct kc *kc, const char *name)
{
    struct km_describe_configs_request body;
    struct km_describe_configs_request_resource resource;
    const struct km_describe_configs_response *response;
    struct wire_string key = kc_string(name);

    if (!kc_has_version(kc, KM_DESCRIBE_CONFIGS, 1))
        return NULL;
    codec_init(&km_describe_configs_request_desc, &body);
    codec_init(&km_describe_configs_request_resource_desc, &resource);
    resource.resource_type = RESOURCE_BROKER;
    resource.resource_name = kc_string(kc_printf(kc, "%d", kc->target->brokers[0].id));
    resource.configuration_keys.items = &key;
    resource.configuration_keys.count = 1;
    body.resources.items = &resource;
    body.resources.count = 1;
    kc_setup_begin(kc);
    response = kc_ask(kc, kc_link(kc, 0), KM_DESCRIBE_CONFIGS,
        kc_version(kc, KM_DESCRIBE_CONFIGS, KC_VERSION_MAX), &body);
    kc_setup_end(kc);
    for (int32_t i = 0;
         response->results.count == 1 && i < response->results.items[0].configs.count; i++) {
        struct wire_string value = response->results.items[0].configs.items[i].value;

        if (kc_topic_is_named(response->results.items[0].configs.items[i].name, name) &&
            value.size > 0)
            return kc_printf(kc, "%.*s", value.size, value.data);
    }
    return NULL;
}

/* Asserts that a topic does not come into being. */
static void
stays_unknown(struct kc *kc, const char *name)
{
    struct kc_wait wait = kc_wait_begin(kc, STAYS_AWAY_MS);

    do {
        const struct km_metadata_response_topic *topic =
            the_topic(kc, kc_topic_metadata(kc, kc_link(kc, 0), &name, 1));

        kc_code(kc, "error_code", topic->error_code, KE_UNKNOWN_TOPIC_OR_PARTITION);
        kc_int(kc, "partitions_count", topic->partitions.count, 0);
    } while (!kc_wait_over(kc, &wait));
    kc_that(kc, kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), NULL, -1), name) == NULL,
        "created", "the topic not created");
}

/* --- which topics ----------------------------------------------------------------------------- */

static void
null_means_all(struct kc *kc)
{
    struct kc_topic *first = kc_topic_new(kc, 1, NULL), *second = kc_topic_new(kc, 2, NULL);
    const struct km_metadata_response *all = kc_topic_metadata(kc, kc_link(kc, 0), NULL, -1);

    kc_that(kc, kc_topic_find(all, first->name) != NULL, "topic-missing", "topic %s listed",
        first->name);
    kc_that(kc, kc_topic_find(all, second->name) != NULL, "topic-missing", "topic %s listed",
        second->name);
    kc_int(kc, "partitions_count", kc_topic_find(all, second->name)->partitions.count, 2);
}

static void
empty_means_none(struct kc *kc)
{
    const struct km_metadata_response *none;

    kc_topic_new(kc, 1, NULL);
    none = kc_topic_metadata(kc, kc_link(kc, 0), NULL, 0);
    kc_int(kc, "topics_count", none->topics.count, 0);
    kc_int(kc, "brokers_count", none->brokers.count, (int64_t)kc->target->broker_count);
}

static void
unknown_topic(struct kc *kc)
{
    stays_unknown(kc, kc_topic_name(kc));
}

static void
invalid_name(struct kc *kc)
{
    char *too_long = kc_alloc(kc, NAME_TOO_LONG + 1, 1);
    const char *const names[] = {"a/b", ".", "..", "a b", "\xc3\xa9", "", too_long};

    memset(too_long, 'x', NAME_TOO_LONG);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct km_metadata_response_topic *topic =
            the_topic(kc, metadata_one(kc, kc_link(kc, 0), names[i], NULL, false));

        kc_code(kc, "error_code", topic->error_code, KE_INVALID_TOPIC_EXCEPTION);
    }
}

static void
is_internal_flag(struct kc *kc)
{
    static const char *const internal[] = {
        "__consumer_offsets", "__transaction_state", "__share_group_state"};
    struct kc_topic *own = kc_topic_new(kc, 1, NULL);
    const struct km_metadata_response *all = kc_topic_metadata(kc, kc_link(kc, 0), NULL, -1);

    kc_that(kc, kc_topic_find(all, own->name) != NULL, "topic-missing", "the own topic listed");
    for (int32_t i = 0; i < all->topics.count; i++) {
        const struct km_metadata_response_topic *topic = &all->topics.items[i];
        bool is_internal = false;

        for (size_t k = 0; k < ARRAY_LEN(internal); k++)
            is_internal |= kc_topic_is_named(topic->name, internal[k]);
        kc_that(kc, topic->is_internal == is_internal, "is-internal-wrong",
            "is_internal %d for %.*s", is_internal, topic->name.size, topic->name.data);
    }
}

/* --- automatic creation ----------------------------------------------------------------------- */

static void
autocreate(struct kc *kc)
{
    static const int16_t first[] = {
        KE_UNKNOWN_TOPIC_OR_PARTITION, KE_LEADER_NOT_AVAILABLE, KE_NONE};
    const char *setting = broker_config(kc, "auto.create.topics.enable");
    const char *partitions = broker_config(kc, "num.partitions");
    const char *name = kc_topic_name(kc);
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);
    const struct km_metadata_response_topic *topic;

    if (setting != NULL && strcmp(setting, "false") == 0)
        kc_skip(kc, "automatic creation is off");
    topic = the_topic(kc, metadata_one(kc, kc_link(kc, 0), name, NULL, true));
    kc_code_in(kc, "error_code", topic->error_code, first, ARRAY_LEN(first));
    while (topic->error_code != KE_NONE) {
        kc_wait_more(kc, &wait, "the topic created");
        topic = the_topic(kc, metadata_one(kc, kc_link(kc, 0), name, NULL, true));
    }
    if (partitions != NULL)
        kc_int(kc, "partitions_count", topic->partitions.count, strtoll(partitions, NULL, 10));
    kc_that(kc, topic->partitions.count > 0, "no-partitions", "at least one partition");
}

static const char *const autocreate_off[] = {"auto.create.topics.enable=false", NULL};

static void
autocreate_broker_off(struct kc *kc)
{
    const char *name = kc_topic_name(kc);
    const struct km_metadata_response_topic *topic;
    int16_t code;

    topic = the_topic(kc, metadata_one(kc, kc_link(kc, 0), name, NULL, true));
    code = topic->error_code;
    if (code == KE_UNKNOWN_TOPIC_OR_PARTITION)
        stays_unknown(kc, name);
    kc_code(kc, "error_code", code, KE_UNKNOWN_TOPIC_OR_PARTITION);
}

/* --- topic ids -------------------------------------------------------------------------------- */

static void
topic_id_nonzero(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    const char *name = topic->name;

    for (size_t broker = 0; broker < kc->target->broker_count; broker++) {
        const struct km_metadata_response_topic *seen =
            the_topic(kc, kc_topic_metadata(kc, kc_link(kc, broker), &name, 1));

        kc_that(kc, !is_zero(&seen->topic_id), "id-zero", "a topic id that is not zero");
        kc_that(kc, is_same(&seen->topic_id, &topic->id), "ids-differ",
            "the same topic id at every broker");
    }
}

static struct wire_uuid
id_of(struct kc *kc, const struct kc_topic *topic)
{
    const char *name = topic->name;
    const struct km_metadata_response_topic *seen =
        the_topic(kc, kc_topic_metadata(kc, kc_link(kc, 0), &name, 1));

    kc_that(kc, !is_zero(&seen->topic_id), "id-zero", "a topic id that is not zero");
    return seen->topic_id;
}

static void
topic_id_new_on_recreate(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct wire_uuid old = id_of(kc, topic), new;

    kc_topic_recreate(kc, topic);
    new = id_of(kc, topic);
    kc_that(kc, !is_same(&old, &new), "same-id", "another topic id than before");
}

static void
lookup_by_id(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    const struct km_metadata_response_topic *seen =
        the_topic(kc, metadata_one(kc, kc_link(kc, 0), NULL, &topic->id, false));

    kc_code(kc, "error_code", seen->error_code, KE_NONE);
    kc_that(
        kc, kc_topic_is_named(seen->name, topic->name), "name-wrong", "the name %s", topic->name);
    kc_that(kc, is_same(&seen->topic_id, &topic->id), "id-wrong", "the id asked for");
    kc_int(kc, "partitions_count", seen->partitions.count, 1);
}

static void
id_is_unknown(struct kc *kc, const struct wire_uuid *id)
{
    const struct km_metadata_response_topic *seen =
        the_topic(kc, metadata_one(kc, kc_link(kc, 0), NULL, id, false));

    kc_code(kc, "error_code", seen->error_code, KE_UNKNOWN_TOPIC_ID);
    kc_that(kc, seen->name.size <= 0, "has-name", "no name");
    kc_int(kc, "partitions_count", seen->partitions.count, 0);
}

static void
unknown_id(struct kc *kc)
{
    struct wire_uuid id;

    env_random_bytes(&kc->env, id.bytes, sizeof id.bytes);
    id_is_unknown(kc, &id);
}

static void
stale_id_after_recreate(struct kc *kc)
{
    struct kc_topic *old = kc_topic_new(kc, 1, NULL);

    kc_topic_recreate(kc, old);
    id_is_unknown(kc, &old->id);
}

static void
topic_id_stable_restart(struct kc *kc)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL), *again;

    kc_control(kc, kill, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    again = kc_topic_await(kc, topic->name, 1);
    kc_that(kc, is_same(&again->id, &topic->id), "id-changed", "the topic id of before");
}

/* --- changes ---------------------------------------------------------------------------------- */

static void
deleted_topic_vanishes(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);

    kc_topic_delete(kc, topic->name);
    for (size_t broker = 0; broker < kc->target->broker_count; broker++)
        kc_that(kc,
            kc_topic_find(kc_topic_metadata(kc, kc_link(kc, broker), NULL, -1), topic->name) ==
                NULL,
            "still-listed", "the deleted topic listed by no broker");
}

static void
new_topic_everywhere(struct kc *kc)
{
    const char *name = kc_topic_name(kc);
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);

    kc_code(kc, "CreateTopics", kc_topic_create(kc, name, 3), KE_NONE);
    for (size_t broker = 0; broker < kc->target->broker_count; broker++)
        for (;;) {
            const struct km_metadata_response_topic *topic =
                the_topic(kc, kc_topic_metadata(kc, kc_link(kc, broker), &name, 1));
            int32_t led = 0;

            for (int32_t i = 0; i < topic->partitions.count; i++)
                led += topic->partitions.items[i].leader_id >= 0;
            if (topic->error_code == KE_NONE && led == 3)
                break;
            kc_wait_more(kc, &wait, "every broker knows leaders of the new topic");
        }
}

static void
partition_growth_visible(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL), *grown;
    struct km_create_partitions_request body;
    struct km_create_partitions_request_topic asked;
    const struct km_create_partitions_response *response;

    codec_init(&km_create_partitions_request_desc, &body);
    codec_init(&km_create_partitions_request_topic_desc, &asked);
    asked.name = kc_string(topic->name);
    asked.count = 5;
    asked.assignments.count = -1;
    body.topics.items = &asked;
    body.topics.count = 1;
    body.timeout_ms = KC_REQUEST_MS;
    response = kc_ask(kc, kc_link(kc, 0), KM_CREATE_PARTITIONS,
        kc_version(kc, KM_CREATE_PARTITIONS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    kc_code(kc, "CreatePartitions", response->results.items[0].error_code, KE_NONE);
    grown = kc_topic_await(kc, topic->name, 5);
    for (int32_t i = 0; i < 2; i++)
        kc_int(kc, "leader", (int64_t)grown->leaders[i], (int64_t)topic->leaders[i]);
    kc_that(kc, is_same(&grown->id, &topic->id), "id-changed", "the topic id of before");
}

static void
authorized_ops_default(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    const char *name = topic->name;
    const struct km_metadata_response *response = kc_topic_metadata(kc, kc_link(kc, 0), &name, 1);

    kc_int(kc, "topic_authorized_operations", the_topic(kc, response)->topic_authorized_operations,
        NOT_ASKED_OPERATIONS);
}

static const struct check checks[] = {
    {"meta.null_means_all", "topics=null lists every topic", "MetadataRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(METADATA, 1)}, null_means_all},
    {"meta.empty_means_none", "topics=[] lists no topic, and all brokers", "MetadataRequestTest",
        CHECK_CORE, 0, {CHECK_NEED(METADATA, 1)}, empty_means_none},
    {"meta.unknown_topic", "asking for an unknown topic is answered 3 and does not create it",
        "KafkaApis.getTopicMetadata", CHECK_CORE, 0, {CHECK_NEED(METADATA, 4)}, unknown_topic},
    {"meta.invalid_name", "an illegal topic name is answered 17", "Topic.validate", 0, 0,
        {CHECK_NEED(METADATA, 4)}, invalid_name},
    {"meta.autocreate",
        "asking for an unknown topic with auto creation makes it, with num.partitions partitions",
        "librdkafka 0007", CHECK_CORE, 0, {CHECK_NEED(METADATA, 4)}, autocreate},
    {"meta.autocreate_broker_off",
        "with auto.create.topics.enable=false nothing is created by asking", "KafkaApis", 0, 90,
        {CHECK_NEED(METADATA, 4), CHECK_START(autocreate_off)}, autocreate_broker_off},
    {"meta.is_internal_flag", "is_internal is true for Kafka's own topics only",
        "MetadataRequestTest.testIsInternal", 0, 0, {CHECK_NEED(METADATA, 1)}, is_internal_flag},
    {"meta.topic_id_nonzero", "a topic has an id, the same at every broker", "KIP-516", 0, 0,
        {CHECK_NEED(METADATA, 10)}, topic_id_nonzero},
    {"meta.topic_id_stable_restart", "a topic keeps its id when brokers restart", "KIP-516",
        CHECK_CONTROL, 120, {CHECK_NEED(METADATA, 10)}, topic_id_stable_restart},
    {"meta.topic_id_new_on_recreate", "a topic created again has another id", "KIP-516", CHECK_CORE,
        0, {CHECK_NEED(METADATA, 10)}, topic_id_new_on_recreate},
    {"meta.lookup_by_id", "a topic can be asked for by its id", "KIP-516", 0, 0,
        {CHECK_NEED(METADATA, 12)}, lookup_by_id},
    {"meta.unknown_id", "an unknown id is answered 100, without name and partitions", "KIP-516", 0,
        0, {CHECK_NEED(METADATA, 12)}, unknown_id},
    {"meta.stale_id_after_recreate", "the id of a deleted topic is answered 100", "KIP-516", 0, 0,
        {CHECK_NEED(METADATA, 12)}, stale_id_after_recreate},
    {"meta.deleted_topic_vanishes", "a deleted topic is soon unknown to every broker",
        "DeleteTopicsRequestTest", CHECK_CORE, 0, {CHECK_NEED(METADATA, 4)},
        deleted_topic_vanishes},
    {"meta.new_topic_everywhere", "a new topic soon has leaders at every broker", "redpanda 25235",
        CHECK_CORE, 0, {CHECK_NEED(METADATA, 1)}, new_topic_everywhere},
    {"meta.partition_growth_visible", "added partitions show at every broker, the old ones stay",
        "librdkafka 0044", 0, 0, {CHECK_NEED(METADATA, 1), CHECK_NEED(CREATE_PARTITIONS, 0)},
        partition_growth_visible},
    {"meta.authorized_ops_default", "authorized operations are INT_MIN unless asked for", "KIP-430",
        0, 0, {CHECK_NEED(METADATA, 8)}, authorized_ops_default},
};

const struct check_table c_meta_table = CHECK_TABLE("meta", checks);
