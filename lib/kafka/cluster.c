#include "lib/kafka/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/kafka/cluster_core.h"
#include "lib/wire/kerr.h"

enum rc
cluster_new(struct loop *loop, const struct conf_client *conf, struct cluster **out, struct err *e)
{
    struct cluster *cluster = xcalloc(1, sizeof *cluster);
    enum rc rc = cluster_nodes_init(&cluster->nodes, loop, conf, e);

    if (rc != RC_OK) {
        free(cluster);
        return rc;
    }
    cluster->loop = loop;
    cluster->conf = conf;
    cluster_map_init(&cluster->map);
    map_init(&cluster->coordinators);
    *out = cluster;
    return RC_OK;
}

void
cluster_free(struct cluster *cluster)
{
    if (cluster == NULL)
        return;
    cluster_nodes_fini(&cluster->nodes);
    cluster_map_fini(&cluster->map);
    map_fini(&cluster->coordinators, free);
    free(cluster);
}

struct loop *
cluster_loop(const struct cluster *cluster)
{
    return cluster->loop;
}

const struct cluster_map *
cluster_view(const struct cluster *cluster)
{
    return &cluster->map;
}

void
cluster_stats(const struct cluster *cluster, struct conn_stats *out)
{
    cluster_nodes_stats(&cluster->nodes, out);
}

/* --- metadata ----------------------------------------------------------------------------------
 */

struct cluster_refreshing {
    struct cluster *cluster;
    bool over;
    struct err err;
};

static void
on_refreshed(void *arg, const struct err *e)
{
    struct cluster_refreshing *refreshing = arg;

    refreshing->over = true;
    refreshing->err = *e;
}

static struct cluster_refreshing *
refresh_begin(struct cluster *cluster, const struct cluster_refresh_topics *topics)
{
    struct cluster_refreshing *refreshing = xcalloc(1, sizeof *refreshing);

    refreshing->cluster = cluster;
    cluster_refresh_start(cluster, topics, 0, on_refreshed, refreshing);
    return refreshing;
}

struct cluster_refreshing *
cluster_refresh_begin(struct cluster *cluster)
{
    struct cluster_refreshing *refreshing =
        refresh_begin(cluster, &(struct cluster_refresh_topics){.all = true});

    /* Over a connection that is there the question goes out before what is asked next. */
    loop_step(cluster->loop, 0);
    return refreshing;
}

enum rc
cluster_refresh_end(struct cluster_refreshing *refreshing, struct err *e)
{
    enum rc rc;

    while (!refreshing->over)
        loop_step(refreshing->cluster->loop, -1);
    rc = refreshing->err.code;
    if (rc != RC_OK && e != NULL)
        *e = refreshing->err;
    free(refreshing);
    return rc;
}

enum rc
cluster_refresh(struct cluster *cluster, struct err *e)
{
    return cluster_refresh_end(cluster_refresh_begin(cluster), e);
}

enum rc
cluster_refresh_some(
    struct cluster *cluster, const char *const *topics, size_t count, struct err *e)
{
    const struct cluster_refresh_topics some = {.count = count, .names = topics};

    return cluster_refresh_end(refresh_begin(cluster, &some), e);
}

static void
on_found(void *arg, const struct err *e)
{
    (void)e;
    *(bool *)arg = true;
}

void
cluster_find_groups(struct cluster *cluster, const char *const *groups, size_t count)
{
    struct cluster_coord_key *keys = xcalloc(count + 1, sizeof *keys);
    bool over = count == 0;

    for (size_t i = 0; i < count; i++)
        keys[i] = (struct cluster_coord_key){CLUSTER_COORD_GROUP, groups[i]};
    if (count > 0)
        cluster_coord_find_start(cluster, keys, count, 0, on_found, &over);
    while (!over)
        loop_step(cluster->loop, -1);
    free(keys);
}

/* --- one question ------------------------------------------------------------------------------
 */

struct question {
    const struct cluster_target *target;
    const struct wire_api *api;
    const void *request;
    struct conn_reply *reply; /* the latest */
    struct err err;
};

static void
on_target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct question *question = arg;

    (void)item;
    *out = *question->target;
}

static size_t
on_build(void *arg, struct cluster_fan_batch *batch)
{
    const struct question *question = arg;

    memcpy(batch->request, question->request, question->api->request->body->size);
    return 1;
}

static void
on_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct question *question = arg;

    conn_reply_unref(question->reply);
    question->reply = conn_reply_ref(batch->reply);
    cluster_fan_settle(batch->fan, 0, conn_reply_error(batch->reply));
}

static void
on_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct question *question = arg;

    (void)item;
    (void)code;
    /* An answer is an answer, whatever it says. */
    if (rc == RC_REMOTE && question->reply != NULL)
        return;
    question->err = *e;
}

enum rc
cluster_call(struct cluster *cluster, const struct cluster_target *target,
    const struct wire_api *api, const struct wire_range *wanted, const void *request,
    int64_t timeout_ms, struct conn_reply **reply, struct err *e)
{
    struct question question = {.target = target, .api = api, .request = request};
    struct cluster_fan_spec spec = {.api = api,
        .wanted = wanted,
        .item_count = 1,
        .target = on_target,
        .build = on_build,
        .parse = on_parse,
        .done = on_done,
        .arg = &question,
        .batch_timeout_ms = timeout_ms};
    struct cluster_fan *fan = cluster_fan_start(cluster, &spec);

    while (!cluster_fan_is_over(fan))
        loop_step(cluster->loop, -1);
    cluster_fan_free(fan);
    if (question.err.code != RC_OK) {
        conn_reply_unref(question.reply);
        if (e != NULL)
            *e = question.err;
        return question.err.code;
    }
    *reply = question.reply;
    return RC_OK;
}

void
cluster_avoid_silent(struct cluster *cluster)
{
    cluster_nodes_avoid_silent(&cluster->nodes);
}

/* --- many --------------------------------------------------------------------------------------
 */

void
cluster_fan_out(
    struct cluster *cluster, const struct cluster_fan_spec *spec, struct cluster_fan_stats *stats)
{
    cluster_fan_finish(cluster, cluster_fan_start(cluster, spec), stats);
}

void
cluster_fan_finish(
    struct cluster *cluster, struct cluster_fan *fan, struct cluster_fan_stats *stats)
{
    while (!cluster_fan_is_over(fan))
        loop_step(cluster->loop, -1);
    if (stats != NULL)
        *stats = *cluster_fan_stats(fan);
    cluster_fan_free(fan);
}
