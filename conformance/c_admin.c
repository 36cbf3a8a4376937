/* Area admin: creating, growing and deleting topics, and their configs. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TIMEOUT_MS 30000
#define APPLY_MS 10000
#define RESOURCE_TOPIC 2
#define SOURCE_TOPIC 1
#define SOURCE_STATIC 4
#define SOURCE_DEFAULT 5
#define ECHO_VERSION 5
#define TOPIC_ID_VERSION 7
#define DELETE_BY_ID_VERSION 6
#define CONFIGS_MAX (KC_TOPIC_CONFIGS_MAX + 4)
#define RACERS 20

enum { SET, DELETE, APPEND, SUBTRACT };

/* --- creating --------------------------------------------------------------------------------- */

/* What a check asks CreateTopics for. */
struct wanted {
    const char *name;
    int32_t partitions;
    int16_t replicas;
    const char *config; /* NULL: none beside those of the run */
    const char *value;  /* NULL: null */
    bool is_only_validated;
};

static struct wanted
wanted(struct kc *kc)
{
    return (struct wanted){.name = kc_topic_name(kc), .partitions = 1, .replicas = 1};
}

static void
config_put(struct km_create_topics_request_creatable_topic *topic, struct wire_string name,
    struct wire_string value)
{
    struct km_create_topics_request_creatable_topic_config *config =
        &topic->configs.items[topic->configs.count++];

    config->name = name;
    config->value = value;
}

static const struct km_create_topics_request *
create_body(struct kc *kc, const struct wanted *one)
{
    struct km_create_topics_request *body = kc_alloc(kc, 1, sizeof *body);
    struct km_create_topics_request_creatable_topic *topic = kc_alloc(kc, 1, sizeof *topic);

    codec_init(&km_create_topics_request_desc, body);
    codec_init(&km_create_topics_request_creatable_topic_desc, topic);
    topic->name = kc_string(one->name);
    topic->num_partitions = one->partitions;
    topic->replication_factor = one->replicas;
    topic->configs.items = kc_alloc(kc, CONFIGS_MAX, sizeof *topic->configs.items);
    for (size_t i = 0; i < kc->options->topic_config_count; i++) {
        const char *pair = kc->options->topic_configs[i], *equals = strchr(pair, '=');

        if (equals != NULL)
            config_put(
                topic, (struct wire_string){pair, (int32_t)(equals - pair)}, kc_string(equals + 1));
    }
    if (one->config != NULL)
        config_put(topic, kc_string(one->config), kc_string(one->value));
    body->timeout_ms = TIMEOUT_MS;
    body->validate_only = one->is_only_validated;
    body->topics.items = topic;
    body->topics.count = 1;
    return body;
}

static const struct km_create_topics_response_creatable_topic_result *
create(struct kc *kc, const struct wanted *one)
{
    const struct km_create_topics_response *response = kc_ask(kc, kc_link(kc, 0), KM_CREATE_TOPICS,
        kc_version(kc, KM_CREATE_TOPICS, KC_VERSION_MAX), create_body(kc, one));

    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_that(kc, kc_topic_is_named(response->topics.items[0].name, one->name), "other-topic",
        "topic %s", one->name);
    return &response->topics.items[0];
}

static void
is_unknown(struct kc *kc, const char *name)
{
    const struct km_metadata_response_topic *seen =
        kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), &name, 1), name);

    kc_that(kc, seen != NULL, "topic-missing", "an answer for topic %s", name);
    kc_code(kc, "Metadata", seen->error_code, KE_UNKNOWN_TOPIC_OR_PARTITION);
}

static void
create_basic(struct kc *kc)
{
    struct wanted one = wanted(kc);
    const struct km_create_topics_response_creatable_topic_result *result;
    struct wire_uuid none = {{0}};
    struct kc_topic *topic;
    bool is_echoed = false;

    one.partitions = 3;
    one.config = "max.message.bytes";
    one.value = "123456";
    result = create(kc, &one);
    kc_code(kc, "error_code", result->error_code, KE_NONE);
    topic = kc_topic_await(kc, one.name, 3);
    if (kc_has_version(kc, KM_CREATE_TOPICS, ECHO_VERSION)) {
        kc_int(kc, "num_partitions", result->num_partitions, 3);
        kc_int(kc, "replication_factor", result->replication_factor, 1);
        for (int32_t i = 0; i < result->configs.count; i++)
            is_echoed |= kc_topic_is_named(result->configs.items[i].name, one.config) &&
                         kc_topic_is_named(result->configs.items[i].value, one.value) &&
                         result->configs.items[i].config_source == SOURCE_TOPIC;
        kc_that(kc, is_echoed, "config-missing", "%s=%s as a config of the topic", one.config,
            one.value);
    }
    if (kc_has_version(kc, KM_CREATE_TOPICS, TOPIC_ID_VERSION)) {
        kc_that(
            kc, memcmp(&result->topic_id, &none, sizeof none) != 0, "no-topic-id", "a topic id");
        kc_that(kc, memcmp(&result->topic_id, &topic->id, sizeof none) == 0, "other-topic-id",
            "the topic id that Metadata tells");
    }
}

static void
create_defaults(struct kc *kc)
{
    struct wanted one = wanted(kc);
    const struct km_metadata_response_topic *seen;
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);

    one.partitions = -1;
    one.replicas = -1;
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_NONE);
    for (;;) {
        seen = kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), &one.name, 1), one.name);
        if (seen != NULL && seen->error_code == KE_NONE && seen->partitions.count > 0)
            break;
        kc_wait_more(kc, &wait, "the topic has the broker's number of partitions");
    }
    kc_that(kc, seen->partitions.items[0].replica_nodes.count > 0, "no-replicas", "replicas");
}

static void
create_exists(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);
    struct wanted one = wanted(kc);
    const struct km_create_topics_response_creatable_topic_result *result;
    char *message;

    one.name = topic->name;
    result = create(kc, &one);
    kc_code(kc, "error_code", result->error_code, KE_TOPIC_ALREADY_EXISTS);
    message = kc_printf(kc, "Topic '%s' already exists.", topic->name);
    kc_that(kc, kc_topic_is_named(result->error_message, message), "other-message", "%s", message);
    kc_topic_await(kc, topic->name, 2);
}

static void
create_validate_only(struct kc *kc)
{
    struct wanted one = wanted(kc);

    one.is_only_validated = true;
    one.partitions = 0;
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_PARTITIONS);
    one.partitions = 1;
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_NONE);
    is_unknown(kc, one.name);
}

static void
create_bad_counts(struct kc *kc)
{
    struct wanted one = wanted(kc);

    one.partitions = 0;
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_PARTITIONS);
    one.partitions = -2;
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_PARTITIONS);
    one.partitions = 1;
    one.replicas = 0;
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_REPLICATION_FACTOR);
    one.replicas = (int16_t)(kc->target->broker_count + 1);
    kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_REPLICATION_FACTOR);
    is_unknown(kc, one.name);
}

static void
create_bad_config(struct kc *kc)
{
    static const char *const pairs[][2] = {
        {"no.such.config", "1"},
        {"retention.ms", "abc"},
        {"cleanup.policy", "foo"},
        {"retention.ms", NULL},
    };
    struct wanted one = wanted(kc);

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        one.config = pairs[i][0];
        one.value = pairs[i][1];
        kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_CONFIG);
    }
    is_unknown(kc, one.name);
}

static void
create_bad_name(struct kc *kc)
{
    enum { TOO_LONG = 250 };
    char *too_long = kc_alloc(kc, TOO_LONG + 1, 1);
    const char *const names[] = {"", ".", "..", "a b", "a/b", too_long};
    struct wanted one = wanted(kc);

    memset(too_long, 'x', TOO_LONG);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        one.name = names[i];
        kc_code(kc, "error_code", create(kc, &one)->error_code, KE_INVALID_TOPIC_EXCEPTION);
    }
}

static void
create_name_collision(struct kc *kc)
{
    struct wanted first = wanted(kc), second = first;

    second.name = kc_printf(kc, "%s.a_b", first.name);
    first.name = kc_printf(kc, "%s.a.b", first.name);
    kc_code(kc, "CreateTopics", create(kc, &first)->error_code, KE_NONE);
    kc_topic_await(kc, first.name, 1);
    kc_code(kc, "error_code", create(kc, &second)->error_code, KE_INVALID_TOPIC_EXCEPTION);
}

static void
create_race(struct kc *kc)
{
    struct wanted one = wanted(kc);
    int16_t version = kc_version(kc, KM_CREATE_TOPICS, KC_VERSION_MAX);
    struct link *links[RACERS];
    struct exchange *sent[RACERS];
    int won = 0;

    for (int i = 0; i < RACERS; i++)
        links[i] = kc_link_new(kc, (size_t)i % kc->target->broker_count);
    for (int i = 0; i < RACERS; i++)
        sent[i] = kc_send(kc, links[i], KM_CREATE_TOPICS, version, create_body(kc, &one));
    for (int i = 0; i < RACERS; i++) {
        const struct km_create_topics_response *response = kc_receive(kc, links[i], sent[i]);

        kc_int(kc, "topics_count", response->topics.count, 1);
        if (response->topics.items[0].error_code == KE_NONE)
            won++;
        else
            kc_code(
                kc, "error_code", response->topics.items[0].error_code, KE_TOPIC_ALREADY_EXISTS);
    }
    kc_int(kc, "created", won, 1);
}

/* --- deleting --------------------------------------------------------------------------------- */

static void
delete_topic(struct kc *kc)
{
    static const int16_t gone[] = {KE_UNKNOWN_TOPIC_OR_PARTITION, KE_UNKNOWN_TOPIC_ID};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL), *fresh;
    struct wire_bytes batch = kc_batch_values(kc, "value", 3);

    kc_append_ok(kc, topic, 0, batch);
    kc_topic_delete(kc, topic->name);
    kc_code_in(kc, "error_code", kc_append(kc, topic, 0, batch)->error_code, gone, ARRAY_LEN(gone));
    kc_code_in(kc, "error_code", kc_fetch_one(kc, topic, 0, 0)->error_code, gone, ARRAY_LEN(gone));
    kc_code(kc, "CreateTopics", kc_topic_create(kc, topic->name, 2), KE_NONE);
    fresh = kc_topic_await(kc, topic->name, 2);
    kc_int(kc, "log_end", kc_latest(kc, fresh, 0), 0);
    kc_int(kc, "base_offset", kc_append_ok(kc, fresh, 0, batch), 0);
}

static void
delete_by_id(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct km_delete_topics_request body;
    struct km_delete_topics_request_delete_topic_state which[2];
    const struct km_delete_topics_response *response;

    codec_init(&km_delete_topics_request_desc, &body);
    codec_init(&km_delete_topics_request_delete_topic_state_desc, &which[0]);
    which[1] = which[0];
    which[0].topic_id = topic->id;
    which[1].topic_id = topic->id;
    which[1].topic_id.bytes[0] ^= 1;
    body.timeout_ms = TIMEOUT_MS;
    body.topics.items = which;
    body.topics.count = 2;
    response = kc_ask(kc, kc_link(kc, 0), KM_DELETE_TOPICS,
        kc_version(kc, KM_DELETE_TOPICS, KC_VERSION_MAX), &body);
    kc_int(kc, "responses_count", response->responses.count, 2);
    for (int32_t i = 0; i < 2; i++) {
        bool is_ours =
            memcmp(&response->responses.items[i].topic_id, &topic->id, sizeof topic->id) == 0;

        kc_code(kc, "error_code", response->responses.items[i].error_code,
            is_ours ? KE_NONE : KE_UNKNOWN_TOPIC_ID);
        kc_that(kc, !is_ours || kc_topic_is_named(response->responses.items[i].name, topic->name),
            "no-name", "the topic's name");
    }
}

/* --- partitions ------------------------------------------------------------------------------- */

static int16_t
partitions_ask(struct kc *kc, const struct kc_topic *topic, int32_t count)
{
    struct km_create_partitions_request body;
    struct km_create_partitions_request_topic asked;
    const struct km_create_partitions_response *response;

    codec_init(&km_create_partitions_request_desc, &body);
    codec_init(&km_create_partitions_request_topic_desc, &asked);
    asked.name = kc_string(topic->name);
    asked.count = count;
    asked.assignments.count = -1;
    body.topics.items = &asked;
    body.topics.count = 1;
    body.timeout_ms = TIMEOUT_MS;
    response = kc_ask(kc, kc_link(kc, 0), KM_CREATE_PARTITIONS,
        kc_version(kc, KM_CREATE_PARTITIONS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    return response->results.items[0].error_code;
}

static void
partitions_add(struct kc *kc)
{
    static const char *const values[] = {"value-0", "value-1", "value-2"};
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL), *grown;
    struct wire_bytes batch = kc_batch_values(kc, "value", 3);

    kc_append_ok(kc, topic, 1, batch);
    kc_code(kc, "error_code", partitions_ask(kc, topic, 5), KE_NONE);
    grown = kc_topic_await(kc, topic->name, 5);
    kc_that(kc, memcmp(&grown->id, &topic->id, sizeof topic->id) == 0, "other-topic-id",
        "the same topic");
    kc_int(kc, "log_end", kc_latest(kc, grown, 1), 3);
    kc_log_values(kc, kc_log_all(kc, grown, 1), 0, values, ARRAY_LEN(values));
    for (int32_t i = 2; i < 5; i++) {
        kc_int(kc, "log_end", kc_latest(kc, grown, i), 0);
        kc_int(kc, "base_offset", kc_append_ok(kc, grown, i, batch), 0);
    }
}

static void
partitions_not_increase(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);

    kc_code(kc, "error_code", partitions_ask(kc, topic, 2), KE_INVALID_PARTITIONS);
    kc_code(kc, "error_code", partitions_ask(kc, topic, 1), KE_INVALID_PARTITIONS);
    kc_topic_await(kc, topic->name, 2);
}

/* --- configs ---------------------------------------------------------------------------------- */

typedef struct km_describe_configs_response_resource_result described;

static const struct km_describe_configs_response_result *
configs_describe(struct kc *kc, const struct kc_topic *topic)
{
    struct km_describe_configs_request body;
    struct km_describe_configs_request_resource resource;
    const struct km_describe_configs_response *response;

    codec_init(&km_describe_configs_request_desc, &body);
    codec_init(&km_describe_configs_request_resource_desc, &resource);
    resource.resource_type = RESOURCE_TOPIC;
    resource.resource_name = kc_string(topic->name);
    resource.configuration_keys.count = -1;
    body.resources.items = &resource;
    body.resources.count = 1;
    body.include_synonyms = true;
    response = kc_ask(kc, kc_link(kc, 0), KM_DESCRIBE_CONFIGS,
        kc_version(kc, KM_DESCRIBE_CONFIGS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    kc_code(kc, "DescribeConfigs", response->results.items[0].error_code, KE_NONE);
    return &response->results.items[0];
}

static const described *
config_of(struct kc *kc, const struct km_describe_configs_response_result *all, const char *name)
{
    for (int32_t i = 0; i < all->configs.count; i++)
        if (kc_topic_is_named(all->configs.items[i].name, name))
            return &all->configs.items[i];
    kc_fail(kc, "config-missing", NULL, "config %s", name);
}

/* A topic soon has a config of its own with this value: what the controller took, a broker tells of
 * when the metadata log has brought it. */
static void
config_is(struct kc *kc, const struct kc_topic *topic, const char *name, const char *value)
{
    struct kc_wait wait = kc_wait_begin(kc, APPLY_MS);
    const described *seen;

    do
        seen = config_of(kc, configs_describe(kc, topic), name);
    while (!kc_topic_is_named(seen->value, value) && !kc_wait_over(kc, &wait));
    kc_that(kc, kc_topic_is_named(seen->value, value), "other-value", "%s=%s", name, value);
    kc_int(kc, "config_source", seen->config_source, SOURCE_TOPIC);
}

static void
configs_describe_topic(struct kc *kc)
{
    static const char *const names[] = {"cleanup.policy", "compression.type", "delete.retention.ms",
        "file.delete.delay.ms", "flush.messages", "flush.ms", "index.interval.bytes",
        "max.compaction.lag.ms", "max.message.bytes", "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms", "message.timestamp.type", "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms", "min.insync.replicas", "preallocate", "retention.bytes",
        "retention.ms", "segment.bytes", "segment.index.bytes", "segment.jitter.ms", "segment.ms",
        "unclean.leader.election.enable"};
    struct kc_topic *topic = kc_topic_new(kc, 1, "max.message.bytes=12345678", NULL);
    const struct km_describe_configs_response_result *all = configs_describe(kc, topic);
    const described *seen = config_of(kc, all, "max.message.bytes");

    kc_that(kc, kc_topic_is_named(seen->value, "12345678"), "other-value", "12345678");
    kc_int(kc, "config_source", seen->config_source, SOURCE_TOPIC);
    kc_that(kc, seen->synonyms.count >= 2, "no-synonyms", "the topic's value and the default");
    kc_int(kc, "synonym_source", seen->synonyms.items[0].source, SOURCE_TOPIC);
    kc_that(kc, kc_topic_is_named(seen->synonyms.items[0].value, "12345678"), "other-value",
        "the topic's value first among the synonyms");
    kc_int(kc, "synonym_source", seen->synonyms.items[seen->synonyms.count - 1].source,
        SOURCE_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        seen = config_of(kc, all, names[i]);
        kc_that(kc, !seen->is_sensitive && !seen->read_only && seen->value.size >= 0, "hidden",
            "%s with a value that can be set", names[i]);
    }
    seen = config_of(kc, all, "file.delete.delay.ms");
    kc_that(kc, seen->config_source == SOURCE_DEFAULT || seen->config_source == SOURCE_STATIC,
        kc_printf(kc, "config_source=%d", seen->config_source), "a default of the broker");
}

static int16_t
alter(struct kc *kc, const struct kc_topic *topic, const char *name, int8_t operation,
    const char *value, int32_t times)
{
    struct km_incremental_alter_configs_request body;
    struct km_incremental_alter_configs_request_alter_configs_resource resource;
    struct km_incremental_alter_configs_request_alterable_config configs[2];
    const struct km_incremental_alter_configs_response *response;

    codec_init(&km_incremental_alter_configs_request_desc, &body);
    codec_init(&km_incremental_alter_configs_request_alter_configs_resource_desc, &resource);
    codec_init(&km_incremental_alter_configs_request_alterable_config_desc, &configs[0]);
    configs[0].name = kc_string(name);
    configs[0].config_operation = operation;
    configs[0].value = kc_string(value);
    configs[1] = configs[0];
    resource.resource_type = RESOURCE_TOPIC;
    resource.resource_name = kc_string(topic->name);
    resource.configs.items = configs;
    resource.configs.count = times;
    body.resources.items = &resource;
    body.resources.count = 1;
    response = kc_ask(kc, kc_link(kc, 0), KM_INCREMENTAL_ALTER_CONFIGS,
        kc_version(kc, KM_INCREMENTAL_ALTER_CONFIGS, KC_VERSION_MAX), &body);
    kc_int(kc, "responses_count", response->responses.count, 1);
    return response->responses.items[0].error_code;
}

static void
configs_incremental_set(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "retention.ms=12345678", NULL);

    kc_append_ok(kc, topic, 0, kc_batch_sized(kc, 4000));
    kc_code(kc, "error_code", alter(kc, topic, "max.message.bytes", SET, "1000", 1), KE_NONE);
    config_is(kc, topic, "max.message.bytes", "1000");
    config_is(kc, topic, "retention.ms", "12345678");
    kc_code(kc, "Produce", kc_append(kc, topic, 0, kc_batch_sized(kc, 4000))->error_code,
        KE_MESSAGE_TOO_LARGE);
}

static void
configs_incremental_delete(struct kc *kc)
{
    struct kc_topic *topic =
        kc_topic_new(kc, 1, "file.delete.delay.ms=12345678", "retention.ms=12345678", NULL);
    const described *seen;
    struct kc_wait wait;

    config_is(kc, topic, "file.delete.delay.ms", "12345678");
    kc_code(kc, "error_code", alter(kc, topic, "file.delete.delay.ms", DELETE, NULL, 1), KE_NONE);
    wait = kc_wait_begin(kc, APPLY_MS);
    do
        seen = config_of(kc, configs_describe(kc, topic), "file.delete.delay.ms");
    while (seen->config_source == SOURCE_TOPIC && !kc_wait_over(kc, &wait));
    kc_that(kc, seen->config_source != SOURCE_TOPIC, "still-set", "the default of the broker");
    config_is(kc, topic, "retention.ms", "12345678");
}

static void
configs_append_subtract(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "cleanup.policy=delete", NULL);

    kc_code(kc, "error_code", alter(kc, topic, "cleanup.policy", APPEND, "compact", 1), KE_NONE);
    config_is(kc, topic, "cleanup.policy", "delete,compact");
    kc_code(kc, "error_code", alter(kc, topic, "cleanup.policy", APPEND, "compact", 1), KE_NONE);
    config_is(kc, topic, "cleanup.policy", "delete,compact");
    kc_code(kc, "error_code", alter(kc, topic, "cleanup.policy", SUBTRACT, "delete", 1), KE_NONE);
    config_is(kc, topic, "cleanup.policy", "compact");
}

static void
configs_refused(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "retention.ms=12345678", NULL);

    kc_code(kc, "error_code", alter(kc, topic, "retention.ms", SET, "x", 1), KE_INVALID_CONFIG);
    kc_code(
        kc, "error_code", alter(kc, topic, "min.insync.replicas", SET, "0", 1), KE_INVALID_CONFIG);
    kc_code(kc, "error_code", alter(kc, topic, "retention.ms", SET, "1", 2), KE_INVALID_REQUEST);
    config_is(kc, topic, "retention.ms", "12345678");
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"admin.create_basic", "a topic is created as asked, and the answer says what it is",
        "CreateTopicsRequestTest", CHECK_CORE, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_basic},
    {"admin.create_exists", "a name that is taken is 36, and the topic stays as it is",
        "CreateTopicsRequestTest", CHECK_CORE, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_exists},
    {"admin.create_defaults", "without numbers a topic gets those of the broker", "KIP-464", 0, 0,
        {CHECK_NEED(CREATE_TOPICS, 4)}, create_defaults},
    {"admin.create_validate_only", "validate_only judges and creates nothing",
        "CreateTopicsRequestTest", 0, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_validate_only},
    {"admin.create_bad_counts", "numbers of partitions and replicas that cannot be are 37 and 38",
        "ReplicationControlManager", 0, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_bad_counts},
    {"admin.create_bad_config", "an unknown config, or a value that it cannot have, is 40",
        "CreateTopicsRequestTest", 0, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_bad_config},
    {"admin.create_bad_name", "names that no topic can have are 17", "ReplicationControlManager", 0,
        0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_bad_name},
    {"admin.create_name_collision", "a name that differs from another in . and _ alone is 17",
        "ReplicationControlManager", 0, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_name_collision},
    {"admin.create_race", "of 20 who create a topic at once one does", "ReplicationControlManager",
        0, 0, {CHECK_NEED(CREATE_TOPICS, 2)}, create_race},
    {"admin.delete", "a deleted topic is gone, and its name begins anew", "DeleteTopicsRequestTest",
        CHECK_CORE, 0, {CHECK_NEED(DELETE_TOPICS, 1), CHECK_NEED(FETCH, 4)}, delete_topic},
    {"admin.delete_by_id", "topics are deleted by id, an unknown one is 100",
        "DeleteTopicsRequestTest", 0, 0, {CHECK_NEED(DELETE_TOPICS, DELETE_BY_ID_VERSION)},
        delete_by_id},
    {"admin.partitions_add", "new partitions are empty, the old ones keep their records",
        "TestCreatePartitionsAddsPartitions", CHECK_CORE, 0,
        {CHECK_NEED(CREATE_PARTITIONS, 0), CHECK_NEED(FETCH, 4)}, partitions_add},
    {"admin.partitions_not_increase", "as many partitions as there are, or fewer, is 37",
        "ReplicationControlManager", 0, 0, {CHECK_NEED(CREATE_PARTITIONS, 0)},
        partitions_not_increase},
    {"admin.configs_describe_topic",
        "every config of a topic is told with its source; the topic's own comes before defaults",
        "KIP-226", CHECK_CORE, 0, {CHECK_NEED(DESCRIBE_CONFIGS, 1)}, configs_describe_topic},
    {"admin.configs_incremental_set", "a config that is set holds at once, and no other changes",
        "KIP-339", CHECK_CORE, 0,
        {CHECK_NEED(INCREMENTAL_ALTER_CONFIGS, 0), CHECK_NEED(DESCRIBE_CONFIGS, 1)},
        configs_incremental_set},
    {"admin.configs_incremental_delete", "a config that is deleted has its default again",
        "KIP-339", 0, 0,
        {CHECK_NEED(INCREMENTAL_ALTER_CONFIGS, 0), CHECK_NEED(DESCRIBE_CONFIGS, 1)},
        configs_incremental_delete},
    {"admin.configs_append_subtract", "lists are appended to and subtracted from, nothing twice",
        "KIP-339", 0, 0,
        {CHECK_NEED(INCREMENTAL_ALTER_CONFIGS, 0), CHECK_NEED(DESCRIBE_CONFIGS, 1)},
        configs_append_subtract},
    {"admin.configs_refused", "a bad value is 40, a key twice is 42, and nothing changes",
        "ConfigAdminManager", 0, 0,
        {CHECK_NEED(INCREMENTAL_ALTER_CONFIGS, 0), CHECK_NEED(DESCRIBE_CONFIGS, 1)},
        configs_refused},
};

const struct check_table c_admin_table = CHECK_TABLE("admin", checks);
