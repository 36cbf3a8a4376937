/*
 * DeleteShareGroupOffsets (KIP-932), as GroupCoordinatorService answers it: a share group forgets
 * how far it is with topics.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/share_gate.h"
#include "refbroker/coord/share_delete.h"
#include "refbroker/coord/share_records.h"

#define NOTHING_WHY "There is no offset information to delete." /* Kafka's */

typedef struct km_delete_share_group_offsets_request delete_in;
typedef struct km_delete_share_group_offsets_response delete_out;
typedef struct km_delete_share_group_offsets_response_topic delete_topic;

static void
delete_refuse(struct request *request, int16_t error, const char *text)
{
    delete_out *out = request->out;

    codec_init(&km_delete_share_group_offsets_response_desc, out);
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static void
delete_failed(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    delete_refuse(request, error, kerr_meaning(error));
}

/* A deletion that waits for the share coordinator: the topics of its calls, with an error each. */
struct topic_deletion {
    struct wire_uuid topic_id;
    int16_t error;
};

struct deletion {
    struct group_answer *answer;
    struct topic_deletion *topics;
    size_t count;
};

/* Puts in what became of a topic that was asked for. */
static void
topic_tell(struct groups *groups, struct request *request, const struct topic_deletion *topic)
{
    const struct topic *known = topics_find_id(&groups->broker->topics, &topic->topic_id);
    delete_out *out = request->out;
    delete_topic *to = &out->responses.items[out->responses.count++];

    to->topic_id = topic->topic_id;
    to->topic_name = request_text_dup(request, known == NULL ? "" : known->name);
    to->error_code = topic->error;
    if (topic->error != KE_NONE)
        to->error_message = request_text_dup(request, kerr_meaning(topic->error));
}

/* Kafka tells what was deleted, then what was refused, then what failed. */
static void
delete_tell(struct groups *groups, struct request *request, const struct deletion *deletion)
{
    delete_out *out = request->out;
    int32_t refused = out->responses.count;
    delete_topic *refusals = arena_dup(
        &request->arena, out->responses.items, (size_t)refused * sizeof *out->responses.items);

    if (refusals == NULL)
        return;
    out->responses.count = 0;
    for (size_t i = 0; i < deletion->count; i++)
        if (deletion->topics[i].error == KE_NONE)
            topic_tell(groups, request, &deletion->topics[i]);
    for (int32_t i = 0; i < refused; i++)
        out->responses.items[out->responses.count++] = refusals[i];
    for (size_t i = 0; i < deletion->count; i++)
        if (deletion->topics[i].error != KE_NONE)
            topic_tell(groups, request, &deletion->topics[i]);
}

/* The calls are in the order of the topics. */
static void
errors_collect(struct deletion *deletion, const struct share_calls *calls)
{
    size_t topic = 0;

    for (size_t i = 0; i < calls->count; i++) {
        while (memcmp(&deletion->topics[topic].topic_id, &calls->items[i].topic_id,
                   sizeof(struct wire_uuid)) != 0)
            topic++;
        if (deletion->topics[topic].error == KE_NONE)
            deletion->topics[topic].error = calls->items[i].error;
    }
}

/* Records what was deleted, of a group that is still there. */
static void
delete_complete(struct share_group *share, const struct deletion *deletion)
{
    struct group_records records;
    bool any = false;

    for (size_t i = 0; i < deletion->count; i++) {
        if (deletion->topics[i].error != KE_NONE)
            continue;
        share_delete_complete(share, &deletion->topics[i].topic_id);
        any = true;
    }
    if (!any)
        return;
    group_records_init(&records);
    share_records_stages(&records, share);
    group_answer_add(deletion->answer, share->group->group_id, 0, &records);
    group_records_fini(&records);
}

static void
delete_finish(struct groups *groups, struct share_calls *calls)
{
    struct group *group = groups_find(groups, request_text(calls->group_id));
    struct deletion *deletion = calls->arg;
    struct request *request = group_answer_request(deletion->answer);

    errors_collect(deletion, calls);
    if (group != NULL && group->share != NULL)
        delete_complete(group->share, deletion);
    if (request != NULL)
        delete_tell(groups, request, deletion);
    group_answer_release(deletion->answer);
    free(deletion->topics);
    free(deletion);
}

/* Adds calls for a topic, or says why there is nothing to delete. */
static void
topic_delete(struct broker *broker, struct share_group *share, struct request *request,
    struct wire_string name, struct deletion *deletion, struct share_calls *calls)
{
    const struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);
    delete_out *out = request->out;
    delete_topic *to;

    if (topic != NULL && share_delete_topic(share, topic, calls)) {
        deletion->topics[deletion->count++].topic_id = topic->topic_id;
        return;
    }
    to = &out->responses.items[out->responses.count++];
    to->topic_name = name;
    to->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
    to->error_message = request_text(topic == NULL ? TOPICS_UNKNOWN_WHY : NOTHING_WHY);
}

static enum h_result
delete_take(
    struct broker *broker, struct request *request, struct group *group, const delete_in *in)
{
    struct deletion *deletion = xcalloc(1, sizeof *deletion);
    struct share_calls *calls = share_calls_new(group, SHARE_CALLS_DELETE, delete_finish, deletion);
    struct group_answer *answer = group_answer_begin(broker->groups, request, delete_failed);
    struct group_records records;

    deletion->answer = answer;
    deletion->topics = xcalloc((size_t)in->topics.count + 1, sizeof *deletion->topics);
    for (int32_t i = 0; i < in->topics.count; i++)
        topic_delete(
            broker, group->share, request, in->topics.items[i].topic_name, deletion, calls);
    group_records_init(&records);
    share_records_stages(&records, group->share);
    group_answer_add(answer, group->group_id, 0, &records);
    group_records_fini(&records);
    group_answer_hold(answer);
    share_calls_send(calls);
    return group_answer_end(answer);
}

enum h_result
h_delete_share_group_offsets(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const delete_in *in = in_;
    delete_out *out = out_;
    struct group *group;
    int16_t error;
    struct err e;

    err_clear(&e);
    error = share_gate_check(broker, in->group_id, false, &e);
    if (error != KE_NONE) {
        delete_refuse(request, error, e.text);
        return H_DONE;
    }
    out->responses.items = codec_array(
        &request->arena, &km_delete_share_group_offsets_response_topic_desc, in->topics.count);
    if (out->responses.items == NULL)
        return H_CLOSE;
    group = groups_find(broker->groups, in->group_id);
    /* A group that has never begun anything has nothing to say of any topic. */
    return group->share->stages.exists ? delete_take(broker, request, group, in) : H_DONE;
}
