/* A new target for every member of a group (TargetAssignmentBuilder of Kafka 4.3): what each reads
 * is told to the assignor, and what it says is kept and recorded where it differs from before. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/assignor.h"
#include "refbroker/coord/consumer_update.h"
#include "refbroker/coord/member_order.h"

struct target {
    struct consumer_group *consumer;
    struct consumer_member **members;
    struct assignor_group group;
    struct assignor_topic *topics;
    int32_t **places; /* by member: what it reads; with a homogeneous group one for all */
};

static int
compare_topic(const void *a, const void *b)
{
    return memcmp(&((const struct assignor_topic *)a)->topic_id,
        &((const struct assignor_topic *)b)->topic_id, sizeof(struct wire_uuid));
}

/* All topics that exist and are read. */
static void
topics_collect(struct target *t)
{
    const struct topics *topics = &t->consumer->group->groups->broker->topics;
    size_t position = 0, size;
    const void *name;
    int32_t count = 0;

    t->topics = xcalloc(map_count(&t->consumer->readers) + 1, sizeof *t->topics);
    while (map_next(&t->consumer->readers, &position, &name, &size) != NULL) {
        const struct topic *topic = topics_find(topics, name, size);

        if (topic != NULL)
            t->topics[count++] = (struct assignor_topic){topic->topic_id, topic->partition_count};
    }
    qsort(t->topics, (size_t)count, sizeof *t->topics, compare_topic);
    t->group.topics = t->topics;
    t->group.topic_count = count;
}

static int32_t *
places_make(const struct target *t, const struct consumer_member *member, int32_t *count)
{
    size_t ids_count;
    struct wire_uuid *ids = consumer_member_topics(member, &ids_count);
    int32_t *places = xcalloc(ids_count + 1, sizeof *places);

    *count = 0;
    for (size_t i = 0; i < ids_count; i++)
        places[(*count)++] = assignor_topic_find(&t->group, &ids[i]);
    free(ids);
    return places;
}

/* The one that asks is not yet in the group where it has just come. */
static bool
is_new(const void *asking, const void *member)
{
    return member == asking &&
           ((const struct consumer_member *)member)->epoch == CONSUMER_EPOCH_JOIN;
}

/* All members in Kafka's order. */
static void
members_order(struct target *t, const struct consumer_member *asking)
{
    size_t count = map_count(&t->consumer->members);
    struct member_order *order = member_order_of(&t->consumer->members, is_new, asking);

    t->members = xcalloc(count + 1, sizeof(struct consumer_member *));
    for (size_t i = 0; i < count; i++)
        t->members[i] = order[i].member;
    free(order);
}

static void
members_collect(struct target *t)
{
    size_t count = map_count(&t->consumer->members);
    int32_t shared_count = 0;

    t->group.members = xcalloc(count + 1, sizeof *t->group.members);
    t->places = xcalloc(count + 1, sizeof *t->places);
    for (size_t i = 0; i < count; i++) {
        struct consumer_member *member = t->members[i];
        struct assignor_member *to = &t->group.members[t->group.member_count++];

        to->member_id = member->member_id;
        to->instance_id = member->instance_id;
        to->owned = &member->target;
        if (i == 0 || !t->group.homogeneous)
            t->places[i] = places_make(t, member, &shared_count);
        to->topics = t->places[t->group.homogeneous ? 0 : i];
        to->topic_count = shared_count;
    }
}

static void
results_take(struct target *t, struct group_records *records)
{
    for (int32_t i = 0; i < t->group.member_count; i++) {
        struct consumer_member *member = t->members[i];
        struct topic_parts *result = &t->group.members[i].target;
        bool is_new = member->epoch == CONSUMER_EPOCH_JOIN;

        if (!is_new && topic_parts_same(&member->target, result)) {
            topic_parts_fini(result);
            continue;
        }
        topic_parts_move(&member->target, result);
        consumer_records_target(records, member);
    }
}

void
consumer_target_make(struct consumer_group *consumer, const struct consumer_member *asking,
    struct group_records *records)
{
    struct target t = {.consumer = consumer};

    t.group.homogeneous = consumer_group_is_homogeneous(consumer);
    topics_collect(&t);
    members_order(&t, asking);
    members_collect(&t);
    assignor_find(consumer_group_assignor(consumer, asking))(&t.group);
    results_take(&t, records);
    consumer->target_epoch = consumer->epoch;
    consumer->target_ms = env_wall_ms(consumer->group->groups->broker->env);
    consumer_records_target_epoch(records, consumer);
    for (int32_t i = 0; i < t.group.member_count; i++)
        free(t.places[i]);
    free(t.places);
    free(t.members);
    free(t.group.members);
    free(t.topics);
}
