/*
 * DescribeShareGroupOffsets and AlterShareGroupOffsets (KIP-932, KIP-1226), as KafkaApis and
 * GroupCoordinatorService answer them: where a share group's partitions begin, as the share
 * coordinator has it.
 */
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/share_gate.h"
#include "refbroker/coord/group_answer.h"
#include "refbroker/coord/share_initialize.h"
#include "refbroker/coord/share_records.h"

/* --- DescribeShareGroupOffsets -------------------------------------------------------------------
 */

typedef struct km_describe_share_group_offsets_request_group describe_in;
typedef struct km_describe_share_group_offsets_response_group describe_out;
typedef struct km_describe_share_group_offsets_response_topic describe_topic;
typedef struct km_describe_share_group_offsets_response_partition describe_partition;

#define LAG_UNKNOWN (-1)

/* What a partition has before its end that is not done yet. */
static int64_t
lag_of(const struct share_state *state, const struct partition *partition)
{
    if (partition == NULL || state->start_offset == SHARE_OFFSET_UNKNOWN ||
        state->delivery_complete_count < 0)
        return LAG_UNKNOWN;
    return partition->high_watermark - state->start_offset - state->delivery_complete_count;
}

static void
partition_describe(struct broker *broker, const char *group_id, struct topic *topic, int32_t index,
    describe_partition *out)
{
    struct share_key key = {group_id, {{0}}, index};
    const struct share_state *state = NULL;

    if (topic != NULL) {
        key.topic_id = topic->topic_id;
        state = share_states_find(broker->share_states, &key);
    }
    out->partition_index = index;
    out->start_offset = state == NULL ? SHARE_OFFSET_UNKNOWN : state->start_offset;
    out->leader_epoch = state == NULL ? 0 : state->leader_epoch;
    out->lag = state == NULL ? LAG_UNKNOWN : lag_of(state, topics_partition(topic, index));
}

static bool
topic_describe(struct broker *broker, struct request *request, const char *group_id,
    struct wire_string name, const int32_t *partitions, int32_t count, describe_topic *out)
{
    struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);

    out->topic_name = name;
    if (topic != NULL)
        out->topic_id = topic->topic_id;
    out->partitions.items = codec_array(
        &request->arena, &km_describe_share_group_offsets_response_partition_desc, count);
    if (out->partitions.items == NULL)
        return false;
    out->partitions.count = count;
    for (int32_t i = 0; i < count; i++)
        partition_describe(broker, group_id, topic, partitions[i], &out->partitions.items[i]);
    return true;
}

static bool
topics_make(struct request *request, int32_t count, describe_out *out)
{
    out->topics.items =
        codec_array(&request->arena, &km_describe_share_group_offsets_response_topic_desc, count);
    return out->topics.items != NULL;
}

/* Kafka's share coordinator has nothing for a group without a name, and fails. */
static bool
is_nameless(const struct broker *broker, const describe_in *in)
{
    bool known = false;

    for (int32_t i = 0; i < in->topics.count; i++)
        known = known || topics_find(&broker->topics, in->topics.items[i].topic_name.data,
                             (size_t)in->topics.items[i].topic_name.size) != NULL;
    return known && in->group_id.size == 0;
}

/* Topics that are not there come behind the others. */
static bool
some_describe(struct broker *broker, struct request *request, const char *group_id,
    const describe_in *in, describe_out *out)
{
    if (is_nameless(broker, in)) {
        out->error_code = KE_UNKNOWN_SERVER_ERROR;
        out->error_message = request_text(SHARE_STATES_UNEXPECTED_WHY);
        return true;
    }
    if (!topics_make(request, in->topics.count, out))
        return false;
    for (int known = 1; known >= 0; known--)
        for (int32_t i = 0; i < in->topics.count; i++) {
            struct wire_string name = in->topics.items[i].topic_name;

            if ((topics_find(&broker->topics, name.data, (size_t)name.size) != NULL) == known &&
                !topic_describe(broker, request, group_id, name,
                    in->topics.items[i].partitions.items, in->topics.items[i].partitions.count,
                    &out->topics.items[out->topics.count++]))
                return false;
        }
    return true;
}

/* What is initialised. */
static bool
all_describe(
    struct broker *broker, struct request *request, const struct group *group, describe_out *out)
{
    const struct share_topics *topics;

    if (!groups_exist(broker->groups)) {
        out->error_code = KE_NOT_COORDINATOR;
        out->error_message = request_text("This is not the correct coordinator.");
        return true;
    }
    if (group == NULL || group->share == NULL)
        return true;
    topics = &group->share->stages.initialized;
    if (!topics_make(request, (int32_t)topics->count, out))
        return false;
    for (size_t i = 0; i < topics->count; i++) {
        const struct share_topic *from = &topics->items[i];
        const struct topic *topic = topics_find_id(&broker->topics, &from->topic_id);

        if (topic != NULL && !topic_describe(broker, request, group->group_id,
                                 request_text_dup(request, topic->name), from->partitions,
                                 from->partition_count, &out->topics.items[out->topics.count++]))
            return false;
    }
    return true;
}

enum h_result
h_describe_share_group_offsets(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_share_group_offsets_request *in = in_;
    struct km_describe_share_group_offsets_response *out = out_;

    out->groups.items = codec_array(
        &request->arena, &km_describe_share_group_offsets_response_group_desc, in->groups.count);
    if (out->groups.items == NULL)
        return H_CLOSE;
    out->groups.count = in->groups.count;
    for (int32_t i = 0; i < in->groups.count; i++) {
        const struct group *group = groups_find(broker->groups, in->groups.items[i].group_id);
        describe_out *result = &out->groups.items[i];
        bool fits = true;

        result->group_id = in->groups.items[i].group_id;
        /* States of a group that is not there are not there either. */
        if (!features_share_groups(&broker->features))
            result->error_code = KE_UNSUPPORTED_VERSION;
        else if (in->groups.items[i].topics.count < 0)
            fits = all_describe(broker, request, group, result);
        else
            fits = some_describe(broker, request, group == NULL ? "" : group->group_id,
                &in->groups.items[i], result);
        if (!fits)
            return H_CLOSE;
    }
    return H_DONE;
}

/* --- AlterShareGroupOffsets ----------------------------------------------------------------------
 */

typedef struct km_alter_share_group_offsets_request alter_in;
typedef struct km_alter_share_group_offsets_response alter_out;

static void
alter_refuse(struct request *request, int16_t error, const char *text)
{
    alter_out *out = request->out;

    codec_init(&km_alter_share_group_offsets_response_desc, out);
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static void
alter_failed(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    alter_refuse(request, error, kerr_meaning(error));
}

static bool
alter_shape(struct broker *broker, struct request *request, const alter_in *in, alter_out *out)
{
    out->responses.items = codec_array(
        &request->arena, &km_alter_share_group_offsets_response_topic_desc, in->topics.count);
    if (out->responses.items == NULL)
        return false;
    out->responses.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].topic_name;
        const struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);
        int32_t count = in->topics.items[i].partitions.count;

        out->responses.items[i].topic_name = name;
        if (topic != NULL)
            out->responses.items[i].topic_id = topic->topic_id;
        out->responses.items[i].partitions.items = codec_array(
            &request->arena, &km_alter_share_group_offsets_response_partition_desc, count);
        out->responses.items[i].partitions.count = count;
    }
    return !arena_is_full(&request->arena);
}

/* An alteration that waits for the share coordinator. */
struct alteration {
    struct group_answer *answer;
    struct map
        places; /* the place of a call plus 1, by topic's place in the request and partition */
};

static int64_t
place_key(int32_t topic, int32_t partition)
{
    return (int64_t)topic << 32 | (uint32_t)partition;
}

/* Adds a call for a partition; of one that comes twice the last offset holds. */
static void
offset_add(struct alteration *alteration, struct share_calls *calls, int32_t topic,
    const struct wire_uuid *topic_id, int32_t partition, int64_t start_offset)
{
    int64_t key = place_key(topic, partition);
    size_t place = (size_t)(uintptr_t)map_get_int(&alteration->places, key);

    if (place > 0) {
        calls->items[place - 1].start_offset = start_offset;
        return;
    }
    share_calls_add(calls, topic_id, partition, start_offset);
    map_put_int(&alteration->places, key, (void *)(uintptr_t)calls->count);
}

/* Judges the partitions of a topic that is there, and adds calls for those that are. */
static void
topic_alter(struct alteration *alteration, struct share_calls *calls, struct request *request,
    int32_t place, const struct topic *topic, struct share_topics *begun)
{
    const alter_in *in = request->in;
    alter_out *out = request->out;
    int32_t total = in->topics.items[place].partitions.count, count = 0;
    int32_t *numbers = xcalloc((size_t)total + 1, sizeof *numbers);

    for (int32_t i = 0; i < total; i++) {
        int32_t index = in->topics.items[place].partitions.items[i].partition_index;
        struct km_alter_share_group_offsets_response_partition *to =
            &out->responses.items[place].partitions.items[i];

        to->partition_index = index;
        if (topic != NULL && index >= 0 && index < topic->partition_count) {
            numbers[count++] = index;
            offset_add(alteration, calls, place, &topic->topic_id, index,
                in->topics.items[place].partitions.items[i].start_offset);
        } else {
            to->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
            to->error_message = request_text(TOPICS_UNKNOWN_WHY);
        }
    }
    if (topic != NULL)
        share_topics_add(begun, &topic->topic_id, topic->name, numbers, count);
    free(numbers);
}

/* Where a call failed its partition says so. */
static void
alter_tell(
    struct request *request, const struct alteration *alteration, const struct share_calls *calls)
{
    alter_out *out = request->out;

    for (int32_t i = 0; i < out->responses.count; i++)
        for (int32_t k = 0; k < out->responses.items[i].partitions.count; k++) {
            struct km_alter_share_group_offsets_response_partition *to =
                &out->responses.items[i].partitions.items[k];
            size_t place = (size_t)(uintptr_t)map_get_int(
                &alteration->places, place_key(i, to->partition_index));

            if (place == 0 || to->error_code != KE_NONE)
                continue;
            to->error_code = calls->items[place - 1].error;
            if (to->error_code != KE_NONE)
                to->error_message = request_text_dup(request, kerr_meaning(to->error_code));
        }
}

/* What failed stays begun, and is tried again when somebody joins. */
static void
alter_finish(struct groups *groups, struct share_calls *calls)
{
    struct alteration *alteration = calls->arg;
    struct request *request = group_answer_request(alteration->answer);

    if (share_calls_error(calls) == KE_NONE)
        share_initialize_settle(groups, calls);
    else if (request != NULL)
        alter_tell(request, alteration, calls);
    map_fini(&alteration->places, NULL);
    group_answer_release(alteration->answer);
    free(alteration);
}

/* The group of a request that may make one, where it names a topic that is there. */
static struct group *
group_make(struct broker *broker, const alter_in *in)
{
    struct group *group = groups_find(broker->groups, in->group_id);
    bool any = false;

    for (int32_t i = 0; i < in->topics.count && !any; i++) {
        struct wire_string name = in->topics.items[i].topic_name;

        any = topics_find(&broker->topics, name.data, (size_t)name.size) != NULL;
    }
    if (group != NULL || !any)
        return any ? group : NULL;
    group = groups_make(broker->groups, in->group_id);
    if (group != NULL)
        (void)share_group_attach(group);
    return group;
}

static enum h_result
alter_take(struct broker *broker, struct request *request, struct group *group, const alter_in *in)
{
    struct alteration *alteration = xcalloc(1, sizeof *alteration);
    struct share_calls *calls =
        share_calls_new(group, SHARE_CALLS_INITIALIZE, alter_finish, alteration);
    struct group_answer *answer = group_answer_begin(broker->groups, request, alter_failed);
    struct share_topics begun = {0};
    struct group_records records;

    alteration->answer = answer;
    map_init(&alteration->places);
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].topic_name;

        topic_alter(alteration, calls, request, i,
            topics_find(&broker->topics, name.data, (size_t)name.size), &begun);
    }
    group_records_init(&records);
    share_stages_begin(&group->share->stages, &begun);
    share_records_stages(&records, group->share);
    group_answer_add(answer, group->group_id, 0, &records);
    group_records_fini(&records);
    share_topics_fini(&begun);
    group_answer_hold(answer);
    share_calls_send(calls);
    return group_answer_end(answer);
}

/* Nothing that is named is there. */
static void
unknown_tell(const alter_in *in, alter_out *out)
{
    for (int32_t i = 0; i < in->topics.count; i++)
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            struct km_alter_share_group_offsets_response_partition *to =
                &out->responses.items[i].partitions.items[k];

            to->partition_index = in->topics.items[i].partitions.items[k].partition_index;
            to->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
            to->error_message = request_text(TOPICS_UNKNOWN_WHY);
        }
}

enum h_result
h_alter_share_group_offsets(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const alter_in *in = in_;
    struct group *group;
    int16_t error;
    struct err e;

    err_clear(&e);
    error = share_gate_check(broker, in->group_id, true, &e);
    if (error != KE_NONE) {
        alter_refuse(request, error, e.text);
        return H_DONE;
    }
    if (!alter_shape(broker, request, in, out_))
        return H_CLOSE;
    group = group_make(broker, in);
    if (group != NULL)
        return alter_take(broker, request, group, in);
    unknown_tell(in, out_);
    return H_DONE;
}
