#include "cli/top_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_sizes.h"
#include "cli/top_worker.h"
#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/cluster.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "mirror/selection.h"

#define GROUPS_MAX 500 /* whose offsets are asked for in one round */

#define ROUNDS_PER_SIZES 5 /* brokers walk through all their segments for them */

struct top_poll {
    struct top_worker *worker;
    bool fresh; /* this and newest are under the worker's lock */
    int64_t interval_ms;
    const struct conf_client *from;
    const struct conf_client *to;
    struct top_model newest;
};

/* The clusters of a thread, and what they said. */
struct asker {
    struct env env;
    struct loop *loop;
    struct cluster *from;
    struct cluster *to;
    struct selection selection;
    int64_t rounds; /* that went well */
};

static enum rc
asker_init(
    struct asker *a, const struct conf_client *from, const struct conf_client *to, struct err *e)
{
    enum rc rc;

    memset(a, 0, sizeof *a);
    env_init_real(&a->env);
    rc = loop_new(&a->loop, e);
    if (rc == RC_OK)
        rc = cluster_new(a->loop, from, &a->from, e);
    if (rc == RC_OK && to != NULL)
        rc = cluster_new(a->loop, to, &a->to, e);
    return rc;
}

static void
asker_fini(struct asker *a)
{
    cluster_free(a->from);
    cluster_free(a->to);
    loop_free(a->loop);
}

static char *
text_dup(struct wire_string text)
{
    return text.size < 0 ? xstrdup("") : xmemdup(text.data, (size_t)text.size);
}

static void
address_write(char out[TOP_MODEL_TEXT], const struct conf_client *client)
{
    if (client == NULL || client->server_count == 0)
        snprintf(out, TOP_MODEL_TEXT, "%s", "");
    else
        snprintf(out, TOP_MODEL_TEXT, "%s:%u", client->servers[0].host,
            (unsigned)client->servers[0].port);
}

static void
topics_fill(const struct asker *a, struct top_model *model)
{
    const struct selection *s = &a->selection;

    model->topics = xcalloc(s->topic_count, sizeof *model->topics);
    model->topic_count = (int32_t)s->topic_count;
    model->partitions = (int32_t)s->partition_count;
    for (uint32_t i = 0; i < s->topic_count; i++) {
        model->topics[i].name = xstrdup(s->topics[i].name);
        model->topics[i].partitions = s->topics[i].partition_count;
        model->topics[i].size.bytes = model->topics[i].target_size.bytes = -1;
    }
    for (uint32_t i = 0; i < s->partition_count; i++) {
        struct top_topic *topic = &model->topics[s->partitions[i].topic];

        topic->end += s->partitions[i].end_offset;
        topic->records += s->partitions[i].end_offset - s->partitions[i].log_start_offset;
        model->records += s->partitions[i].end_offset - s->partitions[i].log_start_offset;
    }
}

/* The sizes of the model's topics, as the cluster of the selection stores them. */
static void
sizes_fill(struct cluster *cluster, const struct selection *selection, struct top_model *model,
    bool of_target)
{
    int64_t *bytes = top_sizes_ask(cluster, selection);

    for (int32_t i = 0; i < model->topic_count; i++) {
        struct top_topic *topic = &model->topics[i];
        struct wire_string name = {topic->name, (int32_t)strlen(topic->name)};
        struct top_size size = {0, 0};

        for (int32_t k = 0; k < topic->partitions && size.bytes >= 0; k++) {
            uint32_t number = selection_find(selection, name, k);

            if (number == UINT32_MAX || bytes[number] < 0) {
                size.bytes = -1;
            } else {
                size.bytes += bytes[number];
                size.log_start += selection->partitions[number].log_start_offset;
            }
        }
        *(of_target ? &topic->target_size : &topic->size) = size;
    }
    free(bytes);
}

static void
target_topic_add(const struct selection *from, const struct selection_topic *topic,
    const struct selection *target, struct top_topic *out)
{
    struct wire_string name = {topic->name, (int32_t)strlen(topic->name)};

    for (int32_t k = 0; k < topic->partition_count; k++) {
        const struct selection_partition *source = &from->partitions[topic->first + (uint32_t)k];
        uint32_t number = selection_find(target, name, k);
        int64_t end =
            number == UINT32_MAX ? source->log_start_offset : target->partitions[number].end_offset;

        out->mirrored |= number != UINT32_MAX;
        out->lag += source->end_offset > end ? source->end_offset - end : 0;
    }
}

/* What the target has of each topic. Where it does not answer the round is good for the source. */
static void
target_fill(struct asker *a, bool with_sizes, struct top_model *model)
{
    struct selection target;
    struct err e;
    enum rc rc = selection_init(&target, a->to, "*", &e);

    if (rc == RC_OK)
        rc = selection_offsets(&target, a->to, &e);
    model->target_answered = rc == RC_OK || rc == RC_NOTFOUND;
    if (!model->target_answered)
        snprintf(model->error, sizeof model->error, "target: %.240s", e.text);
    /* A target without topics lacks everything. */
    for (uint32_t i = 0; model->target_answered && i < a->selection.topic_count; i++) {
        target_topic_add(&a->selection, &a->selection.topics[i], &target, &model->topics[i]);
        model->mirror_lag += model->topics[i].mirrored ? model->topics[i].lag : 0;
    }
    if (rc == RC_OK && with_sizes)
        sizes_fill(a->to, &target, model, true);
    selection_fini(&target);
}

/* The lag of one group over what it has committed. */
static void
group_lag(struct asker *a, struct top_group *group)
{
    static const struct wire_range versions = {8, 9};
    struct cluster_target target = {CLUSTER_GROUP, group->name, 0};
    struct km_offset_fetch_request_group ask;
    struct km_offset_fetch_request request;
    const struct km_offset_fetch_response *response;
    struct conn_reply *reply;
    struct err e;

    codec_init(&km_offset_fetch_request_desc, &request);
    codec_init(&km_offset_fetch_request_group_desc, &ask);
    ask.group_id = codec_string(group->name);
    ask.topics.count = -1;
    request.groups.items = &ask;
    request.groups.count = 1;
    group->lag = -1;
    if (cluster_call(a->from, &target, frame_api(KM_OFFSET_FETCH), &versions, &request, 0, &reply,
            &e) != RC_OK)
        return;
    response = reply->response;
    for (int32_t i = 0; response->groups.count == 1 && i < response->groups.items[0].topics.count;
         i++) {
        const struct km_offset_fetch_response_topics *topic =
            &response->groups.items[0].topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            uint32_t number = selection_find(
                &a->selection, topic->name, topic->partitions.items[k].partition_index);
            int64_t lag;

            if (number == UINT32_MAX || topic->partitions.items[k].committed_offset < 0)
                continue;
            lag = a->selection.partitions[number].end_offset -
                  topic->partitions.items[k].committed_offset;
            group->lag = (group->lag < 0 ? 0 : group->lag) + (lag > 0 ? lag : 0);
            group->partitions++;
        }
    }
    conn_reply_unref(reply);
}

/* Each broker lists the groups that it coordinates. */
static enum rc
groups_fill(struct asker *a, struct top_model *model, struct err *e)
{
    const struct cluster_broker *broker;
    size_t position = 0;
    enum rc rc = RC_OK;

    while (rc == RC_OK &&
           (broker = cluster_map_next_broker(cluster_view(a->from), &position)) != NULL) {
        struct cluster_target target = {CLUSTER_BROKER, NULL, broker->id};
        const struct km_list_groups_response *response;
        struct km_list_groups_request request;
        struct conn_reply *reply;

        codec_init(&km_list_groups_request_desc, &request);
        rc =
            cluster_call(a->from, &target, frame_api(KM_LIST_GROUPS), NULL, &request, 0, &reply, e);
        if (rc != RC_OK)
            break;
        response = reply->response;
        model->groups = xrealloc(model->groups,
            (size_t)model->group_count + (size_t)response->groups.count, sizeof *model->groups);
        for (int32_t i = 0; i < response->groups.count; i++)
            model->groups[model->group_count++] =
                (struct top_group){.name = text_dup(response->groups.items[i].group_id),
                    .state = text_dup(response->groups.items[i].group_state),
                    .type = text_dup(response->groups.items[i].group_type),
                    .lag = -1};
        conn_reply_unref(reply);
    }
    for (int32_t i = 0; rc == RC_OK && i < model->group_count && i < GROUPS_MAX; i++)
        group_lag(a, &model->groups[i]);
    return rc;
}

static enum rc
ask(struct asker *a, struct top_model *model, struct err *e)
{
    bool with_sizes = a->rounds % ROUNDS_PER_SIZES == 0;
    size_t position = 0;
    enum rc rc = selection_init(&a->selection, a->from, "*", e);

    /* A cluster without topics is no error here. */
    if (rc == RC_NOTFOUND)
        rc = RC_OK;
    else if (rc == RC_OK)
        rc = selection_offsets(&a->selection, a->from, e);
    model->asked_wall_ms = env_wall_ms(&a->env);
    model->asked_ms = env_now_ms(&a->env);
    if (rc == RC_OK) {
        topics_fill(a, model);
        snprintf(model->cluster_id, sizeof model->cluster_id, "%s",
            cluster_view(a->from)->cluster_id == NULL ? "" : cluster_view(a->from)->cluster_id);
        while (cluster_map_next_broker(cluster_view(a->from), &position) != NULL)
            model->brokers++;
        if (with_sizes) {
            model->sized_ms = model->asked_ms;
            sizes_fill(a->from, &a->selection, model, false);
        }
        rc = groups_fill(a, model, e);
    }
    if (rc == RC_OK && a->to != NULL)
        target_fill(a, with_sizes, model);
    a->rounds += rc == RC_OK;
    selection_fini(&a->selection);
    return rc;
}

/* Asks once more and makes `model`, which holds the round before, the newest one. */
static enum rc
round_add(struct asker *a, struct top_model *model, struct err *e)
{
    struct top_model now;
    enum rc rc;

    memset(&now, 0, sizeof now);
    memcpy(now.from, model->from, sizeof now.from);
    memcpy(now.to, model->to, sizeof now.to);
    rc = ask(a, &now, e);
    if (rc == RC_OK) {
        top_model_rates(&now, model);
        top_model_move(model, &now);
    }
    top_model_fini(&now);
    return rc;
}

static void
time_is_up(void *arg)
{
    *(bool *)arg = true;
}

static void
wait_for(struct loop *loop, int64_t ms)
{
    struct loop_timer timer = {0};
    bool over = false;

    loop_timer_set(loop, &timer, loop_now_us(loop) + ms * 1000, time_is_up, &over);
    while (!over)
        loop_step(loop, -1);
}

enum rc
top_poll_once(const struct conf_client *from, const struct conf_client *to, int64_t interval_ms,
    struct top_model *model, struct err *e)
{
    struct asker asker;
    enum rc rc;

    memset(model, 0, sizeof *model);
    address_write(model->from, from);
    address_write(model->to, to);
    rc = asker_init(&asker, from, to, e);
    if (rc == RC_OK)
        rc = round_add(&asker, model, e);
    if (rc == RC_OK && interval_ms > 0) {
        wait_for(asker.loop, interval_ms);
        asker.rounds = 0; /* sizes again */
        rc = round_add(&asker, model, e);
    }
    asker_fini(&asker);
    return rc;
}

/* Puts a round's result where top_poll_take finds it. */
static void
leave(struct top_poll *poll, struct top_worker *worker, struct top_model *model, enum rc rc,
    const struct err *e)
{
    top_worker_lock(worker);
    if (rc == RC_OK) {
        top_model_rates(model, &poll->newest);
        top_model_move(&poll->newest, model);
    } else {
        snprintf(poll->newest.error, sizeof poll->newest.error, "%.250s", e->text);
        address_write(poll->newest.from, poll->from);
        address_write(poll->newest.to, poll->to);
        top_model_fini(model);
    }
    poll->fresh = true;
    top_worker_unlock(worker);
}

static void
poll_main(void *arg, struct top_worker *worker)
{
    struct top_poll *poll = arg;
    struct asker asker;
    struct err e;
    enum rc rc = asker_init(&asker, poll->from, poll->to, &e);
    bool usable = rc == RC_OK;

    do {
        struct top_model model;

        memset(&model, 0, sizeof model);
        address_write(model.from, poll->from);
        address_write(model.to, poll->to);
        if (usable)
            rc = ask(&asker, &model, &e);
        leave(poll, worker, &model, rc, &e);
    } while (top_worker_pause(worker, poll->interval_ms));
    asker_fini(&asker);
}

struct top_poll *
top_poll_start(const struct conf_client *from, const struct conf_client *to, int64_t interval_ms)
{
    struct top_poll *poll = xcalloc(1, sizeof *poll);

    poll->from = from;
    poll->to = to;
    poll->interval_ms = interval_ms;
    poll->worker = top_worker_start(poll_main, poll);
    return poll;
}

bool
top_poll_stop(struct top_poll *poll, int64_t patience_ms)
{
    if (!top_worker_stop(poll->worker, patience_ms))
        return false;
    top_model_fini(&poll->newest);
    free(poll);
    return true;
}

bool
top_poll_take(struct top_poll *poll, struct top_model *model)
{
    bool fresh;

    top_worker_lock(poll->worker);
    fresh = poll->fresh;
    poll->fresh = false;
    if (fresh) {
        /* The poller needs the newest one for its rates, so the taker gets a copy. */
        top_model_fini(model);
        top_model_copy(model, &poll->newest);
    }
    top_worker_unlock(poll->worker);
    return fresh;
}
