/* ListGroups and OffsetFetch: which groups there are, and on which topics they keep offsets. */
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define GROUPS_PER_REQUEST 50
#define OFFSET_FETCH_MANY 8 /* the version that asks for many groups (KIP-709) */

/* Null for all topics came with 2; with 10 topics are named by id. */
static const struct wire_range offset_fetch_versions = {2, 9};

/* --- ListGroups, of every broker ------------------------------------------------------------- */

static bool
is_text(struct wire_string text, const char *other)
{
    size_t size = strlen(other);

    return text.size == (int32_t)size && strncasecmp(text.data, other, size) == 0;
}

static enum audit_group_type
type_of(struct wire_string name)
{
    static const char *const names[] = {"classic", "consumer", "share", "streams"};

    for (int i = 0; i < AUDIT_GROUP_TYPES; i++)
        if (is_text(name, names[i]))
            return (enum audit_group_type)i;
    return AUDIT_GROUP_CLASSIC;
}

static int16_t
list_take(struct audit_inventory *inventory, const void *answer)
{
    const struct km_list_groups_response *response = answer;

    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_list_groups_response_listed_group *listed = &response->groups.items[i];
        struct audit_group *group =
            inventory_add_group(inventory, listed->group_id, type_of(listed->group_type));

        group->state =
            inventory_text(inventory, listed->group_state.data, listed->group_state.size);
    }
    return response->error_code;
}

/* --- OffsetFetch; share groups keep no offsets of this kind ---------------------------------- */

struct committing {
    const struct probe *probe;
    uint32_t *groups; /* item to group */
};

static void
commits_target(void *arg, uint32_t item, struct cluster_target *out)
{
    struct committing *own = arg;

    *out = (struct cluster_target){
        CLUSTER_GROUP, own->probe->inventory->groups[own->groups[item]].id, 0};
}

static size_t
commits_build(void *arg, struct cluster_fan_batch *batch)
{
    struct committing *own = arg;
    struct km_offset_fetch_request *request = batch->request;
    const struct audit_group *groups = own->probe->inventory->groups;

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

/* Takes one committed offset: how far behind the group is, and whether what it wants is gone. */
static void
commit_take(struct audit_inventory *inventory, uint32_t group, struct wire_string topic,
    int32_t index, int64_t committed)
{
    uint32_t number = inventory_partition(inventory, inventory_topic(inventory, topic), index);
    const struct audit_partition *partition;
    struct audit_use *use;

    if (committed < 0)
        return;
    use = inventory_use(inventory, group, topic, true, false);
    if (use == NULL || number == INVENTORY_NO_NUMBER)
        return;
    partition = &inventory->partitions[number];
    if (partition->end_offset < 0)
        return;
    if (committed < partition->log_start_offset)
        use->lost++;
    if (committed < partition->end_offset)
        use->lag = saturate_add(use->lag, saturate_subtract(partition->end_offset, committed));
}

static void
commits_one(struct committing *own, struct cluster_fan_batch *batch)
{
    const struct km_offset_fetch_response *response = batch->response;
    uint32_t item = batch->items[0];

    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t k = 0; k < response->topics.items[i].partitions.count; k++)
            commit_take(own->probe->inventory, own->groups[item], response->topics.items[i].name,
                response->topics.items[i].partitions.items[k].partition_index,
                response->topics.items[i].partitions.items[k].committed_offset);
    cluster_fan_settle(batch->fan, item, settled(response->error_code));
}

static void
commits_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct committing *own = arg;
    struct audit_inventory *inventory = own->probe->inventory;
    const struct km_offset_fetch_response *response = batch->response;

    if (batch->version < OFFSET_FETCH_MANY) {
        commits_one(own, batch);
        return;
    }
    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_offset_fetch_response_group *answer = &response->groups.items[i];
        uint32_t number = inventory_group(inventory, answer->group_id);

        for (int32_t k = 0; k < answer->topics.count && number != INVENTORY_NO_NUMBER; k++)
            for (int32_t p = 0; p < answer->topics.items[k].partitions.count; p++)
                commit_take(inventory, number, answer->topics.items[k].name,
                    answer->topics.items[k].partitions.items[p].partition_index,
                    answer->topics.items[k].partitions.items[p].committed_offset);
        for (size_t k = 0; k < batch->count; k++)
            if (own->groups[batch->items[k]] == number)
                cluster_fan_settle(batch->fan, batch->items[k], settled(answer->error_code));
    }
}

static void
commits_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct committing *own = arg;

    if (rc != RC_OK)
        inventory_gap(own->probe->inventory, INVENTORY_NO_NUMBER, AUDIT_COMMITS,
            own->probe->inventory->groups[own->groups[item]].id, rc, code, e);
}

void
probe_commits(const struct probe *probe)
{
    struct committing own = {probe, xcalloc(probe->inventory->group_count + 1, sizeof *own.groups)};
    struct cluster_fan_spec spec = {.api = frame_api(KM_OFFSET_FETCH),
        .wanted = &offset_fetch_versions,
        .target = commits_target,
        .build = commits_build,
        .parse = commits_parse,
        .done = commits_done,
        .arg = &own,
        .batch_items_max = GROUPS_PER_REQUEST};

    for (uint32_t i = 0; i < probe->inventory->group_count; i++)
        if (probe->inventory->groups[i].type != AUDIT_GROUP_SHARE)
            own.groups[spec.item_count++] = i;
    probe_fan(probe, AUDIT_COMMITS, &spec);
    free(own.groups);
}

void
probe_groups(const struct probe *probe)
{
    probe_list(probe, AUDIT_GROUPS, KM_LIST_GROUPS, true, list_take);
}
