#include "lib/kafka/cluster_core.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

/* Names of topics are at most 249 bytes. */
#define NAMES_BYTES_MAX ((size_t)256 << 20)

/* From version 4 on a question does not create the topic that it asks for. */
static const struct wire_range versions_wanted = {4, INT16_MAX};

struct cluster_refresh {
    struct cluster *cluster;
    cluster_refresh_fn *fn;
    void *arg;
    bool is_full;
    int64_t deadline_us;
    struct loop_timer timer;
    struct cluster_node **candidates;
    size_t count;
    size_t next;
    struct cluster_wait wait;
    struct conn_call *call;
    struct err err; /* the most telling one so far */
    struct km_metadata_request request;
    struct arena arena;
};

static void try_next(void *arg);

void
cluster_refresh_cancel(struct cluster_refresh *refresh)
{
    if (refresh == NULL)
        return;
    loop_timer_cancel(refresh->cluster->loop, &refresh->timer);
    cluster_wait_cancel(&refresh->wait);
    if (refresh->call != NULL)
        conn_call_cancel(refresh->call);
    arena_fini(&refresh->arena);
    free(refresh->candidates);
    free(refresh);
}

static void
finish(struct cluster_refresh *refresh, const struct err *e)
{
    cluster_refresh_fn *fn = refresh->fn;
    void *arg = refresh->arg;
    struct err copy = *e;

    cluster_refresh_cancel(refresh);
    fn(arg, &copy);
}

/* A refusal says more than a closed port. */
static void
remember(struct cluster_refresh *refresh, const struct err *e)
{
    if (refresh->err.code != RC_DENIED && refresh->err.code != RC_PROTOCOL)
        refresh->err = *e;
}

static void
on_metadata(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct cluster_refresh *refresh = arg;
    struct cluster *cluster = refresh->cluster;
    const struct km_metadata_response *response;
    struct err why = *e;

    refresh->call = NULL;
    if (reply != NULL) {
        response = reply->response;
        if (response->error_code != KE_NONE)
            (void)err_set(
                &why, RC_REMOTE, "Metadata is answered with %s", kerr_name(response->error_code));
        else if (cluster_map_load(&cluster->map, response, refresh->is_full, &why) == RC_OK &&
                 cluster_nodes_update(&cluster->nodes, &cluster->map, &why) == RC_OK) {
            finish(refresh, e);
            return;
        }
    }
    remember(refresh, &why);
    try_next(refresh);
}

static void
ask(struct cluster_refresh *refresh, struct conn *conn)
{
    const struct cluster *cluster = refresh->cluster;
    int64_t deadline_us = loop_now_us(cluster->loop) + cluster->conf->request_timeout_ms * 1000;
    struct conn_request request = {.api = frame_api(KM_METADATA),
        .body = &refresh->request,
        .wanted = &versions_wanted,
        .deadline_us = deadline_us,
        .done = on_metadata,
        .arg = refresh};

    refresh->call = conn_call(conn, &request);
}

static void
on_conn(void *arg, struct conn *conn, const struct err *e)
{
    struct cluster_refresh *refresh = arg;

    if (conn != NULL) {
        ask(refresh, conn);
        return;
    }
    remember(refresh, e);
    try_next(refresh);
}

static void
try_next(void *arg)
{
    struct cluster_refresh *refresh = arg;
    struct cluster_node *node;

    if (refresh->next == refresh->count) {
        if (refresh->count > 1)
            (void)err_note(&refresh->err, "none of %zu addresses answers", refresh->count);
        finish(refresh, &refresh->err);
        return;
    }
    node = refresh->candidates[refresh->next++];
    if (cluster_node_conn(node) != NULL)
        ask(refresh, cluster_node_conn(node));
    else
        cluster_node_open(node, &refresh->wait, on_conn, refresh);
}

static void
on_deadline(void *arg)
{
    struct cluster_refresh *refresh = arg;
    struct err e;

    (void)err_set(&e, RC_TIMEOUT, "no metadata in time%s%s", refresh->err.code != RC_OK ? ": " : "",
        refresh->err.text);
    finish(refresh, &e);
}

static void
on_start(void *arg)
{
    struct cluster_refresh *refresh = arg;

    if (refresh->deadline_us > 0)
        loop_timer_set(
            refresh->cluster->loop, &refresh->timer, refresh->deadline_us, on_deadline, refresh);
    try_next(refresh);
}

static void
topics_fill(struct cluster_refresh *refresh, const struct cluster_refresh_topics *topics)
{
    struct km_metadata_request *request = &refresh->request;

    codec_init(&km_metadata_request_desc, request);
    request->allow_auto_topic_creation = false;
    request->topics.count = -1;
    if (topics->all)
        return;
    request->topics.items =
        codec_array(&refresh->arena, &km_metadata_request_topic_desc, (int32_t)topics->count);
    REQUIRE(topics->count == 0 || request->topics.items != NULL);
    for (size_t i = 0; i < topics->count; i++) {
        char *name = arena_strdup(&refresh->arena, topics->names[i]);

        REQUIRE(name != NULL);
        request->topics.items[i].name = (struct wire_string){name, (int32_t)strlen(name)};
    }
    request->topics.count = (int32_t)topics->count;
}

struct cluster_refresh *
cluster_refresh_start(struct cluster *cluster, const struct cluster_refresh_topics *topics,
    int64_t deadline_us, cluster_refresh_fn *fn, void *arg)
{
    struct cluster_refresh *refresh = xcalloc(1, sizeof *refresh);

    refresh->cluster = cluster;
    refresh->fn = fn;
    refresh->arg = arg;
    refresh->is_full = topics->all;
    refresh->deadline_us = deadline_us;
    arena_init(&refresh->arena, NAMES_BYTES_MAX);
    topics_fill(refresh, topics);
    refresh->candidates =
        xcalloc(cluster_nodes_count(&cluster->nodes), sizeof(struct cluster_node *));
    refresh->count = cluster_nodes_candidates(&cluster->nodes, refresh->candidates);
    /* Its answer must not come before its handle. */
    loop_timer_set(cluster->loop, &refresh->timer, 0, on_start, refresh);
    return refresh;
}
