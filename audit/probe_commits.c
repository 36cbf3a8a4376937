/* OffsetFetch: on which topics groups keep offsets; share groups keep none of this kind. */
#include <stdlib.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define GROUPS_PER_REQUEST 500
/* As many as a connection carries: what a broker has to do while the list of topics is read. */
#define BATCHES_PER_BROKER CONN_IN_FLIGHT_MAX
#define OFFSET_FETCH_STABLE 7 /* the version that may ask for stable offsets (KIP-447), */
#define OFFSET_FETCH_MANY 8   /* and the one that asks for many groups (KIP-709) */
/* Of answers that wait until the topics are known; what they are not enough for is asked then. */
#define KEPT_BYTES_MAX ((size_t)8 << 20)

/* Null for all topics came with 2; with 10 topics are named by id. */
static const struct wire_range offset_fetch_versions = {2, 9};

/* An answer, and the group that one of before OFFSET_FETCH_MANY speaks of. */
struct kept {
    struct conn_reply *reply;
    uint32_t group;
};

struct probe_commits {
    struct probe probe;
    uint32_t *groups; /* item to group, */
    uint32_t *items;  /* and group to item; INVENTORY_NO_NUMBER: it is not asked for */
    uint32_t group_count;
    struct cluster_fan *fan; /* NULL: nothing to ask */
    bool keeps;              /* the topics, or where they end, may not be known */
    struct kept *kept;
    size_t kept_count;
    size_t kept_bytes;
    uint32_t *left; /* groups that are asked for behind them */
    uint32_t left_count;
    bool wants_stable;  /* offsets; others are told when these have been asked for */
    uint32_t *unstable; /* groups with others */
    uint32_t unstable_count;
    bool *is_unstable; /* by group */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    struct probe_commits *own = arg;

    *out = (struct cluster_target){
        CLUSTER_GROUP, own->probe.inventory->groups[own->groups[item]].id, 0};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct probe_commits *own = arg;
    struct km_offset_fetch_request *request = batch->request;
    const struct audit_group *groups = own->probe.inventory->groups;

    request->require_stable = own->wants_stable && batch->version >= OFFSET_FETCH_STABLE;
    if (batch->version < OFFSET_FETCH_MANY) {
        request->group_id = codec_string(groups[own->groups[batch->items[0]]].id);
        request->topics.count = -1;
        return 1;
    }
    request->groups.items =
        codec_array(batch->arena, &km_offset_fetch_request_group_desc, (int32_t)batch->count);
    if (request->groups.items == NULL)
        return 0;
    request->groups.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        request->groups.items[i].group_id = codec_string(groups[own->groups[batch->items[i]]].id);
        request->groups.items[i].topics.count = -1;
    }
    return batch->count;
}

/* A group that vanished meanwhile is no failure. */
static int16_t
settled(int16_t code)
{
    return code == KE_GROUP_ID_NOT_FOUND ? KE_NONE : code;
}

/* A group's offsets of one topic. */
struct taking {
    struct audit_inventory *inventory;
    uint32_t group;
    struct wire_string name;
    uint32_t topic;
    struct audit_use *use; /* NULL until there is an offset */
    bool is_unstable;      /* a transaction is about to commit others */
};

/* One offset, of whichever version. */
struct commit {
    int32_t partition;
    int64_t offset;
    int32_t epoch;
    int16_t error;
};
typedef void commit_fn(struct taking *to, const struct commit *commit);

static struct audit_use *
use_of(struct taking *to)
{
    if (to->use == NULL)
        to->use = inventory_use(to->inventory, to->group, to->name, true, false);
    return to->use;
}

/* Notes an offset that is not told while a transaction is open that commits another (KIP-447). */
static void
unstable_take(struct taking *to, const struct commit *commit)
{
    if (commit->error != KE_UNSTABLE_OFFSET_COMMIT)
        return;
    to->is_unstable = true;
    if (use_of(to) != NULL)
        to->use->pending++;
}

/* Whether a log was cut back below an offset whose record somebody has read: later epochs begin
 * below it (KIP-320). */
static bool
is_overwritten(const struct audit_partition *partition, const struct commit *commit)
{
    return commit->epoch >= 0 && commit->epoch < partition->leader_epoch &&
           partition->epoch_offset >= 0 && commit->offset > partition->epoch_offset;
}

/* Takes one committed offset: how far behind the group is, and whether what it wants, or what it
 * has read, is gone. */
static void
commit_take(struct taking *to, const struct commit *commit)
{
    uint32_t number = inventory_partition(to->inventory, to->topic, commit->partition);
    const struct audit_partition *partition;

    if (commit->offset < 0 || use_of(to) == NULL || number == INVENTORY_NO_NUMBER)
        return;
    partition = &to->inventory->partitions[number];
    to->use->overwritten += is_overwritten(partition, commit);
    if (partition->end_offset < 0)
        return;
    if (commit->offset < partition->log_start_offset)
        to->use->lost++;
    if (commit->offset < partition->end_offset)
        to->use->lag =
            saturate_add(to->use->lag, saturate_subtract(partition->end_offset, commit->offset));
}

/* Hands each offset of a topic to `take`; returns whether any was unstable. */
static bool
topic_each(struct audit_inventory *inventory, uint32_t group,
    const struct km_offset_fetch_response_topics *topic, commit_fn *take)
{
    struct taking to = {
        inventory, group, topic->name, inventory_topic(inventory, topic->name), NULL, false};

    for (int32_t k = 0; k < topic->partitions.count; k++) {
        const struct km_offset_fetch_response_partitions *p = &topic->partitions.items[k];

        take(&to, &(struct commit){p->partition_index, p->committed_offset,
                      p->committed_leader_epoch, p->error_code});
    }
    return to.is_unstable;
}

/* The same of an answer that speaks of one group. */
static bool
one_topic_each(struct audit_inventory *inventory, uint32_t group,
    const struct km_offset_fetch_response_topic *topic, commit_fn *take)
{
    struct taking to = {
        inventory, group, topic->name, inventory_topic(inventory, topic->name), NULL, false};

    for (int32_t k = 0; k < topic->partitions.count; k++) {
        const struct km_offset_fetch_response_partition *p = &topic->partitions.items[k];

        take(&to, &(struct commit){p->partition_index, p->committed_offset,
                      p->committed_leader_epoch, p->error_code});
    }
    return to.is_unstable;
}

/* Of a group with unstable offsets nothing is counted yet: it is asked again for those that it
 * has. */
static void
unstable_add(struct probe_commits *own, uint32_t group)
{
    if (!own->is_unstable[group])
        own->unstable[own->unstable_count++] = group;
    own->is_unstable[group] = true;
}

static void
group_take(struct probe_commits *own, const struct km_offset_fetch_response_group *answer)
{
    struct audit_inventory *inventory = own->probe.inventory;
    uint32_t group = inventory_group(inventory, answer->group_id);
    bool is_unstable = false;

    if (group >= own->group_count)
        return;
    for (int32_t i = 0; i < answer->topics.count; i++)
        is_unstable |= topic_each(inventory, group, &answer->topics.items[i], unstable_take);
    if (is_unstable)
        unstable_add(own, group);
    for (int32_t i = 0; !is_unstable && i < answer->topics.count; i++)
        (void)topic_each(inventory, group, &answer->topics.items[i], commit_take);
}

static void
answer_take(struct probe_commits *own, const struct kept *kept)
{
    const struct km_offset_fetch_response *response = kept->reply->response;
    struct audit_inventory *inventory = own->probe.inventory;
    bool is_unstable = false;

    for (int32_t i = 0; i < response->topics.count; i++)
        is_unstable |=
            one_topic_each(inventory, kept->group, &response->topics.items[i], unstable_take);
    if (is_unstable)
        unstable_add(own, kept->group);
    for (int32_t i = 0; !is_unstable && i < response->topics.count; i++)
        (void)one_topic_each(inventory, kept->group, &response->topics.items[i], commit_take);
    for (int32_t i = 0; i < response->groups.count; i++)
        group_take(own, &response->groups.items[i]);
}

static void
settle(const struct probe_commits *own, struct cluster_fan_batch *batch)
{
    const struct km_offset_fetch_response *response = batch->response;

    if (batch->version < OFFSET_FETCH_MANY) {
        cluster_fan_settle(batch->fan, batch->items[0], settled(response->error_code));
        return;
    }
    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_offset_fetch_response_group *answer = &response->groups.items[i];
        uint32_t number = inventory_group(own->probe.inventory, answer->group_id);

        if (number < own->group_count && own->items[number] != INVENTORY_NO_NUMBER)
            cluster_fan_settle(batch->fan, own->items[number], settled(answer->error_code));
    }
}

static void
keep(struct probe_commits *own, const struct kept *kept)
{
    own->kept = xrealloc(own->kept, own->kept_count + 1, sizeof *own->kept);
    own->kept[own->kept_count++] = *kept;
    own->kept_bytes += kept->reply->frame->size;
    conn_reply_ref(kept->reply);
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct probe_commits *own = arg;
    struct kept kept = {batch->reply, own->groups[batch->items[0]]};

    if (!own->keeps) {
        answer_take(own, &kept);
    } else if (own->kept_bytes + batch->reply->frame->size <= KEPT_BYTES_MAX) {
        keep(own, &kept);
    } else {
        for (size_t i = 0; i < batch->count; i++) {
            own->left[own->left_count++] = own->groups[batch->items[i]];
            cluster_fan_settle(batch->fan, batch->items[i], KE_NONE);
        }
        return;
    }
    settle(own, batch);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct probe_commits *own = arg;

    if (own->keeps && rc == RC_LIMIT)
        own->left[own->left_count++] = own->groups[item];
    else if (rc != RC_OK)
        inventory_gap(own->probe.inventory, INVENTORY_NO_NUMBER, AUDIT_COMMITS,
            own->probe.inventory->groups[own->groups[item]].id, rc, code, e);
}

/* To ask for the first `count` of own->groups. */
static struct cluster_fan_spec
spec_of(struct probe_commits *own, uint32_t count)
{
    for (uint32_t i = 0; i < own->group_count; i++)
        own->items[i] = INVENTORY_NO_NUMBER;
    for (uint32_t i = 0; i < count; i++)
        own->items[own->groups[i]] = i;
    return (struct cluster_fan_spec){.api = frame_api(KM_OFFSET_FETCH),
        .wanted = &offset_fetch_versions,
        .item_count = count,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = own,
        .batch_items_max = GROUPS_PER_REQUEST,
        .batches_per_broker = BATCHES_PER_BROKER,
        .bytes_max = own->keeps ? KEPT_BYTES_MAX : 0};
}

struct probe_commits *
probe_commits_begin(const struct probe *probe)
{
    const struct audit_inventory *inventory = probe->inventory;
    struct probe_commits *own = xcalloc(1, sizeof *own);
    struct cluster_fan_spec spec;
    uint32_t count = 0;

    own->probe = *probe;
    own->keeps = own->wants_stable = true;
    own->group_count = inventory->group_count;
    own->groups = xcalloc((size_t)inventory->group_count + 1, sizeof *own->groups);
    own->items = xcalloc((size_t)inventory->group_count + 1, sizeof *own->items);
    own->left = xcalloc((size_t)inventory->group_count + 1, sizeof *own->left);
    own->unstable = xcalloc((size_t)inventory->group_count + 1, sizeof *own->unstable);
    own->is_unstable = xcalloc((size_t)inventory->group_count + 1, sizeof *own->is_unstable);
    for (uint32_t i = 0; i < inventory->group_count; i++)
        if (inventory->groups[i].type != AUDIT_GROUP_SHARE)
            own->groups[count++] = i;
    spec = spec_of(own, count);
    own->fan = probe_fan_start(probe, AUDIT_COMMITS, &spec);
    return own;
}

/* What waits is up to KEPT_BYTES_MAX: it goes before more is asked for. */
static void
kept_free(struct probe_commits *own)
{
    for (size_t i = 0; i < own->kept_count; i++)
        conn_reply_unref(own->kept[i].reply);
    free(own->kept);
    own->kept = NULL;
    own->kept_count = 0;
}

void
probe_commits_drop(struct probe_commits *own)
{
    cluster_fan_free(own->fan);
    kept_free(own);
    free(own->left);
    free(own->unstable);
    free(own->is_unstable);
    free(own->items);
    free(own->groups);
    free(own);
}

/* Asks for groups once more; takes their list. */
static void
ask_again(struct probe_commits *own, uint32_t **groups, uint32_t count)
{
    struct cluster_fan_spec spec;

    if (count == 0)
        return;
    free(own->groups);
    own->groups = *groups;
    *groups = NULL;
    spec = spec_of(own, count);
    probe_fan(&own->probe, AUDIT_COMMITS, &spec);
}

void
probe_commits_end(struct probe_commits *own)
{
    if (own->fan != NULL)
        cluster_fan_finish(own->probe.cluster, own->fan, NULL);
    own->fan = NULL;
    own->keeps = false;
    for (size_t i = 0; i < own->kept_count; i++)
        answer_take(own, &own->kept[i]);
    kept_free(own);
    ask_again(own, &own->left, own->left_count);
    own->wants_stable = false;
    ask_again(own, &own->unstable, own->unstable_count);
    probe_commits_drop(own);
}
