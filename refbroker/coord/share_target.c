/* A new target for every member of a share group (TargetAssignmentBuilder of Kafka 4.3): what each
 * reads is told to the assignor, and what it says is kept and recorded where it differs from
 * before. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/member_order.h"
#include "refbroker/coord/share_assignor.h"
#include "refbroker/coord/share_update.h"

struct target {
    struct share_group *share;
    struct share_member **members;
    struct share_assignor_topic *topics;
    struct share_assignor_group group;
    int32_t **places; /* by member: what it reads */
};

static const struct topics *
registry_of(const struct target *t)
{
    return &t->share->group->groups->broker->topics;
}

static int
compare_topic(const void *a, const void *b)
{
    return memcmp(&((const struct share_assignor_topic *)a)->topic_id,
        &((const struct share_assignor_topic *)b)->topic_id, sizeof(struct wire_uuid));
}

/* All topics that exist and are read, with their initialised partitions. */
static void
topics_collect(struct target *t)
{
    size_t position = 0, size;
    const void *name;
    int32_t count = 0;

    t->topics = xcalloc(map_count(&t->share->readers) + 1, sizeof *t->topics);
    while (map_next(&t->share->readers, &position, &name, &size) != NULL) {
        const struct topic *topic = topics_find(registry_of(t), name, size);
        const struct share_topic *done;

        if (topic == NULL)
            continue;
        done = share_topics_find(&t->share->stages.initialized, &topic->topic_id);
        t->topics[count] =
            (struct share_assignor_topic){.topic_id = topic->topic_id, .name = topic->name};
        if (done != NULL) {
            t->topics[count].partitions = done->partitions;
            t->topics[count].partition_count = done->partition_count;
        }
        count++;
    }
    qsort(t->topics, (size_t)count, sizeof *t->topics, compare_topic);
    t->group.topics = t->topics;
    t->group.topic_count = count;
}

static int
compare_place(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static int32_t *
places_make(const struct target *t, const struct share_member *member, int32_t *count)
{
    int32_t *places = xcalloc(member->topics.count + 1, sizeof *places);

    *count = 0;
    for (size_t i = 0; i < member->topics.count; i++) {
        const char *name = member->topics.items[i];
        const struct topic *topic = topics_find(registry_of(t), name, strlen(name));

        if (topic != NULL)
            places[(*count)++] = share_assignor_topic_find(&t->group, &topic->topic_id);
    }
    qsort(places, (size_t)*count, sizeof *places, compare_place);
    return places;
}

/* Unlike a consumer group's, a member that has just come is in the group's table already
 * (ShareGroup.getOrMaybeCreateMember). */
static bool
is_new(const void *arg, const void *member)
{
    (void)arg;
    (void)member;
    return false;
}

/* All members in Kafka's order. */
static void
members_order(struct target *t)
{
    size_t count = map_count(&t->share->members);
    struct member_order *order = member_order_of(&t->share->members, is_new, NULL);

    t->members = xcalloc(count + 1, sizeof(struct share_member *));
    for (size_t i = 0; i < count; i++)
        t->members[i] = order[i].member;
    free(order);
}

static void
members_collect(struct target *t)
{
    size_t count = map_count(&t->share->members);

    t->group.members = xcalloc(count + 1, sizeof *t->group.members);
    t->group.member_count = (int32_t)count;
    t->places = xcalloc(count + 1, sizeof *t->places);
    for (size_t i = 0; i < count; i++) {
        struct share_assignor_member *to = &t->group.members[i];

        t->places[i] = places_make(t, t->members[i], &to->topic_count);
        to->topics = t->places[i];
        to->name_count = t->members[i]->topics.count;
        to->owned = &t->members[i]->target;
    }
}

static void
results_take(struct target *t, const struct share_member *asking, struct group_records *records)
{
    for (int32_t i = 0; i < t->group.member_count; i++) {
        struct share_member *member = t->members[i];
        struct share_parts *result = &t->group.members[i].target;
        bool changed = !member->has_target || !share_parts_same(&member->target, result);

        if (changed || member == asking)
            share_parts_move(&member->target, result);
        else
            share_parts_fini(result);
        if (!changed)
            continue;
        member->has_target = true;
        share_records_target(records, member);
        if (member != asking)
            share_parts_replay(&member->target);
    }
}

void
share_target_make(
    struct share_group *share, const struct share_member *asking, struct group_records *records)
{
    struct target t = {.share = share};

    t.group.homogeneous = share_group_is_homogeneous(share);
    topics_collect(&t);
    members_order(&t);
    members_collect(&t);
    share_assignor_simple(&t.group);
    results_take(&t, asking, records);
    share->all_assigned = false;
    share->target_epoch = share->epoch;
    share->target_ms = env_wall_ms(share->group->groups->broker->env);
    share_records_target_epoch(records, share);
    for (int32_t i = 0; i < t.group.member_count; i++)
        free(t.places[i]);
    free(t.places);
    free(t.members);
    free(t.group.members);
    free(t.topics);
}
