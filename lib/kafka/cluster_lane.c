#include "lib/kafka/cluster_lane.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

struct batch {
    struct list_node node;
    struct cluster_lane *lane;
    struct conn_call *call;
    struct wire_range version;
    uint32_t *items;
    struct arena arena;
    struct cluster_fan_batch shown;
};

struct cluster_lane *
cluster_lane_new(const struct cluster_lane_owner *owner, struct cluster_node *node)
{
    struct cluster_lane *lane = xcalloc(1, sizeof *lane);

    lane->owner = owner;
    lane->node = node;
    cluster_queue_init(&lane->queue);
    list_init(&lane->batches);
    lane->dead = node->silence;
    return lane;
}

static void
batch_free(struct batch *batch)
{
    list_remove(&batch->lane->batches, &batch->node);
    if (batch->call != NULL)
        conn_call_cancel(batch->call);
    arena_fini(&batch->arena);
    free(batch->items);
    free(batch);
}

void
cluster_lane_stop(struct cluster_lane *lane)
{
    struct list_node *node;

    lane->stopped = true;
    cluster_wait_cancel(&lane->wait);
    cluster_queue_drop(&lane->queue, cluster_queue_count(&lane->queue));
    while ((node = list_first(&lane->batches)) != NULL)
        batch_free(list_of(node, struct batch, node));
}

void
cluster_lane_free(struct cluster_lane *lane)
{
    cluster_lane_stop(lane);
    cluster_queue_fini(&lane->queue);
    free(lane);
}

void
cluster_lane_push(struct cluster_lane *lane, uint32_t item)
{
    cluster_queue_push(&lane->queue, item);
}

/* --- failing -----------------------------------------------------------------------------------
 */

static void
queue_fail(struct cluster_lane *lane, const struct err *e)
{
    while (!lane->stopped && cluster_queue_count(&lane->queue) > 0) {
        uint32_t item = *cluster_queue_view(&lane->queue);

        cluster_queue_drop(&lane->queue, 1);
        lane->owner->failed(lane->owner->fan, item, e);
    }
}

/* Takes the batch's items over, since it is freed before anybody is told. */
static void
batch_fail(struct batch *batch, const struct err *e)
{
    struct cluster_lane *lane = batch->lane;
    uint32_t *items = batch->items;
    size_t count = batch->shown.count;

    batch->items = NULL;
    batch_free(batch);
    for (size_t i = 0; i < count && !lane->stopped; i++)
        lane->owner->failed(lane->owner->fan, items[i], e);
    free(items);
}

void
cluster_lane_fail(struct cluster_lane *lane, bool all, const struct err *e)
{
    struct list_node *node;

    queue_fail(lane, e);
    while (all && (node = list_first(&lane->batches)) != NULL)
        batch_fail(list_of(node, struct batch, node), e);
}

/* After a broken connection the broker may be asked again; after anything else it would say, or
 * leave unsaid, the same. */
static void
die(struct cluster_lane *lane, const struct err *e)
{
    bool patient = lane->owner->spec->retries >= CLUSTER_FAN_FOR_EVER;

    lane->suspect = true;
    if (e->code != RC_CLOSED && e->code != RC_IO && !(patient && e->code == RC_TIMEOUT))
        lane->dead = *e;
    queue_fail(lane, e);
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void
on_reply(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct batch *batch = arg;
    struct cluster_lane *lane = batch->lane;
    struct err copy = *e;

    batch->call = NULL;
    if (reply == NULL) {
        batch_fail(batch, &copy);
        /* What could not be encoded says nothing about the broker. */
        if (copy.code != RC_UNSUPPORTED && copy.code != RC_LIMIT && !lane->stopped)
            die(lane, &copy);
    } else {
        list_remove(&lane->batches, &batch->node);
        lane->suspect = false;
        batch->shown.reply = reply;
        batch->shown.response = reply->response;
        lane->owner->answered(lane->owner->fan, &batch->shown);
        batch_free(batch);
    }
    if (!lane->stopped)
        cluster_lane_pump(lane);
}

/* Has a request built for the first items; NULL where it does not fit into memory. */
static struct batch *
batch_build(struct cluster_lane *lane, int16_t version)
{
    const struct cluster_fan_spec *spec = lane->owner->spec;
    struct batch *batch = xcalloc(1, sizeof *batch);
    struct cluster_fan_batch *shown = &batch->shown;
    size_t offered = cluster_queue_count(&lane->queue), taken;

    if (spec->batch_items_max > 0 && offered > spec->batch_items_max)
        offered = spec->batch_items_max;
    batch->lane = lane;
    batch->version = (struct wire_range){version, version};
    arena_init(&batch->arena, CLUSTER_FAN_REQUEST_BYTES_MAX);
    shown->fan = lane->owner->fan;
    shown->items = cluster_queue_view(&lane->queue);
    shown->count = offered;
    shown->broker = lane->node->id;
    shown->version = version;
    shown->arena = &batch->arena;
    shown->request = arena_alloc(&batch->arena, spec->api->request->body->size);
    REQUIRE(shown->request != NULL);
    codec_init(spec->api->request->body, shown->request);
    taken = spec->build(spec->arg, shown);
    if (arena_is_full(&batch->arena))
        taken = offered;
    REQUIRE(taken > 0 && taken <= offered);
    batch->items = xmemdup(shown->items, taken * sizeof *batch->items);
    shown->items = batch->items;
    shown->count = taken;
    cluster_queue_drop(&lane->queue, taken);
    list_push_back(&lane->batches, &batch->node);
    return batch;
}

static void
batch_send(struct batch *batch, struct conn *conn)
{
    struct cluster_lane *lane = batch->lane;
    const struct cluster_lane_owner *owner = lane->owner;
    int64_t timeout_ms = owner->spec->batch_timeout_ms > 0
                             ? owner->spec->batch_timeout_ms
                             : owner->cluster->conf->request_timeout_ms;
    struct conn_request request = {.api = owner->spec->api,
        .body = batch->shown.request,
        .wanted = &batch->version,
        .deadline_us = loop_now_us(owner->cluster->loop) + timeout_ms * 1000,
        .done = on_reply,
        .arg = batch};

    batch->call = conn_call(conn, &request);
    owner->sent(owner->fan, &batch->shown);
}

static void
on_conn(void *arg, struct conn *conn, const struct err *e)
{
    struct cluster_lane *lane = arg;
    struct err copy = *e;

    lane->opening = false;
    if (conn == NULL)
        die(lane, &copy);
    if (!lane->stopped)
        cluster_lane_pump(lane);
}

static bool
send_next(struct cluster_lane *lane, struct conn *conn)
{
    const struct cluster_fan_spec *spec = lane->owner->spec;
    struct batch *batch;
    int16_t version;
    struct err e;

    if (conn_versions_pick(conn_versions(conn), spec->api, spec->wanted, &version, &e) != RC_OK) {
        (void)err_note(&e, "%s", conn_address(conn));
        die(lane, &e);
        return false;
    }
    batch = batch_build(lane, version);
    if (arena_is_full(&batch->arena)) {
        (void)err_set(&e, RC_LIMIT, "a %s request takes more than %zu bytes", spec->api->name,
            CLUSTER_FAN_REQUEST_BYTES_MAX);
        batch_fail(batch, &e);
        return !lane->stopped;
    }
    batch_send(batch, conn);
    return !lane->stopped;
}

void
cluster_lane_pump(struct cluster_lane *lane)
{
    size_t max = lane->owner->spec->batches_per_broker;
    struct conn *conn;

    if (lane->dead.code != RC_OK) {
        struct err copy = lane->dead;

        queue_fail(lane, &copy);
        return;
    }
    if (max == 0)
        max = CLUSTER_FAN_BATCHES_PER_BROKER;
    while (!lane->stopped && !lane->opening && cluster_queue_count(&lane->queue) > 0 &&
           lane->batches.count < max) {
        conn = cluster_node_conn(lane->node);
        if (conn == NULL) {
            lane->opening = true;
            cluster_node_open(lane->node, &lane->wait, on_conn, lane);
        } else if (!send_next(lane, conn)) {
            return;
        }
    }
}
