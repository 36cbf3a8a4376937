#include "cli/top_poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/cluster.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "mirror/selection.h"

#define GROUPS_MAX 500 /* whose offsets are asked for in one round */

struct top_poll {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop_asked;
    bool stopping;
    bool fresh;
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
    }
    for (uint32_t i = 0; i < s->partition_count; i++) {
        struct top_topic *topic = &model->topics[s->partitions[i].topic];

        topic->end += s->partitions[i].end_offset;
        topic->records += s->partitions[i].end_offset - s->partitions[i].log_start_offset;
        model->records += s->partitions[i].end_offset - s->partitions[i].log_start_offset;
    }
}

/* What the target has of each topic; topics that it lacks are no error. */
static void
mirror_fill(struct asker *a, struct top_model *model)
{
    for (uint32_t i = 0; i < a->selection.topic_count; i++) {
        struct selection one = a->selection, target;
        struct top_topic *topic = &model->topics[i];
        struct err ignored;

        one.topics = &a->selection.topics[i];
        one.topic_count = 1;
        if (selection_same(&target, a->to, &one, &ignored) != RC_OK)
            continue;
        if (selection_offsets(&target, a->to, &ignored) == RC_OK) {
            topic->mirrored = true;
            for (uint32_t k = 0; k < target.partition_count; k++) {
                int64_t lag = a->selection.partitions[a->selection.topics[i].first + k].end_offset -
                              target.partitions[k].end_offset;

                topic->lag += lag > 0 ? lag : 0;
            }
            model->mirror_lag += topic->lag;
        }
        selection_fini(&target);
    }
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
    ask.group_id = (struct wire_string){group->name, (int32_t)strlen(group->name)};
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
            (size_t)(model->group_count + response->groups.count), sizeof *model->groups);
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
        rc = groups_fill(a, model, e);
    }
    if (rc == RC_OK && a->to != NULL)
        mirror_fill(a, model);
    selection_fini(&a->selection);
    return rc;
}

enum rc
top_poll_once(const struct conf_client *from, const struct conf_client *to, struct top_model *model,
    struct err *e)
{
    struct top_model none;
    struct asker asker;
    enum rc rc;

    memset(model, 0, sizeof *model);
    memset(&none, 0, sizeof none);
    address_write(model->from, from);
    address_write(model->to, to);
    rc = asker_init(&asker, from, to, e);
    if (rc == RC_OK)
        rc = ask(&asker, model, e);
    if (rc == RC_OK)
        top_model_rates(model, &none);
    asker_fini(&asker);
    return rc;
}

/* Puts a round's result where top_poll_take finds it. */
static void
leave(struct top_poll *poll, struct top_model *model, enum rc rc, const struct err *e)
{
    pthread_mutex_lock(&poll->mutex);
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
    pthread_mutex_unlock(&poll->mutex);
}

/* Waits for the next round; false once the poll is to stop. */
static bool
pause_or_stop(struct top_poll *poll)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += poll->interval_ms / 1000;
    until.tv_nsec += poll->interval_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&poll->mutex);
    while (!poll->stopping &&
           pthread_cond_timedwait(&poll->stop_asked, &poll->mutex, &until) != ETIMEDOUT)
        continue;
    stopping = poll->stopping;
    pthread_mutex_unlock(&poll->mutex);
    return !stopping;
}

static void *
poll_main(void *arg)
{
    struct top_poll *poll = arg;
    struct asker asker;
    struct err e;
    enum rc rc = asker_init(&asker, poll->from, poll->to, &e);

    do {
        struct top_model model;

        memset(&model, 0, sizeof model);
        address_write(model.from, poll->from);
        address_write(model.to, poll->to);
        if (asker.from != NULL)
            rc = ask(&asker, &model, &e);
        leave(poll, &model, rc, &e);
    } while (pause_or_stop(poll));
    asker_fini(&asker);
    return NULL;
}

struct top_poll *
top_poll_start(const struct conf_client *from, const struct conf_client *to, int64_t interval_ms)
{
    struct top_poll *poll = xcalloc(1, sizeof *poll);

    poll->from = from;
    poll->to = to;
    poll->interval_ms = interval_ms;
    REQUIRE(pthread_mutex_init(&poll->mutex, NULL) == 0);
    REQUIRE(pthread_cond_init(&poll->stop_asked, NULL) == 0);
    REQUIRE(pthread_create(&poll->thread, NULL, poll_main, poll) == 0);
    return poll;
}

void
top_poll_stop(struct top_poll *poll)
{
    pthread_mutex_lock(&poll->mutex);
    poll->stopping = true;
    pthread_cond_signal(&poll->stop_asked);
    pthread_mutex_unlock(&poll->mutex);
    pthread_join(poll->thread, NULL);
    pthread_cond_destroy(&poll->stop_asked);
    pthread_mutex_destroy(&poll->mutex);
    top_model_fini(&poll->newest);
    free(poll);
}

static struct top_topic *
topics_dup(const struct top_model *model)
{
    struct top_topic *copy = xcalloc((size_t)model->topic_count, sizeof *copy);

    for (int32_t i = 0; i < model->topic_count; i++) {
        copy[i] = model->topics[i];
        copy[i].name = xstrdup(model->topics[i].name);
    }
    return copy;
}

static struct top_group *
groups_dup(const struct top_model *model)
{
    struct top_group *copy = xcalloc((size_t)model->group_count, sizeof *copy);

    for (int32_t i = 0; i < model->group_count; i++) {
        copy[i] = model->groups[i];
        copy[i].name = xstrdup(model->groups[i].name);
        copy[i].state = xstrdup(model->groups[i].state);
        copy[i].type = xstrdup(model->groups[i].type);
    }
    return copy;
}

bool
top_poll_take(struct top_poll *poll, struct top_model *model)
{
    bool fresh;

    pthread_mutex_lock(&poll->mutex);
    fresh = poll->fresh;
    poll->fresh = false;
    if (fresh) {
        /* The poller needs the newest one for its rates, so the taker gets a copy. */
        top_model_fini(model);
        *model = poll->newest;
        model->topics = topics_dup(&poll->newest);
        model->groups = groups_dup(&poll->newest);
    }
    pthread_mutex_unlock(&poll->mutex);
    return fresh;
}
