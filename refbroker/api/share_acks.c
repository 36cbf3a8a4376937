#include "refbroker/api/share_acks.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_partitions.h"
#include "refbroker/meta/topics.h"

#define TYPE_RENEW 4

/* A partition of the request. */
struct item {
    struct share_acks *acks;
    const struct share_acknowledgement *said;
    size_t count;
    bool silent; /* nothing was said of it, and it is not answered */
    struct share_ack ack;
};

struct item_key {
    struct wire_uuid topic_id;
    int32_t partition;
};

struct share_acks {
    struct broker *broker;
    struct request *request; /* NULL once it is gone */
    const struct share_session_key *member;
    share_acks_fn *ready;
    struct map items; /* struct item by struct item_key, in the request's order */
    size_t waiting;   /* changes on their way, and one for share_acks_run */
};

struct share_acks *
share_acks_new(struct broker *broker, struct request *request,
    const struct share_session_key *member, share_acks_fn *ready)
{
    struct share_acks *acks = xcalloc(1, sizeof *acks);

    acks->broker = broker;
    acks->request = request;
    acks->member = member;
    acks->ready = ready;
    map_init(&acks->items);
    return acks;
}

static void
destroy(struct share_acks *acks)
{
    map_fini(&acks->items, free);
    free(acks);
}

void
share_acks_free(struct share_acks *acks)
{
    if (acks == NULL)
        return;
    acks->request = NULL;
    if (acks->waiting == 0)
        destroy(acks);
}

void
share_acks_add(struct share_acks *acks, const struct wire_uuid *topic_id, int32_t partition,
    const struct share_acknowledgement *items, size_t count)
{
    struct item_key key = {*topic_id, partition};
    struct item *item = map_get(&acks->items, &key, sizeof key);

    if (item == NULL) {
        item = xcalloc(1, sizeof *item);
        map_put(&acks->items, &key, sizeof key, item);
    }
    *item = (struct item){.acks = acks,
        .said = items,
        .count = count,
        .ack = {.topic_id = *topic_id, .partition = partition, .text = request_text(NULL)}};
}

/* Whether offsets ascend, and each has a type that may be said. */
static bool
is_valid(const struct item *item, int8_t type_max, bool renews)
{
    int64_t before = -1;

    for (size_t i = 0; i < item->count; i++) {
        const struct share_acknowledgement *said = &item->said[i];

        if (said->first_offset > said->last_offset || said->first_offset < before ||
            said->type_count <= 0)
            return false;
        /* Unsigned, since offsets far apart differ by more than an int64. */
        if (said->type_count > 1 && (uint64_t)said->last_offset - (uint64_t)said->first_offset !=
                                        (uint64_t)said->type_count - 1)
            return false;
        for (int32_t k = 0; k < said->type_count; k++)
            if (said->types[k] < 0 || said->types[k] > type_max ||
                (said->types[k] == TYPE_RENEW && !renews))
                return false;
        before = said->last_offset;
    }
    return true;
}

/* What is to be said before anybody is asked. */
static int16_t
item_check(const struct item *item, int8_t type_max, bool renews)
{
    struct topic *topic = topics_find_id(&item->acks->broker->topics, &item->ack.topic_id);

    if (topic == NULL)
        return KE_UNKNOWN_TOPIC_ID;
    if (!is_valid(item, type_max, renews))
        return KE_INVALID_REQUEST;
    return topics_partition(topic, item->ack.partition) == NULL ? KE_UNKNOWN_TOPIC_OR_PARTITION
                                                                : KE_NONE;
}

static bool
release(struct share_acks *acks)
{
    if (--acks->waiting > 0)
        return false;
    if (acks->request == NULL)
        destroy(acks);
    return true;
}

static void
item_done(struct broker *broker, void *arg, int16_t error, const char *text)
{
    struct item *item = arg;
    struct share_acks *acks = item->acks;
    struct request *request = acks->request;

    item->ack.error = error;
    item->ack.text = request == NULL ? request_text(NULL) : request_text_dup(request, text);
    if (release(acks) && request != NULL)
        acks->ready(broker, request);
}

static void
item_run(struct item *item)
{
    struct share_acks *acks = item->acks;
    struct share_live *live = share_partitions_find(acks->broker->share_partitions,
        acks->member->group_id, &item->ack.topic_id, item->ack.partition);
    int16_t error;
    struct err e;

    if (live == NULL) {
        item->ack.error = KE_UNKNOWN_TOPIC_OR_PARTITION;
        item->ack.text = request_text(kerr_name(KE_UNKNOWN_TOPIC_OR_PARTITION));
        return;
    }
    err_clear(&e);
    acks->waiting++;
    error = share_live_acknowledge(
        live, acks->member->member_id, item->said, item->count, item_done, item, &e);
    if (error == KE_NONE)
        return; /* item_done has the outcome, perhaps already */
    item->ack.error = error;
    item->ack.text = request_text_dup(acks->request, e.text);
    acks->waiting--;
}

bool
share_acks_run(struct share_acks *acks, int8_t type_max, bool renews)
{
    struct item *item;
    bool any = false;

    acks->waiting = 1;
    for (size_t position = 0; (item = map_next(&acks->items, &position, NULL, NULL)) != NULL;) {
        item->ack.error = item_check(item, type_max, renews);
        any = any || (item->ack.error == KE_NONE && item->count > 0);
    }
    for (size_t position = 0; (item = map_next(&acks->items, &position, NULL, NULL)) != NULL;) {
        if (item->ack.error != KE_NONE)
            continue;
        if (item->count > 0)
            item_run(item);
        else
            item->silent = !any;
    }
    return release(acks);
}

const struct share_ack *
share_acks_next(const struct share_acks *acks, size_t *position)
{
    const struct item *item;

    do
        item = map_next(&acks->items, position, NULL, NULL);
    while (item != NULL && item->silent);
    return item == NULL ? NULL : &item->ack;
}
