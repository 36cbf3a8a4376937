/*
 * CreateTopics and DeleteTopics (ControllerApis, ReplicationControlManager).
 *
 * Every topic of a request has its own outcome. validate_only answers without making anything. A
 * topic that is named twice in one request is refused once with 42.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/quota_gate.h"
#include "refbroker/broker.h"
#include "refbroker/log/append.h"
#include "refbroker/meta/broker_configs.h"
#include "refbroker/meta/create.h"
#include "refbroker/meta/remove.h"

/* The versions from which on a request above the quota is refused (KIP-599). */
#define CREATE_STRICT_SINCE 6
#define DELETE_STRICT_SINCE 5

typedef struct km_create_topics_request_creatable_topic create_in;
typedef struct km_create_topics_response_creatable_topic_result create_out;

/* A request that waits for the catalog; the connection may go away first. */
struct park {
    struct request *request; /* NULL once it is gone */
    int32_t index[];         /* of each submitted topic in the answer */
};

static char *
text_dup(struct wire_string text)
{
    return text.size < 0 ? NULL : xmemdup(text.data, (size_t)text.size);
}

static void
names_note(struct doubled *names, const struct km_create_topics_request *in)
{
    doubled_init(names);
    for (int32_t i = 0; i < in->topics.count; i++)
        doubled_note(names, in->topics.items[i].name.data, (size_t)in->topics.items[i].name.size);
}

/* Names that come more than once are refused once each, behind the others; returns how many. */
static int32_t
doubled_tell(
    const struct km_create_topics_request *in, const struct doubled *names, create_out *out)
{
    struct doubled told;
    int32_t count = 0;

    doubled_init(&told);
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].name;

        if (!doubled_is(names, name.data, (size_t)name.size))
            continue;
        doubled_note(&told, name.data, (size_t)name.size);
        if (doubled_is(&told, name.data, (size_t)name.size))
            continue;
        out[count].name = name;
        out[count].error_code = KE_INVALID_REQUEST;
        out[count++].error_message = request_text("Duplicate topic name.");
    }
    doubled_fini(&told);
    return count;
}

static void
topic_read(struct request *request, const create_in *in, struct create_topic *topic)
{
    struct create_assignment *assignments =
        arena_array(&request->arena, (size_t)in->assignments.count, sizeof *assignments);

    topic->name = text_dup(in->name);
    topic->partitions = in->num_partitions;
    topic->replication_factor = in->replication_factor;
    topic->configs = xcalloc((size_t)in->configs.count, sizeof *topic->configs);
    topic->config_count = (size_t)in->configs.count;
    for (size_t i = 0; i < topic->config_count; i++) {
        topic->configs[i].name = text_dup(in->configs.items[i].name);
        topic->configs[i].value = text_dup(in->configs.items[i].value);
    }
    for (int32_t i = 0; assignments != NULL && i < in->assignments.count; i++)
        assignments[i] = (struct create_assignment){in->assignments.items[i].partition_index,
            in->assignments.items[i].broker_ids.items, in->assignments.items[i].broker_ids.count};
    topic->assignments = assignments;
    topic->assignment_count = assignments == NULL ? 0 : (size_t)in->assignments.count;
}

/* Who says what a topic has that sets nothing of its own. */
static int8_t
default_source(const struct broker *broker, const struct topic_config_row *row)
{
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX];

    if (row->broker_name == NULL || broker_configs_values(broker, row->broker_name, values) == 0)
        return CONFIG_SOURCE_DEFAULT;
    return (int8_t)values[0].source;
}

/* The last value that the request sets, NULL where it sets none. */
static const char *
text_set(const struct create_topic *topic, const char *name)
{
    for (size_t i = topic->config_count; i-- > 0;)
        if (strcmp(topic->configs[i].name, name) == 0)
            return topic->configs[i].value;
    return NULL;
}

static bool
configs_answer(const struct broker *broker, struct request *request,
    const struct create_topic *topic, create_out *out)
{
    size_t count;
    int32_t shown = 0;
    const struct topic_config_row *rows = topic_configs_rows(&count);
    struct km_create_topics_response_creatable_topic_configs *items = codec_array(
        &request->arena, &km_create_topics_response_creatable_topic_configs_desc, (int32_t)count);

    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *set = text_set(topic, rows[i].def.name);

        if (rows[i].effect == TOPIC_CONFIG_HIDDEN && set == NULL)
            continue;
        items[shown++] = (struct km_create_topics_response_creatable_topic_configs){
            .name = request_text(rows[i].def.name),
            .value = request_text_dup(request,
                set != NULL ? set : topic_configs_defaults_get(&broker->topics.defaults, &rows[i])),
            .config_source =
                set != NULL ? (int8_t)CONFIG_SOURCE_TOPIC : default_source(broker, &rows[i])};
    }
    out->configs.items = items;
    out->configs.count = shown;
    return true;
}

static void
topic_answer(const struct broker *broker, struct request *request, const struct create_topic *topic,
    create_out *out)
{
    out->error_code = topic->error;
    out->error_message =
        *topic->text == '\0' ? request_text(NULL) : request_text_dup(request, topic->text);
    if (topic->error != 0)
        return;
    out->topic_id = topic->topic_id;
    out->num_partitions = topic->partitions;
    out->replication_factor = topic->replication_factor;
    /* Without room for it the arena is full, and dispatch sees that. */
    if (request->header.api_version >= 5)
        (void)configs_answer(broker, request, topic, out);
}

static void
created(struct broker *broker, void *arg, struct create_topic *topics, size_t count)
{
    struct park *park = arg;
    struct request *request = park->request;

    if (request != NULL) {
        struct km_create_topics_response *out = request->out;

        for (size_t i = 0; i < count; i++)
            topic_answer(broker, request, &topics[i], &out->topics.items[park->index[i]]);
        broker_finish(broker, request);
    }
    free(park);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct park *)request->park)->request = NULL;
}

/* Refuses a topic for which the client's quota has no room. */
static void
quota_check(struct broker *broker, struct request *request, struct create_topic *topic)
{
    if (topic->error != KE_NONE ||
        quota_gate_mutate(broker, request, topic->partitions, CREATE_STRICT_SINCE))
        return;
    topic->error = KE_THROTTLING_QUOTA_EXCEEDED;
    topic->text[0] = '\0';
}

enum h_result
h_create_topics(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_create_topics_request *in = in_;
    struct km_create_topics_response *out = out_;
    struct create_topic *topics;
    struct doubled names;
    struct park *park;
    size_t accepted = 0;
    int32_t told = 0;

    out->topics.items = codec_array(
        &request->arena, &km_create_topics_response_creatable_topic_result_desc, in->topics.count);
    if (out->topics.items == NULL)
        return H_CLOSE;
    topics = xcalloc((size_t)in->topics.count, sizeof *topics);
    park = xcalloc(1, sizeof *park + (size_t)in->topics.count * sizeof park->index[0]);
    names_note(&names, in);
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct create_topic *topic = &topics[accepted];
        struct wire_string name = in->topics.items[i].name;

        if (doubled_is(&names, name.data, (size_t)name.size))
            continue;
        out->topics.items[told].name = name;
        topic_read(request, &in->topics.items[i], topic);
        create_check(broker, topic);
        quota_check(broker, request, topic);
        park->index[accepted++] = told;
        if (topic->error != 0 || in->validate_only)
            topic_answer(broker, request, topic, &out->topics.items[told]);
        told++;
    }
    out->topics.count = told + doubled_tell(in, &names, &out->topics.items[told]);
    doubled_fini(&names);
    if (in->validate_only || accepted == 0) {
        create_topics_free(topics, accepted);
        free(park);
        return H_DONE;
    }
    park->request = request;
    request->park = park;
    request->on_drop = dropped;
    create_submit(broker, topics, accepted, created, park);
    return H_PARK;
}

/* --- DeleteTopics ---------------------------------------------------------------------------- */

typedef struct km_delete_topics_response_deletable_topic_result delete_out;

static struct topic *
topic_named(struct broker *broker, struct wire_string name, delete_out *out)
{
    struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);

    out->name = name;
    if (topic == NULL) {
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        out->error_message = request_text(TOPICS_UNKNOWN_WHY);
    }
    return topic;
}

static struct topic *
topic_by_state(struct broker *broker, struct request *request,
    const struct km_delete_topics_request_delete_topic_state *in, delete_out *out)
{
    static const struct wire_uuid zero;
    struct topic *topic;

    if (in->name.size >= 0)
        return topic_named(broker, in->name, out);
    if (memcmp(&in->topic_id, &zero, sizeof zero) == 0) {
        out->name = request_text(NULL);
        out->error_code = KE_INVALID_REQUEST;
        out->error_message = request_text("Neither topic name nor id were specified.");
        return NULL;
    }
    topic = topics_find_id(&broker->topics, &in->topic_id);
    out->topic_id = in->topic_id;
    out->name = request_text(NULL);
    if (topic == NULL) {
        out->error_code = KE_UNKNOWN_TOPIC_ID;
        out->error_message = request_text("This server does not host this topic ID.");
        return NULL;
    }
    out->name = request_text_dup(request, topic->name);
    return topic;
}

static void
deleted(struct broker *broker, void *arg, const struct err *e)
{
    struct park *park = arg;
    struct request *request = park->request;

    if (request != NULL) {
        struct km_delete_topics_response *out = request->out;

        for (int32_t i = 0; e->code != RC_OK && i < out->responses.count; i++)
            if (out->responses.items[i].error_code == 0)
                out->responses.items[i].error_code = KE_KAFKA_STORAGE_ERROR;
        broker_finish(broker, request);
    }
    free(park);
}

enum h_result
h_delete_topics(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_delete_topics_request *in = in_;
    struct km_delete_topics_response *out = out_;
    bool by_state = request->header.api_version >= 6;
    int32_t count = by_state ? in->topics.count : in->topic_names.count;
    struct wire_uuid *ids = xcalloc((size_t)count, sizeof *ids);
    size_t found = 0;
    struct park *park;

    out->responses.items =
        codec_array(&request->arena, &km_delete_topics_response_deletable_topic_result_desc, count);
    if (out->responses.items == NULL) {
        free(ids);
        return H_CLOSE;
    }
    out->responses.count = count;
    for (int32_t i = 0; i < count; i++) {
        delete_out *result = &out->responses.items[i];
        struct topic *topic = by_state
                                  ? topic_by_state(broker, request, &in->topics.items[i], result)
                                  : topic_named(broker, in->topic_names.items[i], result);

        if (topic == NULL)
            continue;
        if (!quota_gate_mutate(broker, request, topic->partition_count, DELETE_STRICT_SINCE)) {
            result->error_code = KE_THROTTLING_QUOTA_EXCEEDED;
            continue;
        }
        result->topic_id = topic->topic_id;
        ids[found++] = topic->topic_id;
    }
    if (found == 0) {
        free(ids);
        return H_DONE;
    }
    park = xcalloc(1, sizeof *park);
    park->request = request;
    request->park = park;
    request->on_drop = dropped;
    remove_submit(broker, ids, found, deleted, park);
    return H_PARK;
}
