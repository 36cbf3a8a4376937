#include "refbroker/coord/share_calls.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_records.h"
#include "refbroker/limits.h"

/* While __share_group_state is being made. */
#define RETRY_MS 100
#define TRIES_MAX 50

struct share_calls *
share_calls_new(
    const struct group *group, enum share_calls_kind kind, share_calls_fn *done, void *arg)
{
    struct share_calls *calls = xcalloc(1, sizeof *calls);

    calls->groups = group->groups;
    calls->group_id = xstrdup(group->group_id);
    calls->kind = kind;
    calls->state_epoch = group->share->epoch;
    calls->done = done;
    calls->arg = arg;
    list_push_back(&group->groups->share_calls, &calls->in_groups);
    return calls;
}

void
share_calls_add(struct share_calls *calls, const struct wire_uuid *topic_id, int32_t partition,
    int64_t start_offset)
{
    if (calls->count == calls->capacity) {
        calls->capacity = calls->capacity == 0 ? 8 : calls->capacity * 2;
        calls->items = xrealloc(calls->items, calls->capacity, sizeof *calls->items);
    }
    calls->items[calls->count++] = (struct share_call){
        .topic_id = *topic_id, .partition = partition, .start_offset = start_offset};
}

void
share_calls_add_topic(struct share_calls *calls, const struct share_topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        share_calls_add(calls, &topic->topic_id, topic->partitions[i], SHARE_OFFSET_UNKNOWN);
}

int16_t
share_calls_error(const struct share_calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        if (calls->items[i].error != KE_NONE)
            return calls->items[i].error;
    return KE_NONE;
}

static void
calls_finish(struct share_calls *calls)
{
    int16_t error = share_calls_error(calls);

    if (error != KE_NONE)
        log_warn("SHARE-CALL", "share group %s: its partitions could not be %s: %s",
            calls->group_id, calls->kind == SHARE_CALLS_DELETE ? "deleted" : "initialised",
            kerr_name(error));
    list_remove(&calls->groups->share_calls, &calls->in_groups);
    groups_timer_clear(calls->groups, &calls->retry);
    calls->done(calls->groups, calls);
    free(calls->items);
    free(calls->group_id);
    free(calls);
}

/* All that has not been asked for fails. */
static void
calls_fail(struct share_calls *calls, int16_t error)
{
    for (; calls->next < calls->count; calls->next++)
        calls->items[calls->next].error = error;
    calls_finish(calls);
}

/* --- one call ------------------------------------------------------------------------------------
 */

struct call_waiter {
    struct append_waiter waiter;
    struct share_calls *calls;
    size_t place;
};

static void calls_go_on(struct share_calls *calls);

static void
call_done(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct call_waiter *call = (struct call_waiter *)(void *)waiter;
    struct share_calls *calls = call->calls;

    (void)broker;
    calls->items[call->place].error = error;
    calls->under_way--;
    free(call);
    if (!calls->running)
        calls_go_on(calls);
}

static bool
is_wanted(const struct share_calls *calls, const struct share_call *item)
{
    const struct group *group = groups_find(calls->groups, request_text(calls->group_id));
    const struct share_topic *topic =
        group == NULL || group->share == NULL
            ? NULL
            : share_topics_find(&group->share->stages.initializing, &item->topic_id);

    return topic != NULL && share_topic_has(topic, item->partition);
}

static void
call_make(struct share_calls *calls, size_t place)
{
    struct share_call *item = &calls->items[place];
    struct share_key key = {calls->group_id, item->topic_id, item->partition};
    struct share_states *states = calls->groups->broker->share_states;
    struct call_waiter *call;
    int16_t error;
    struct err e;

    if (calls->kind == SHARE_CALLS_INITIALIZE && !is_wanted(calls, item)) {
        item->off = true;
        return;
    }
    call = xcalloc(1, sizeof *call);
    call->waiter.done = call_done;
    call->calls = calls;
    call->place = place;
    err_clear(&e);
    calls->under_way++;
    error = calls->kind == SHARE_CALLS_INITIALIZE
                ? share_states_initialize(
                      states, &key, calls->state_epoch, item->start_offset, &call->waiter, &e)
                : share_states_delete(states, &key, &call->waiter, &e);
    if (error == KE_NONE)
        return;
    item->error = error;
    calls->under_way--;
    free(call);
}

/* --- all of them ---------------------------------------------------------------------------------
 */

static void
calls_go_on(struct share_calls *calls)
{
    calls->running = true;
    while (calls->next < calls->count && calls->under_way < LIMIT_SHARE_CALLS_MAX)
        call_make(calls, calls->next++);
    calls->running = false;
    if (calls->under_way == 0 && calls->next == calls->count)
        calls_finish(calls);
}

static void
retry_due(struct groups *groups, struct group_timer *timer)
{
    struct share_calls *calls = list_of(timer, struct share_calls, retry);

    if (calls->count == 0 || share_states_ready(groups->broker->share_states)) {
        calls_go_on(calls);
    } else if (++calls->tries == TRIES_MAX) {
        calls_fail(calls, KE_COORDINATOR_NOT_AVAILABLE);
    } else {
        timer->due = retry_due;
        groups_timer_set(groups, timer, env_now_ms(groups->broker->env) + RETRY_MS);
    }
}

static void
durable_done(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct share_calls *calls = list_of(waiter, struct share_calls, durable);

    if (error != KE_NONE)
        calls_fail(calls, error);
    else
        retry_due(broker->groups, &calls->retry);
}

void
share_calls_send(struct share_calls *calls)
{
    struct group_records none;

    calls->durable.done = durable_done;
    group_records_init(&none);
    group_records_append(&none, calls->groups, calls->group_id, &calls->durable);
    group_records_fini(&none);
}

void
share_calls_end(struct groups *groups)
{
    while (!list_is_empty(&groups->share_calls))
        calls_fail(list_of(list_first(&groups->share_calls), struct share_calls, in_groups),
            KE_COORDINATOR_NOT_AVAILABLE);
}
