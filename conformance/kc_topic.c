#include "conformance/kc_topic.h"

#include <stdarg.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

/* In preparation, where being slow is no verdict: Kafka makes nothing new for 10 s behind a start
 * with some hundred topics, on a machine that has other work. */
#define SETUP_PATIENCE 4
#define CREATE_MS 30000
#define CREATE_VERSION_MAX 7
#define DELETE_BY_STATE_VERSION 6
#define COORDINATOR_LIST_VERSION 4
#define LATEST_TIMESTAMP (-1)
#define OPERATION_SET 0
#define SOURCE_TOPIC 1

bool
kc_topic_is_named(struct wire_string text, const char *name)
{
    return text.size >= 0 && strlen(name) == (size_t)text.size &&
           memcmp(text.data, name, (size_t)text.size) == 0;
}

char *
kc_topic_name(struct kc *kc)
{
    int area_size = (int)strcspn(kc->check->id, ".");
    char *name =
        kc_printf(kc, "kc-%s-%.*s-%zu", kc->options->run_id, area_size, kc->check->id, kc->number);

    kc->topic_next++;
    return kc->topic_next == 1 ? name : kc_printf(kc, "%s-%d", name, kc->topic_next);
}

/* --- creating --------------------------------------------------------------------------------- */

static void
config_add(struct kc *kc, struct km_create_topics_request_creatable_topic_config_array *configs,
    const char *pair)
{
    const char *equals = strchr(pair, '=');
    struct km_create_topics_request_creatable_topic_config *config;

    if (equals == NULL)
        kc_error(kc, "topic config %s is not NAME=VALUE", pair);
    config = &configs->items[configs->count++];
    config->name = (struct wire_string){pair, (int32_t)(equals - pair)};
    config->value = kc_string(equals + 1);
}

static const struct km_create_topics_response_creatable_topic_result *
create(struct kc *kc, const char *name, int32_t partition_count, const char *const *pairs,
    size_t pair_count)
{
    struct km_create_topics_request body;
    struct km_create_topics_request_creatable_topic topic;
    const struct km_create_topics_response *response;

    codec_init(&km_create_topics_request_desc, &body);
    codec_init(&km_create_topics_request_creatable_topic_desc, &topic);
    topic.name = kc_string(name);
    topic.num_partitions = partition_count;
    topic.replication_factor = -1;
    topic.configs.items =
        kc_alloc(kc, pair_count + kc->options->topic_config_count, sizeof *topic.configs.items);
    for (size_t i = 0; i < kc->options->topic_config_count; i++)
        config_add(kc, &topic.configs, kc->options->topic_configs[i]);
    for (size_t i = 0; i < pair_count; i++)
        config_add(kc, &topic.configs, pairs[i]);
    body.topics.items = &topic;
    body.topics.count = 1;
    body.timeout_ms = CREATE_MS;
    response = kc_ask(kc, kc_link(kc, 0), KM_CREATE_TOPICS,
        kc_version(kc, KM_CREATE_TOPICS, CREATE_VERSION_MAX), &body);
    if (response->topics.count != 1)
        kc_error(kc, "CreateTopics answered for %d topics, not for one", response->topics.count);
    return &response->topics.items[0];
}

int16_t
kc_topic_create(struct kc *kc, const char *name, int32_t partition_count)
{
    return kc_topic_create_as(kc, name, partition_count, NULL, 0);
}

int16_t
kc_topic_create_as(struct kc *kc, const char *name, int32_t partition_count,
    const char *const *configs, size_t config_count)
{
    return create(kc, name, partition_count, configs, config_count)->error_code;
}

/* --- metadata --------------------------------------------------------------------------------- */

const struct km_metadata_response *
kc_topic_metadata(struct kc *kc, struct link *link, const char *const *names, int32_t count)
{
    const struct km_metadata_response *response;
    struct km_metadata_request body;

    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = false;
    body.topics.count = count;
    if (count > 0)
        body.topics.items = kc_alloc(kc, (size_t)count, sizeof *body.topics.items);
    for (int32_t i = 0; i < count; i++)
        body.topics.items[i].name = kc_string(names[i]);
    response = kc_ask(kc, link, KM_METADATA, kc_version(kc, KM_METADATA, KC_VERSION_MAX), &body);
    kc_code(kc, "top_error_code", response->error_code, KE_NONE);
    return response;
}

const struct km_metadata_response_topic *
kc_topic_find(const struct km_metadata_response *response, const char *name)
{
    for (int32_t i = 0; i < response->topics.count; i++)
        if (kc_topic_is_named(response->topics.items[i].name, name))
            return &response->topics.items[i];
    return NULL;
}

/* Whether all partitions have leaders among the brokers; fills in the topic. */
static bool
has_leaders(struct kc *kc, const struct km_metadata_response_topic *seen, struct kc_topic *topic)
{
    if (seen == NULL || seen->error_code != KE_NONE ||
        seen->partitions.count != topic->partition_count)
        return false;
    topic->id = seen->topic_id;
    for (int32_t i = 0; i < seen->partitions.count; i++) {
        const struct km_metadata_response_partition *part = &seen->partitions.items[i];

        if (part->error_code != KE_NONE || part->leader_id < 0 || part->partition_index < 0 ||
            part->partition_index >= topic->partition_count)
            return false;
        topic->leaders[part->partition_index] = kc_broker(kc, part->leader_id);
    }
    return true;
}

/* Whether the leader of a partition serves it already. */
static bool
is_served(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    struct km_list_offsets_request body;
    struct km_list_offsets_request_topic asked;
    struct km_list_offsets_request_partition part;
    const struct km_list_offsets_response *response;

    codec_init(&km_list_offsets_request_desc, &body);
    codec_init(&km_list_offsets_request_topic_desc, &asked);
    codec_init(&km_list_offsets_request_partition_desc, &part);
    part.partition_index = partition;
    part.timestamp = LATEST_TIMESTAMP;
    asked.name = kc_string(topic->name);
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.replica_id = -1;
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_topic_leader(kc, topic, partition), KM_LIST_OFFSETS,
        kc_version(kc, KM_LIST_OFFSETS, KC_VERSION_MAX), &body);
    return response->topics.count == 1 && response->topics.items[0].partitions.count == 1 &&
           response->topics.items[0].partitions.items[0].error_code == KE_NONE;
}

struct kc_topic *
kc_topic_await(struct kc *kc, const char *name, int32_t partition_count)
{
    struct kc_topic *topic = kc_alloc(kc, 1, sizeof *topic);
    struct kc_wait wait = kc_wait_begin(kc, SETUP_PATIENCE * kc->options->metadata_ms);

    kc_setup_begin(kc);
    topic->name = kc_printf(kc, "%s", name);
    topic->partition_count = partition_count;
    topic->leaders = kc_alloc(kc, (size_t)partition_count, sizeof *topic->leaders);
    for (size_t broker = 0; broker < kc->target->broker_count; broker++)
        while (!has_leaders(
            kc, kc_topic_find(kc_topic_metadata(kc, kc_link(kc, broker), &name, 1), name), topic))
            kc_wait_more(kc, &wait, "every broker knows the new topic's leaders");
    for (int32_t partition = 0; partition < partition_count; partition++)
        while (!is_served(kc, topic, partition))
            kc_wait_more(kc, &wait, "the leaders serve the new topic");
    kc_setup_end(kc);
    return topic;
}

struct kc_topic *
kc_topic_new(struct kc *kc, int32_t partition_count, ...)
{
    const char *pairs[KC_TOPIC_CONFIGS_MAX];
    const struct km_create_topics_response_creatable_topic_result *created;
    struct kc_topic *topic;
    size_t count = 0;
    char *name = kc_topic_name(kc);
    va_list ap;

    va_start(ap, partition_count);
    while (count < KC_TOPIC_CONFIGS_MAX && (pairs[count] = va_arg(ap, const char *)) != NULL)
        count++;
    va_end(ap);
    kc_setup_begin(kc);
    created = create(kc, name, partition_count, pairs, count);
    if (created->error_code != KE_NONE)
        kc_error(kc, "the topic cannot be created: %d %s %.*s", created->error_code,
            kerr_name(created->error_code),
            created->error_message.size > 0 ? created->error_message.size : 0,
            created->error_message.data);
    topic = kc_topic_await(kc, name, partition_count);
    kc_setup_end(kc);
    return topic;
}

/* Asking for a group's coordinator makes the topic of groups. */
static bool
has_coordinator(struct kc *kc)
{
    int16_t version = kc_version(kc, KM_FIND_COORDINATOR, KC_VERSION_MAX);
    const struct km_find_coordinator_response *response;
    struct km_find_coordinator_request body;
    struct wire_string key = kc_string("kc-any-group");

    codec_init(&km_find_coordinator_request_desc, &body);
    if (version < COORDINATOR_LIST_VERSION) {
        body.key = key;
    } else {
        body.coordinator_keys.items = &key;
        body.coordinator_keys.count = 1;
    }
    response = kc_ask(kc, kc_link(kc, 0), KM_FIND_COORDINATOR, version, &body);
    if (response->coordinators.count == 1)
        return response->coordinators.items[0].error_code == KE_NONE;
    return response->coordinators.count == 0 && response->error_code == KE_NONE;
}

struct kc_topic *
kc_topic_internal(struct kc *kc)
{
    const char *name = "__consumer_offsets";
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);
    const struct km_metadata_response_topic *seen;

    kc_setup_begin(kc);
    while (!has_coordinator(kc))
        kc_wait_more(kc, &wait, "a coordinator of groups");
    seen = kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), &name, 1), name);
    kc_setup_end(kc);
    if (seen == NULL || seen->error_code != KE_NONE || seen->partitions.count == 0)
        kc_skip(kc, "groups live in no topic");
    return kc_topic_await(kc, name, seen->partitions.count);
}

/* --- changing --------------------------------------------------------------------------------- */

const struct km_delete_topics_response *
kc_topic_delete_all(struct kc *kc, struct wire_string *names, int32_t count)
{
    int16_t version = kc_version(kc, KM_DELETE_TOPICS, KC_VERSION_MAX);
    struct km_delete_topics_request body;

    codec_init(&km_delete_topics_request_desc, &body);
    body.timeout_ms = CREATE_MS;
    body.topic_names.items = names; /* of older versions */
    body.topic_names.count = count;
    if (version >= DELETE_BY_STATE_VERSION) {
        body.topics.items = kc_alloc(kc, (size_t)count, sizeof *body.topics.items);
        body.topics.count = count;
        for (int32_t i = 0; i < count; i++)
            body.topics.items[i].name = names[i];
    }
    return kc_ask(kc, kc_link(kc, 0), KM_DELETE_TOPICS, version, &body);
}

void
kc_topic_delete(struct kc *kc, const char *name)
{
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);
    struct wire_string text = kc_string(name);
    const struct km_delete_topics_response *response = kc_topic_delete_all(kc, &text, 1);

    kc_int(kc, "DeleteTopics responses", response->responses.count, 1);
    kc_code(kc, "DeleteTopics", response->responses.items[0].error_code, KE_NONE);
    for (size_t broker = 0; broker < kc->target->broker_count; broker++)
        for (;;) {
            const struct km_metadata_response_topic *seen =
                kc_topic_find(kc_topic_metadata(kc, kc_link(kc, broker), &name, 1), name);

            if (seen != NULL && seen->error_code == KE_UNKNOWN_TOPIC_OR_PARTITION)
                break;
            kc_wait_more(kc, &wait, "the deleted topic is unknown to every broker");
        }
}

struct kc_topic *
kc_topic_recreate(struct kc *kc, const struct kc_topic *old)
{
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);
    struct kc_topic *topic;
    int16_t code;

    kc_setup_begin(kc);
    kc_topic_delete(kc, old->name);
    while ((code = kc_topic_create(kc, old->name, old->partition_count)) == KE_TOPIC_ALREADY_EXISTS)
        kc_wait_more(kc, &wait, "the deleted topic can be created again");
    kc_code(kc, "CreateTopics", code, KE_NONE);
    topic = kc_topic_await(kc, old->name, old->partition_count);
    kc_setup_end(kc);
    return topic;
}

struct link *
kc_topic_leader(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    return kc_link(kc, topic->leaders[partition]);
}

void
kc_config_set(struct kc *kc, enum kc_resource type, const char *resource_name, const char *name,
    const char *value)
{
    struct km_incremental_alter_configs_request body;
    struct km_incremental_alter_configs_request_alter_configs_resource resource;
    struct km_incremental_alter_configs_request_alterable_config config;
    const struct km_incremental_alter_configs_response *response;

    codec_init(&km_incremental_alter_configs_request_desc, &body);
    codec_init(&km_incremental_alter_configs_request_alter_configs_resource_desc, &resource);
    codec_init(&km_incremental_alter_configs_request_alterable_config_desc, &config);
    config.name = kc_string(name);
    config.config_operation = OPERATION_SET;
    config.value = kc_string(value);
    resource.resource_type = (int8_t)type;
    resource.resource_name = kc_string(resource_name);
    resource.configs.items = &config;
    resource.configs.count = 1;
    body.resources.items = &resource;
    body.resources.count = 1;
    kc_setup_begin(kc);
    response = kc_ask(kc, kc_link(kc, 0), KM_INCREMENTAL_ALTER_CONFIGS,
        kc_version(kc, KM_INCREMENTAL_ALTER_CONFIGS, KC_VERSION_MAX), &body);
    kc_int(kc, "IncrementalAlterConfigs responses", response->responses.count, 1);
    kc_code(kc, "IncrementalAlterConfigs", response->responses.items[0].error_code, KE_NONE);
    kc_setup_end(kc);
}

void
kc_topic_set(struct kc *kc, const struct kc_topic *topic, const char *name, const char *value)
{
    kc_config_set(kc, KC_RESOURCE_TOPIC, topic->name, name, value);
}

/* --- configs that are told -------------------------------------------------------------------- */

const struct km_describe_configs_response_resource_result *
kc_config_told(struct kc *kc, struct link *link, enum kc_resource type, const char *resource_name,
    struct wire_string name)
{
    struct km_describe_configs_request_resource resource;
    const struct km_describe_configs_response *response;
    struct km_describe_configs_request body;

    codec_init(&km_describe_configs_request_desc, &body);
    codec_init(&km_describe_configs_request_resource_desc, &resource);
    resource.resource_type = (int8_t)type;
    resource.resource_name = kc_string(resource_name);
    resource.configuration_keys.items = &name;
    resource.configuration_keys.count = 1;
    body.resources.items = &resource;
    body.resources.count = 1;
    response = kc_ask(
        kc, link, KM_DESCRIBE_CONFIGS, kc_version(kc, KM_DESCRIBE_CONFIGS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    kc_code(kc, "DescribeConfigs", response->results.items[0].error_code, KE_NONE);
    kc_that(kc, response->results.items[0].configs.count == 1, "config-missing", "config %.*s",
        name.size, name.data);
    return &response->results.items[0].configs.items[0];
}

void
kc_topic_has(struct kc *kc, const char *topic_name, const char *config)
{
    size_t name_size = strcspn(config, "=");
    const struct km_describe_configs_response_resource_result *told =
        kc_config_told(kc, kc_link(kc, 0), KC_RESOURCE_TOPIC, topic_name,
            (struct wire_string){config, (int32_t)name_size});

    kc_that(kc, kc_topic_is_named(told->value, config + name_size + 1), "config-differs",
        "%s, not %.*s", config, told->value.size, told->value.data);
    kc_int(kc, "config_source", told->config_source, SOURCE_TOPIC);
}
