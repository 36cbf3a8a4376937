/* The uniform assignor where all members read the same topics: everybody keeps what fits its share,
 * and gets the rest of it from what nobody has. */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/assignor.h"

struct place {
    int32_t topic;
    int32_t partition;
};

struct uniform {
    struct assignor_group *group;
    int32_t **owned;     /* by topic and partition: whether somebody has it */
    struct place *free_; /* partitions without an owner */
    size_t free_count;
    size_t free_next;
    int32_t *wants; /* by member: partitions still to get */
};

static size_t
partitions_total(const struct assignor_group *group)
{
    size_t total = 0;

    for (int32_t i = 0; i < group->topic_count; i++)
        total += (size_t)group->topics[i].partition_count;
    return total;
}

/* The place of something owned; false where the topic, or the partition, is not to be had. */
static bool
place_of(const struct assignor_group *group, const struct topic_part *part, struct place *out)
{
    out->topic = assignor_topic_find(group, &part->topic_id);
    out->partition = part->partition;
    return out->topic >= 0 && part->partition < group->topics[out->topic].partition_count;
}

static void
owned_mark(struct uniform *u)
{
    struct place place;

    for (int32_t i = 0; i < u->group->member_count; i++) {
        const struct topic_parts *owned = u->group->members[i].owned;

        for (size_t k = 0; k < owned->count; k++)
            if (place_of(u->group, &owned->items[k], &place))
                u->owned[place.topic][place.partition] = 1;
    }
    for (int32_t i = 0; i < u->group->topic_count; i++)
        for (int32_t k = 0; k < u->group->topics[i].partition_count; k++)
            if (u->owned[i][k] == 0)
                u->free_[u->free_count++] = (struct place){i, k};
}

/* A member keeps up to `want` partitions; the others become free. Returns how many it lacks. */
static int32_t
share_keep(struct uniform *u, struct assignor_member *member, int32_t want)
{
    struct place place;

    for (size_t i = 0; i < member->owned->count; i++) {
        if (!place_of(u->group, &member->owned->items[i], &place))
            continue;
        if (want > 0) {
            assignor_give(u->group, member, place.topic, place.partition);
            want--;
        } else {
            u->free_[u->free_count++] = place;
        }
    }
    return want;
}

/* Where the partitions cannot be shared out evenly some members have one more: those that have it
 * already, and only then the last ones. */
static void
shares_keep(struct uniform *u, size_t total)
{
    int32_t members = u->group->member_count;
    int32_t share = (int32_t)(total / (size_t)members);
    int32_t extra = (int32_t)(total % (size_t)members);

    for (int32_t i = 0; i < members; i++) {
        bool one_more = extra > 0;

        u->wants[i] = share_keep(u, &u->group->members[i], share + (one_more ? 1 : 0));
        if (u->wants[i] > 0 && one_more && members - i > extra) {
            u->wants[i]--;
            one_more = false;
        }
        extra -= one_more ? 1 : 0;
    }
}

static void
rest_give(struct uniform *u)
{
    for (int32_t i = 0; i < u->group->member_count; i++) {
        struct assignor_member *member = &u->group->members[i];

        for (; u->wants[i] > 0 && u->free_next < u->free_count; u->wants[i]--) {
            const struct place *place = &u->free_[u->free_next++];

            assignor_give(u->group, member, place->topic, place->partition);
        }
        topic_parts_sort(&member->target);
    }
}

void
assignor_uniform(struct assignor_group *group)
{
    struct uniform u = {.group = group};
    size_t total = partitions_total(group);

    if (group->member_count == 0)
        return;
    if (!group->homogeneous) {
        assignor_balance(group);
        return;
    }
    u.owned = xcalloc((size_t)group->topic_count + 1, sizeof *u.owned);
    for (int32_t i = 0; i < group->topic_count; i++)
        u.owned[i] = xcalloc((size_t)group->topics[i].partition_count + 1, sizeof **u.owned);
    u.free_ = xcalloc(total + 1, sizeof *u.free_);
    u.wants = xcalloc((size_t)group->member_count, sizeof *u.wants);
    owned_mark(&u);
    shares_keep(&u, total);
    rest_give(&u);
    for (int32_t i = 0; i < group->topic_count; i++)
        free(u.owned[i]);
    free(u.owned);
    free(u.free_);
    free(u.wants);
}
