#include "mirror/group_offsets.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define GROUPS_PER_REQUEST 100
#define OFFSET_FETCH_STABLE 7 /* the version that may ask for stable offsets (KIP-447), */
#define OFFSET_FETCH_MANY 8   /* and the one that asks for many groups (KIP-709) */

/* Null for all topics came with 2; with 10 topics are named by id. */
static const struct wire_range fetch_versions = {2, 9};
static const struct wire_range commit_versions = {2, 9};

/* One fan; its items are the groups that it is about. */
struct asking {
    const struct selection *selection;
    const struct group_list *list;
    struct group_offsets *offsets; /* by group */
    uint32_t *groups;              /* item to group, */
    uint32_t *items;               /* and back; UINT32_MAX: none */
    uint32_t count;
    const char *api; /* for words */
};

static void
asking_init(struct asking *asking, const struct selection *selection, const struct group_list *list,
    struct group_offsets *offsets)
{
    *asking = (struct asking){.selection = selection, .list = list, .offsets = offsets};
    asking->groups = xcalloc((size_t)list->count + 1, sizeof *asking->groups);
    asking->items = xcalloc((size_t)list->count + 1, sizeof *asking->items);
    for (uint32_t i = 0; i < list->count; i++)
        asking->items[i] = UINT32_MAX;
}

static void
asking_add(struct asking *asking, uint32_t group)
{
    asking->items[group] = asking->count;
    asking->groups[asking->count++] = group;
}

static void
asking_fini(struct asking *asking)
{
    free(asking->groups);
    free(asking->items);
}

static const char *
group_id(const struct asking *asking, uint32_t item)
{
    return asking->list->groups[asking->groups[item]].id;
}

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out = (struct cluster_target){CLUSTER_GROUP, group_id(arg, item), 0};
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct asking *asking = arg;
    struct group_offsets *offsets = &asking->offsets[asking->groups[item]];

    if (rc == RC_OK)
        return;
    offsets->code = code;
    if (rc == RC_REMOTE)
        err_set(&offsets->failed, rc, "%s: %d %s", asking->api, code, kerr_name(code));
    else
        offsets->failed = *e;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static size_t
fetch_build(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    struct km_offset_fetch_request *request = batch->request;

    request->require_stable = batch->version >= OFFSET_FETCH_STABLE;
    if (batch->version < OFFSET_FETCH_MANY) {
        request->group_id = codec_string(group_id(asking, batch->items[0]));
        request->topics.count = -1;
        return 1;
    }
    request->groups.items =
        codec_array(batch->arena, &km_offset_fetch_request_group_desc, (int32_t)batch->count);
    if (request->groups.items == NULL)
        return 0;
    request->groups.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        request->groups.items[i].group_id = codec_string(group_id(asking, batch->items[i]));
        request->groups.items[i].topics.count = -1;
    }
    return batch->count;
}

/* One partition of an answer, of whichever version. */
struct told {
    struct wire_string topic;
    int32_t partition;
    int64_t offset;
    struct wire_string metadata;
    int16_t code;
};

static void
told_take(const struct asking *asking, struct group_offsets *out, const struct told *told)
{
    uint32_t number = selection_find(asking->selection, told->topic, told->partition);

    if (told->offset < 0 && told->code == KE_NONE)
        return; /* nothing is committed */
    if (number == UINT32_MAX) {
        out->elsewhere++;
        return;
    }
    group_offsets_add(out, number, told->code == KE_NONE ? told->offset : -1, told->metadata);
    out->items[out->count - 1].code = told->code;
}

static int
by_partition(const void *a, const void *b)
{
    const struct group_offset *x = a, *y = b;

    return (x->partition > y->partition) - (x->partition < y->partition);
}

/* What an answer tells twice counts once. */
static void
order(struct group_offsets *out)
{
    uint32_t kept = 0;

    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_partition);
    for (uint32_t i = 0; i < out->count; i++) {
        if (kept > 0 && out->items[kept - 1].partition == out->items[i].partition)
            free(out->items[i].metadata);
        else
            out->items[kept++] = out->items[i];
    }
    out->count = kept;
}

/* A group that vanished meanwhile has no offsets, which is no failure. */
static int16_t
settled(int16_t code)
{
    return code == KE_GROUP_ID_NOT_FOUND ? KE_NONE : code;
}

static void
group_take(struct asking *asking, struct cluster_fan_batch *batch,
    const struct km_offset_fetch_response_group *answer)
{
    uint32_t group = group_list_find(asking->list, answer->group_id);
    uint32_t item = group == UINT32_MAX ? UINT32_MAX : asking->items[group];

    if (!cluster_fan_is_asked(batch->fan, item))
        return;
    for (int32_t i = 0; answer->error_code == KE_NONE && i < answer->topics.count; i++) {
        const struct km_offset_fetch_response_topics *topic = &answer->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_offset_fetch_response_partitions *p = &topic->partitions.items[k];

            told_take(asking, &asking->offsets[group],
                &(struct told){topic->name, p->partition_index, p->committed_offset, p->metadata,
                    p->error_code});
        }
    }
    order(&asking->offsets[group]);
    cluster_fan_settle(batch->fan, item, settled(answer->error_code));
}

static void
fetch_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    const struct km_offset_fetch_response *response = batch->response;
    struct group_offsets *out = &asking->offsets[asking->groups[batch->items[0]]];

    for (int32_t i = 0; i < response->groups.count; i++)
        group_take(asking, batch, &response->groups.items[i]);
    if (batch->version >= OFFSET_FETCH_MANY)
        return;
    for (int32_t i = 0; response->error_code == KE_NONE && i < response->topics.count; i++) {
        const struct km_offset_fetch_response_topic *topic = &response->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_offset_fetch_response_partition *p = &topic->partitions.items[k];

            told_take(asking, out,
                &(struct told){topic->name, p->partition_index, p->committed_offset, p->metadata,
                    p->error_code});
        }
    }
    order(out);
    cluster_fan_settle(batch->fan, batch->items[0], settled(response->error_code));
}

void
group_offsets_read(struct cluster *cluster, const struct selection *selection,
    const struct group_list *list, const bool *wanted, struct group_offsets *out)
{
    struct asking asking;
    struct cluster_fan_spec spec = {.api = frame_api(KM_OFFSET_FETCH),
        .wanted = &fetch_versions,
        .target = target,
        .build = fetch_build,
        .parse = fetch_parse,
        .done = done,
        .arg = &asking,
        .batch_items_max = GROUPS_PER_REQUEST,
        .aside = true};

    asking_init(&asking, selection, list, out);
    asking.api = "OffsetFetch";
    for (uint32_t i = 0; i < list->count; i++)
        if (group_list_commits(list->groups[i].type) && (wanted == NULL || wanted[i]))
            asking_add(&asking, i);
    spec.item_count = asking.count;
    cluster_fan_out(cluster, &spec, NULL);
    asking_fini(&asking);
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* The partitions of one topic from offsets->items[*at] on. */
static void
topic_build(const struct asking *asking, const struct group_offsets *offsets, uint32_t *at,
    struct arena *arena, struct km_offset_commit_request_topic *topic)
{
    const struct selection *s = asking->selection;
    uint32_t first = *at, of = s->partitions[offsets->items[first].partition].topic;

    while (*at < offsets->count && s->partitions[offsets->items[*at].partition].topic == of)
        ++*at;
    topic->name = codec_string(s->topics[of].name);
    topic->partitions.items =
        codec_array(arena, &km_offset_commit_request_partition_desc, (int32_t)(*at - first));
    topic->partitions.count = (int32_t)(*at - first);
    for (uint32_t i = first; topic->partitions.items != NULL && i < *at; i++) {
        struct km_offset_commit_request_partition *p = &topic->partitions.items[i - first];

        p->partition_index = s->partitions[offsets->items[i].partition].partition;
        p->committed_offset = offsets->items[i].offset;
        p->committed_metadata =
            (struct wire_string){offsets->items[i].metadata, offsets->items[i].metadata_size};
    }
}

static size_t
commit_build(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    const struct group_offsets *offsets = &asking->offsets[asking->groups[batch->items[0]]];
    struct km_offset_commit_request *request = batch->request;
    uint32_t at = 0;

    request->group_id = codec_string(group_id(asking, batch->items[0]));
    /* As many topics as partitions, at most. */
    request->topics.items =
        codec_array(batch->arena, &km_offset_commit_request_topic_desc, (int32_t)offsets->count);
    while (at < offsets->count && !arena_is_full(batch->arena))
        topic_build(
            asking, offsets, &at, batch->arena, &request->topics.items[request->topics.count++]);
    return 1;
}

/* The group's code is the first one of its partitions that is none. */
static void
commit_parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_offset_commit_response *response = batch->response;
    int16_t code = KE_NONE;

    (void)arg;
    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t k = 0; k < response->topics.items[i].partitions.count; k++)
            if (code == KE_NONE)
                code = response->topics.items[i].partitions.items[k].error_code;
    cluster_fan_settle(batch->fan, batch->items[0], code);
}

void
group_offsets_commit(struct cluster *cluster, const struct selection *selection,
    const struct group_list *list, struct group_offsets *offsets)
{
    struct asking asking;
    struct cluster_fan_spec spec = {.api = frame_api(KM_OFFSET_COMMIT),
        .wanted = &commit_versions,
        .target = target,
        .build = commit_build,
        .parse = commit_parse,
        .done = done,
        .arg = &asking,
        .batch_items_max = 1,
        .aside = true};

    asking_init(&asking, selection, list, offsets);
    asking.api = "OffsetCommit";
    for (uint32_t i = 0; i < list->count; i++)
        if (offsets[i].count > 0)
            asking_add(&asking, i);
    spec.item_count = asking.count;
    cluster_fan_out(cluster, &spec, NULL);
    asking_fini(&asking);
}

/* --- memory ------------------------------------------------------------------------------------
 */

void
group_offsets_add(
    struct group_offsets *offsets, uint32_t partition, int64_t offset, struct wire_string metadata)
{
    int32_t size = metadata.size < 0 ? 0 : metadata.size;

    /* Grown by doubling: at each power of two. */
    if ((offsets->count & (offsets->count - 1)) == 0)
        offsets->items = xrealloc(offsets->items,
            offsets->count == 0 ? 1 : (size_t)offsets->count * 2, sizeof *offsets->items);
    offsets->items[offsets->count++] = (struct group_offset){
        partition, offset, KE_NONE, xmemdup(size == 0 ? "" : metadata.data, (size_t)size), size};
}

const struct group_offset *
group_offsets_find(const struct group_offsets *offsets, uint32_t partition)
{
    const struct group_offset key = {.partition = partition};

    return offsets->count == 0 ? NULL
                               : bsearch(&key, offsets->items, offsets->count,
                                     sizeof *offsets->items, by_partition);
}

void
group_offsets_free(struct group_offsets *offsets, uint32_t count)
{
    for (uint32_t i = 0; offsets != NULL && i < count; i++) {
        for (uint32_t k = 0; k < offsets[i].count; k++)
            free(offsets[i].items[k].metadata);
        free(offsets[i].items);
    }
    free(offsets);
}
