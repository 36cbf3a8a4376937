#include "tests/differ/requests_offsets.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/differ/speaker.h"

#define LONG_METADATA_BYTES 5000 /* above offset.metadata.max.bytes */

/* Kafka makes a group for a commit of nothing but too long texts, and shows it only when something
 * else is written to the same partition of __consumer_offsets: only groups with members get such.
 */
static struct wire_string
offset_metadata(struct making *m, size_t group)
{
    bool may_be_long = group != MEMORY_NONE && !memory_is_empty(m->memory, group);
    char *text;

    if (!making_chance(m, 25) || !may_be_long)
        return making_text(making_chance(m, 3) ? NULL : making_chance(m, 2) ? "" : "metadata");
    text = arena_alloc(m->arena, LONG_METADATA_BYTES + 1);
    memset(text, 'm', LONG_METADATA_BYTES);
    return making_text(text);
}

static void *
offset_commit(struct making *m)
{
    struct km_offset_commit_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker_choose(m, making_chance(m, 2), 7);

    codec_init(&km_offset_commit_request_desc, in);
    if (making_chance(m, 3)) { /* nobody's, as of an admin client */
        s.member_id = making_text("");
        s.instance_id = making_text(NULL);
        s.generation = -1;
    }
    in->group_id = s.group_id;
    in->generation_id_or_member_epoch = s.generation;
    in->member_id = s.member_id;
    in->group_instance_id = s.instance_id;
    MAKING_ARRAY(
        m->arena, km_offset_commit_request_topic_desc, in->topics, 1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct km_offset_commit_request_topic *t = &in->topics.items[i];
        int32_t before = INT32_MIN;

        t->name = making_topic_but(m, in->topics.items[0].name);
        t->topic_id = making_topic_id_but(m, in->topics.items[0].topic_id);
        MAKING_ARRAY(m->arena, km_offset_commit_request_partition_desc, t->partitions,
            1 + (int32_t)making_below(m, 2));
        for (int32_t k = 0; k < t->partitions.count; k++) {
            t->partitions.items[k].partition_index = making_partition_but(m, before);
            before = t->partitions.items[k].partition_index;
            t->partitions.items[k].committed_offset = making_offset(m);
            t->partitions.items[k].committed_leader_epoch = (int32_t)making_below(m, 3) - 1;
            t->partitions.items[k].committed_metadata = offset_metadata(m, s.group);
        }
    }
    return in;
}

static void
partitions_list(struct making *m, int32_t *items, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        items[i] = making_partition_but(m, i == 0 ? INT32_MIN : items[0]);
}

static void
offset_fetch_old(struct making *m, struct km_offset_fetch_request *in)
{
    in->group_id = speaker_group(m);
    if (m->version >= 2 && making_chance(m, 3)) {
        in->topics.count = -1;
        return;
    }
    MAKING_ARRAY(
        m->arena, km_offset_fetch_request_topic_desc, in->topics, 1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->topics.count; i++) {
        in->topics.items[i].name = making_topic_but(m, in->topics.items[0].name);
        MAKING_LIST(m->arena, in->topics.items[i].partition_indexes, 2);
        partitions_list(m, in->topics.items[i].partition_indexes.items, 2);
    }
}

static void *
offset_fetch(struct making *m)
{
    struct km_offset_fetch_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_offset_fetch_request_desc, in);
    in->require_stable = m->version >= 7 && making_chance(m, 2);
    if (m->version < 8) {
        offset_fetch_old(m, in);
        return in;
    }
    MAKING_ARRAY(
        m->arena, km_offset_fetch_request_group_desc, in->groups, 1 + (int32_t)making_below(m, 2));
    for (int32_t g = 0; g < in->groups.count; g++) {
        struct km_offset_fetch_request_group *item = &in->groups.items[g];
        struct speaker s = speaker_choose(m, !making_chance(m, 4), 0);

        item->group_id = s.group_id;
        if (m->version >= 9 && making_chance(m, 2)) {
            item->member_id = s.member_id;
            item->member_epoch = s.generation;
        }
        item->topics.count = -1;
        if (making_chance(m, 3))
            continue;
        MAKING_ARRAY(m->arena, km_offset_fetch_request_topics_desc, item->topics,
            1 + (int32_t)making_below(m, 2));
        for (int32_t i = 0; i < item->topics.count; i++) {
            item->topics.items[i].name = making_topic_but(m, item->topics.items[0].name);
            item->topics.items[i].topic_id = making_topic_id_but(m, item->topics.items[0].topic_id);
            MAKING_LIST(m->arena, item->topics.items[i].partition_indexes, 2);
            partitions_list(m, item->topics.items[i].partition_indexes.items, 2);
        }
    }
    return in;
}

static void *
offset_delete(struct making *m)
{
    struct km_offset_delete_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_offset_delete_request_desc, in);
    in->group_id = speaker_group(m);
    MAKING_ARRAY(m->arena, km_offset_delete_request_topic_desc, in->topics, 1);
    in->topics.items[0].name = making_topic(m);
    MAKING_ARRAY(m->arena, km_offset_delete_request_partition_desc, in->topics.items[0].partitions,
        1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0, before = INT32_MIN; i < in->topics.items[0].partitions.count; i++) {
        before = making_partition_but(m, before);
        in->topics.items[0].partitions.items[i].partition_index = before;
    }
    return in;
}

const struct maker requests_offsets[] = {
    {KM_OFFSET_COMMIT, 10, 0, INT16_MAX, MAKING_NOTHING_ELSE, offset_commit},
    {KM_OFFSET_FETCH, 8, 0, INT16_MAX, MAKING_NOTHING_ELSE, offset_fetch},
    {KM_OFFSET_DELETE, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, offset_delete},
};

const size_t requests_offsets_count = ARRAY_LEN(requests_offsets);
