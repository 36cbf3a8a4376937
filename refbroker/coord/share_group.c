#include "refbroker/coord/share_group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/topic_parts.h"

/* --- the group -----------------------------------------------------------------------------------
 */

struct share_group *
share_group_attach(struct group *group)
{
    struct share_group *share = xcalloc(1, sizeof *share);

    share->group = group;
    share->epoch = share->target_epoch = SHARE_EPOCH_FIRST;
    map_init(&share->members);
    map_init(&share->readers);
    group->share = share;
    return share;
}

void
share_group_detach(struct group *group)
{
    struct share_group *share = group->share;
    struct share_member *member;
    size_t position = 0;

    if (share == NULL)
        return;
    while ((member = map_next(&share->members, &position, NULL, NULL)) != NULL)
        share_member_remove(member);
    map_fini(&share->members, NULL);
    map_fini(&share->readers, NULL);
    share_stages_fini(&share->stages);
    free(share);
    group->share = NULL;
}

const char *
share_group_state(const struct share_group *share)
{
    return map_count(&share->members) == 0 ? "Empty" : "Stable";
}

/* --- members -------------------------------------------------------------------------------------
 */

struct share_member *
share_member_find(const struct share_group *share, struct wire_string member_id)
{
    return member_id.size < 0 ? NULL
                              : map_get(&share->members, member_id.data, (size_t)member_id.size);
}

struct share_member *
share_member_add(struct share_group *share, struct wire_string member_id)
{
    struct share_member *member = xcalloc(1, sizeof *member);

    member->share = share;
    member->member_id = xmemdup(member_id.data, (size_t)member_id.size);
    member->client_id = xstrdup("");
    member->client_host = xstrdup("");
    member->previous_epoch = SHARE_EPOCH_PREVIOUS_NONE;
    map_put_text(&share->members, member->member_id, member);
    return member;
}

static void
readers_count(struct share_group *share, const struct text_set *topics, bool more)
{
    for (size_t i = 0; i < topics->count; i++) {
        uintptr_t count = (uintptr_t)map_get_text(&share->readers, topics->items[i]);

        count = more ? count + 1 : count - 1;
        if (count == 0)
            map_remove_text(&share->readers, topics->items[i]);
        else
            map_put_text(&share->readers, topics->items[i], (void *)count);
    }
}

void
share_member_read(struct share_member *member, struct text_set *topics_take)
{
    readers_count(member->share, &member->topics, false);
    text_set_fini(&member->topics);
    member->topics = *topics_take;
    *topics_take = (struct text_set){NULL, 0};
    readers_count(member->share, &member->topics, true);
    member->share->all_assigned = false;
}

void
share_member_remove(struct share_member *member)
{
    struct text_set nothing = {NULL, 0};

    groups_timer_clear(member->share->group->groups, &member->session);
    share_member_read(member, &nothing);
    map_remove_text(&member->share->members, member->member_id);
    share_parts_fini(&member->assigned);
    share_parts_fini(&member->target);
    free(member->member_id);
    free(member->rack_id);
    free(member->client_id);
    free(member->client_host);
    free(member);
}

/* --- what follows from all of them ---------------------------------------------------------------
 */

bool
share_group_is_homogeneous(const struct share_group *share)
{
    size_t position = 0;
    const void *count;

    while ((count = map_next(&share->readers, &position, NULL, NULL)) != NULL)
        if ((size_t)(uintptr_t)count != map_count(&share->members))
            return false;
    return true;
}

static void
parts_join(struct topic_parts *all, const struct share_parts_topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        topic_parts_add(all,
            &(struct topic_part){.topic_id = topic->topic_id, .partition = topic->partitions[i]});
}

/* All partitions that are in some member's target. */
static struct topic_parts
targets_join(const struct share_group *share)
{
    const struct share_member *member;
    struct topic_parts all = {0};
    size_t position = 0;

    while ((member = map_next(&share->members, &position, NULL, NULL)) != NULL)
        for (size_t i = 0; i < member->target.count; i++)
            parts_join(&all, &member->target.topics[i]);
    topic_parts_sort(&all);
    return all;
}

/* How many partitions of a topic are in a sorted set. */
static size_t
count_in(const struct topic_parts *parts, const struct wire_uuid *topic_id)
{
    struct topic_part key = {*topic_id, INT32_MIN, 0};
    size_t low = 0, high = parts->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (topic_parts_compare(&parts->items[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == parts->count || memcmp(&parts->items[low].topic_id, topic_id, sizeof *topic_id) != 0)
        return 0;
    return topic_parts_run(parts, low);
}

static bool
is_given(const struct topic_parts *given, const struct share_topic *topic)
{
    if (count_in(given, &topic->topic_id) != (size_t)topic->partition_count)
        return false;
    for (int32_t i = 0; i < topic->partition_count; i++)
        if (topic_parts_find(given, &topic->topic_id, topic->partitions[i]) == NULL)
            return false;
    return true;
}

bool
share_group_is_unassigned(struct share_group *share)
{
    const struct share_topics *topics = &share->stages.initialized;
    struct topic_parts given;
    bool unassigned = false;

    if (share->all_assigned || map_count(&share->members) == 0 || topics->count == 0 ||
        map_count(&share->readers) == 0)
        return false;
    given = targets_join(share);
    for (size_t i = 0; i < topics->count && !unassigned; i++)
        unassigned = map_get_text(&share->readers, topics->items[i].name) != NULL &&
                     !is_given(&given, &topics->items[i]);
    topic_parts_fini(&given);
    share->all_assigned = !unassigned;
    return unassigned;
}
