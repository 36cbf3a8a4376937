#include "lib/kafka/cluster_fan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/kafka/cluster_core.h"
#include "lib/kafka/cluster_lane.h"
#include "lib/kafka/cluster_lookup.h"
#include "lib/wire/kerr.h"

#define BACKOFF_DOUBLINGS_MAX 6

/* ANSWERED: in the batch whose answer is being parsed. */
enum item_state { UNBOUND, QUEUED, FLYING, ANSWERED, PARKED, WAITING, DONE };

/* Whether the broker of an unbound item has to be looked up. */
enum look {
    LOOK_IF_UNKNOWN,
    LOOK_AFRESH, /* what is known may be wrong */
    LOOKING,
    LOOKED, /* what is known now has to do */
};

struct item {
    uint8_t state;
    uint8_t look;
    uint8_t tries; /* that have failed */
};

struct cluster_fan {
    struct cluster *cluster;
    struct cluster_fan_spec spec;
    struct cluster_lane_owner owner;
    struct item *items;
    struct map lanes; /* id of a broker to struct cluster_lane */
    /* Of the item before, most often those of the next, too; topic and leader while items are
     * bound. */
    struct cluster_lane *lane_before;
    const char *name_before;
    const struct cluster_topic *topic_before;
    int32_t leader_before;
    struct cluster_queue unbound;
    struct cluster_queue waiting;
    struct cluster_lookup lookup;
    struct loop_timer deadline;
    struct loop_timer backoff;
    struct cluster_fan_stats stats;
    bool pump_deferred;
    bool over; /* freed: no callback any more */
    bool ended;
    struct err exhausted; /* why nothing more is asked; RC_OK: it is */
};

static void pump_soon(struct cluster_fan *fan);

static bool
is_patient(const struct cluster_fan *fan)
{
    return fan->spec.retries >= CLUSTER_FAN_FOR_EVER;
}

static void
target_of(const struct cluster_fan *fan, uint32_t item, struct cluster_target *out)
{
    memset(out, 0, sizeof *out);
    fan->spec.target(fan->spec.arg, item, out);
}

/* --- the end of items --------------------------------------------------------------------------
 */

static void
item_end(struct cluster_fan *fan, uint32_t number, enum rc rc, int16_t code, const struct err *e)
{
    struct item *item = &fan->items[number];
    struct err copy;

    item->state = DONE;
    fan->stats.done++;
    fan->stats.failed += rc != RC_OK;
    pump_soon(fan);
    if (fan->spec.done == NULL)
        return;
    if (rc == RC_OK) {
        fan->spec.done(fan->spec.arg, number, RC_OK, KE_NONE, e);
        return;
    }
    copy = *e;
    fan->spec.done(fan->spec.arg, number, rc, code, &copy);
}

static void
item_fail(struct cluster_fan *fan, uint32_t number, const struct err *e)
{
    item_end(fan, number, e->code, KE_NONE, e);
}

static void
on_backoff(void *arg)
{
    struct cluster_fan *fan = arg;
    const uint32_t *items = cluster_queue_view(&fan->waiting);
    size_t count = cluster_queue_count(&fan->waiting);

    for (size_t i = 0; i < count; i++) {
        fan->items[items[i]].state = UNBOUND;
        fan->items[items[i]].look = LOOK_AFRESH;
        cluster_queue_push(&fan->unbound, items[i]);
    }
    cluster_queue_drop(&fan->waiting, count);
    pump_soon(fan);
}

/* Sends an item round once more because of e; false where it has been round often enough. */
static bool
item_retry(struct cluster_fan *fan, uint32_t number, const struct err *e)
{
    struct item *item = &fan->items[number];
    unsigned max = fan->spec.retries == 0 ? 1 : fan->spec.retries;
    int64_t backoff_us = fan->cluster->conf->retry_backoff_ms * 1000;
    struct cluster_target target;

    target_of(fan, number, &target);
    /* Any broker will do, so each of them gets a chance. */
    if (target.kind == CLUSTER_ANY && map_count(&fan->cluster->map.brokers) > max)
        max = (unsigned)map_count(&fan->cluster->map.brokers);
    if (fan->spec.no_retry || fan->exhausted.code != RC_OK ||
        (item->tries >= max && !is_patient(fan)))
        return false;
    backoff_us <<= item->tries < BACKOFF_DOUBLINGS_MAX ? item->tries : BACKOFF_DOUBLINGS_MAX;
    if (item->tries < UINT8_MAX)
        item->tries++;
    item->state = WAITING;
    fan->stats.retries++;
    cluster_queue_push(&fan->waiting, number);
    if (!loop_timer_is_set(&fan->backoff))
        loop_timer_set(fan->cluster->loop, &fan->backoff,
            loop_now_us(fan->cluster->loop) + backoff_us, on_backoff, fan);
    if (fan->spec.retry != NULL)
        fan->spec.retry(fan->spec.arg, number, e);
    return true;
}

/* An item got a code of Kafka's: it goes round once more, or ends with it. */
static void
item_settle(struct cluster_fan *fan, uint32_t number, int16_t code)
{
    static const struct err fine = {.code = RC_OK};
    struct err e;

    if (code == KE_NONE) {
        item_end(fan, number, RC_OK, KE_NONE, &fine);
        return;
    }
    (void)err_set(&e, RC_REMOTE, "%s (%s)", kerr_name(code), kerr_meaning(code));
    if (!kerr_is_retriable(code) || !item_retry(fan, number, &e))
        item_end(fan, number, RC_REMOTE, code, &e);
}

bool
cluster_fan_is_asked(const struct cluster_fan *fan, uint32_t number)
{
    return number < fan->spec.item_count && fan->items[number].state == ANSWERED;
}

void
cluster_fan_settle(struct cluster_fan *fan, uint32_t number, int16_t code)
{
    if (!fan->over && cluster_fan_is_asked(fan, number))
        item_settle(fan, number, code);
}

void
cluster_fan_again(struct cluster_fan *fan, uint32_t number)
{
    struct item *item = &fan->items[number];

    if (!cluster_fan_is_asked(fan, number))
        return;
    item->state = UNBOUND;
    item->look = LOOK_IF_UNKNOWN;
    item->tries = 0;
    cluster_queue_push(&fan->unbound, number);
    pump_soon(fan);
}

void
cluster_fan_park(struct cluster_fan *fan, uint32_t number)
{
    if (!cluster_fan_is_asked(fan, number))
        return;
    fan->items[number].state = PARKED;
    fan->items[number].tries = 0;
}

void
cluster_fan_wake(struct cluster_fan *fan, uint32_t number)
{
    struct item *item = &fan->items[number];
    struct cluster_lane *lane;
    size_t position = 0;

    REQUIRE(number < fan->spec.item_count);
    if (fan->over || (item->state != PARKED && item->state != DONE))
        return;
    item->look = LOOK_IF_UNKNOWN;
    if (item->state == DONE) {
        fan->stats.done--;
        item->look = LOOK_AFRESH;
        while ((lane = map_next(&fan->lanes, &position, NULL, NULL)) != NULL)
            err_clear(&lane->dead);
    }
    item->state = UNBOUND;
    item->tries = 0;
    fan->ended = false;
    cluster_queue_push(&fan->unbound, number);
    pump_soon(fan);
}

/* --- what the lanes tell -----------------------------------------------------------------------
 */

static void
on_sent(struct cluster_fan *fan, const struct cluster_fan_batch *batch)
{
    fan->stats.batches++;
    for (size_t i = 0; i < batch->count; i++)
        fan->items[batch->items[i]].state = FLYING;
}

static void exhaust(struct cluster_fan *fan, bool all);

static void
on_answered(struct cluster_fan *fan, struct cluster_fan_batch *batch)
{
    const struct cluster_node *node = cluster_nodes_get(&fan->cluster->nodes, batch->broker);
    struct err e;

    fan->stats.bytes_in += batch->reply->frame->size;
    if (fan->spec.bytes_max > 0 && fan->stats.bytes_in >= fan->spec.bytes_max &&
        fan->exhausted.code == RC_OK)
        (void)err_set(&fan->exhausted, RC_LIMIT,
            "not asked: the budget of %zu bytes of answers is used up", fan->spec.bytes_max);
    for (size_t i = 0; i < batch->count; i++)
        fan->items[batch->items[i]].state = ANSWERED;
    fan->spec.parse(fan->spec.arg, batch);
    (void)err_set(&e, RC_PROTOCOL, "%s:%u: an answer to %s leaves out what was asked for",
        node->host, node->port, fan->spec.api->name);
    for (size_t i = 0; i < batch->count && !fan->over; i++)
        if (fan->items[batch->items[i]].state == ANSWERED)
            item_fail(fan, batch->items[i], &e);
    /* Before the lane sends what comes next. */
    if (fan->exhausted.code != RC_OK)
        exhaust(fan, false);
    pump_soon(fan);
}

static void
on_failed(struct cluster_fan *fan, uint32_t number, const struct err *e)
{
    bool broken = e->code == RC_CLOSED || e->code == RC_IO;
    bool silent = e->code == RC_TIMEOUT;
    struct cluster_target target;

    target_of(fan, number, &target);
    /* Where any broker will do, one that is silent is no reason to give up. */
    silent = silent && (target.kind == CLUSTER_ANY || is_patient(fan));
    if (!(broken || silent) || !item_retry(fan, number, e))
        item_fail(fan, number, e);
}

/* --- who is to be asked ------------------------------------------------------------------------
 */

/* A broker in turn, but one that has failed lately only where all have. */
static int32_t
broker_any(struct cluster_fan *fan)
{
    const struct cluster_node *node = NULL;

    for (size_t left = map_count(&fan->cluster->map.brokers); left > 0; left--) {
        const struct cluster_lane *lane;

        node = cluster_nodes_any(&fan->cluster->nodes);
        lane = node == NULL ? NULL : map_get_int(&fan->lanes, node->id);
        if (lane == NULL || !lane->suspect)
            break;
    }
    return node == NULL ? -1 : node->id;
}

/* A topic by the text of a target, which is the same one for the same topic. */
static const struct cluster_topic *
topic_of(struct cluster_fan *fan, const char *name)
{
    if (name != fan->name_before) {
        fan->name_before = name;
        fan->topic_before = cluster_map_topic(&fan->cluster->map, name);
    }
    return fan->topic_before;
}

static int16_t
leader_find(struct cluster_fan *fan, const struct cluster_target *target, int32_t *broker)
{
    int16_t code = cluster_map_leader(&fan->cluster->map, topic_of(fan, target->name),
        target->number, fan->leader_before, broker);

    if (code == KE_NONE)
        fan->leader_before = *broker;
    return code;
}

/* The broker of a target as far as it is known; -1 and a code (NONE: unknown) otherwise. */
static int16_t
broker_find(struct cluster_fan *fan, const struct cluster_target *target, int32_t *broker)
{
    const struct cluster *cluster = fan->cluster;

    *broker = -1;
    switch (target->kind) {
    case CLUSTER_LEADER:
        return leader_find(fan, target, broker);
    case CLUSTER_GROUP:
    case CLUSTER_TRANSACTION:
    case CLUSTER_SHARE:
        return cluster_lookup_coordinator(cluster, target, broker);
    case CLUSTER_BROKER:
        if (cluster_map_broker(&cluster->map, target->number) == NULL)
            return KE_BROKER_NOT_AVAILABLE;
        *broker = target->number;
        return KE_NONE;
    case CLUSTER_CONTROLLER:
        if (cluster_map_broker(&cluster->map, cluster->map.controller) != NULL) {
            *broker = cluster->map.controller;
            return KE_NONE;
        }
        break;
    case CLUSTER_ANY:
        break;
    }
    *broker = broker_any(fan);
    return *broker < 0 ? KE_BROKER_NOT_AVAILABLE : KE_NONE;
}

static struct cluster_lane *
lane_of(struct cluster_fan *fan, int32_t broker)
{
    struct cluster_lane *lane = map_get_int(&fan->lanes, broker);
    struct cluster_node *node;

    if (lane != NULL)
        return lane;
    node = cluster_nodes_get(&fan->cluster->nodes, broker);
    lane = cluster_lane_new(&fan->owner, fan->spec.aside ? cluster_node_second(node) : node);
    map_put_int(&fan->lanes, broker, lane);
    return lane;
}

/* The lane of a broker, or NULL where no such broker is known. */
static struct cluster_lane *
lane_find(struct cluster_fan *fan, int32_t broker)
{
    if (fan->lane_before == NULL || fan->lane_before->node->id != broker)
        fan->lane_before = broker >= 0 && cluster_nodes_get(&fan->cluster->nodes, broker) != NULL
                               ? lane_of(fan, broker)
                               : NULL;
    return fan->lane_before;
}

/* Puts an unbound item into a lane, or into what has to be looked up, or ends it. */
static void
item_bind(struct cluster_fan *fan, uint32_t number)
{
    struct item *item = &fan->items[number];
    struct cluster_target target;
    struct cluster_lane *lane;
    int32_t broker;
    int16_t code;

    target_of(fan, number, &target);
    code = broker_find(fan, &target, &broker);
    if (item->look == LOOK_AFRESH || (broker < 0 && item->look != LOOKED)) {
        cluster_lookup_add(&fan->lookup, &target, item->look == LOOK_AFRESH);
        item->look = LOOKING;
        cluster_queue_push(&fan->unbound, number);
        return;
    }
    lane = lane_find(fan, broker);
    if (lane != NULL) {
        item->state = QUEUED;
        cluster_lane_push(lane, number);
        return;
    }
    item_settle(fan, number, code == KE_NONE ? KE_BROKER_NOT_AVAILABLE : code);
}

/* A look-up of coordinators, or of metadata, has ended. */
static void
on_looked_up(void *arg, bool of_coordinators, const struct err *e)
{
    struct cluster_fan *fan = arg;
    size_t count = cluster_queue_count(&fan->unbound);

    for (; count > 0 && !fan->over; count--) {
        uint32_t number = *cluster_queue_view(&fan->unbound);
        struct item *item = &fan->items[number];
        struct cluster_target target;

        cluster_queue_drop(&fan->unbound, 1);
        /* Items that came later have not been looked up. */
        if (item->look == LOOKING && e->code != RC_OK) {
            (is_patient(fan) ? on_failed : item_fail)(fan, number, e);
            continue;
        }
        target_of(fan, number, &target);
        if (item->look == LOOKING)
            item->look = cluster_lookup_is_coordinator(&target) == of_coordinators
                             ? LOOKED
                             : LOOK_IF_UNKNOWN;
        cluster_queue_push(&fan->unbound, number);
    }
    if (!fan->over)
        pump_soon(fan);
}

static void
bind_all(struct cluster_fan *fan)
{
    size_t count = cluster_queue_count(&fan->unbound);

    if (cluster_lookup_is_running(&fan->lookup))
        return;
    fan->name_before = NULL; /* metadata may have come */
    fan->leader_before = -1;
    for (; count > 0 && !fan->over; count--) {
        uint32_t number = *cluster_queue_view(&fan->unbound);

        cluster_queue_drop(&fan->unbound, 1);
        item_bind(fan, number);
    }
    if (!fan->over)
        cluster_lookup_start(&fan->lookup, fan->spec.deadline_us);
}

/* --- going on ----------------------------------------------------------------------------------
 */

static void
queue_exhaust(struct cluster_fan *fan, struct cluster_queue *queue)
{
    while (!fan->over && cluster_queue_count(queue) > 0) {
        uint32_t number = *cluster_queue_view(queue);

        cluster_queue_drop(queue, 1);
        item_fail(fan, number, &fan->exhausted);
    }
}

/* With `all` also what is under way. */
static void
exhaust(struct cluster_fan *fan, bool all)
{
    struct cluster_lane *lane;
    size_t position = 0;

    queue_exhaust(fan, &fan->unbound);
    queue_exhaust(fan, &fan->waiting);
    while (!fan->over && (lane = map_next(&fan->lanes, &position, NULL, NULL)) != NULL)
        cluster_lane_fail(lane, all, &fan->exhausted);
}

static void
pump(void *arg)
{
    struct cluster_fan *fan = arg;
    struct cluster_lane *lane;
    size_t position = 0;

    fan->pump_deferred = false;
    if (fan->over)
        return;
    if (fan->exhausted.code != RC_OK)
        exhaust(fan, false);
    bind_all(fan);
    while (!fan->over && (lane = map_next(&fan->lanes, &position, NULL, NULL)) != NULL)
        cluster_lane_pump(lane);
    if (fan->over || fan->ended || fan->stats.done < fan->spec.item_count)
        return;
    fan->ended = true;
    loop_timer_cancel(fan->cluster->loop, &fan->deadline);
    if (fan->spec.end != NULL)
        fan->spec.end(fan->spec.arg);
}

static void
pump_soon(struct cluster_fan *fan)
{
    if (fan->pump_deferred || fan->over)
        return;
    fan->pump_deferred = true;
    loop_defer(fan->cluster->loop, pump, fan);
}

static void
on_deadline(void *arg)
{
    struct cluster_fan *fan = arg;

    (void)err_set(&fan->exhausted, RC_TIMEOUT, "%s: no time left", fan->spec.api->name);
    cluster_lookup_cancel(&fan->lookup);
    exhaust(fan, true);
    for (uint32_t i = 0; i < fan->spec.item_count && !fan->over; i++)
        if (fan->items[i].state == PARKED)
            item_fail(fan, i, &fan->exhausted);
    pump_soon(fan);
}

struct cluster_fan *
cluster_fan_start(struct cluster *cluster, const struct cluster_fan_spec *spec)
{
    struct cluster_fan *fan = xcalloc(1, sizeof *fan);

    fan->cluster = cluster;
    fan->spec = *spec;
    fan->owner =
        (struct cluster_lane_owner){cluster, fan, &fan->spec, on_sent, on_answered, on_failed};
    fan->items = xcalloc(spec->item_count, sizeof *fan->items);
    map_init(&fan->lanes);
    cluster_lookup_init(&fan->lookup, cluster, on_looked_up, fan);
    cluster_queue_init(&fan->unbound);
    cluster_queue_init(&fan->waiting);
    for (uint32_t i = 0; i < spec->item_count; i++)
        cluster_queue_push(&fan->unbound, i);
    if (spec->deadline_us > 0)
        loop_timer_set(cluster->loop, &fan->deadline, spec->deadline_us, on_deadline, fan);
    pump_soon(fan);
    return fan;
}

static void
lane_free(void *value)
{
    cluster_lane_free(value);
}

static void
memory_free(void *arg)
{
    struct cluster_fan *fan = arg;

    map_fini(&fan->lanes, lane_free);
    cluster_queue_fini(&fan->unbound);
    cluster_queue_fini(&fan->waiting);
    free(fan->items);
    free(fan);
}

void
cluster_fan_free(struct cluster_fan *fan)
{
    struct cluster_lane *lane;
    size_t position = 0;

    if (fan == NULL)
        return;
    fan->over = true;
    loop_timer_cancel(fan->cluster->loop, &fan->deadline);
    loop_timer_cancel(fan->cluster->loop, &fan->backoff);
    cluster_lookup_fini(&fan->lookup);
    while ((lane = map_next(&fan->lanes, &position, NULL, NULL)) != NULL)
        cluster_lane_stop(lane);
    /* We may stand in one of its callbacks. */
    loop_defer(fan->cluster->loop, memory_free, fan);
}

bool
cluster_fan_is_over(const struct cluster_fan *fan)
{
    return fan->ended;
}

const struct cluster_fan_stats *
cluster_fan_stats(const struct cluster_fan *fan)
{
    return &fan->stats;
}
