/* A new target for every member of a streams group (TargetAssignmentBuilder of Kafka 4.3): tasks
 * and members are told to the assignor, and what it says is kept and recorded where it differs from
 * before. Without a topology that is ready nobody is to have anything. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/member_order.h"
#include "refbroker/coord/streams_assignor.h"
#include "refbroker/coord/streams_update.h"

struct target {
    struct streams_group *streams;
    struct streams_member **members; /* in Kafka's order */
    struct streams_assignor_subtopology *subtopologies;
    struct streams_assignor_group group;
};

static bool
is_new(const void *arg, const void *member)
{
    (void)arg;
    return ((const struct streams_member *)member)->is_new;
}

static void
members_order(struct target *t)
{
    size_t count = map_count(&t->streams->members);
    struct member_order *order = member_order_of(&t->streams->members, is_new, NULL);

    t->members = xcalloc(count + 1, sizeof(struct streams_member *));
    for (size_t i = 0; i < count; i++)
        t->members[i] = order[i].member;
    free(order);
}

static void
members_collect(struct target *t)
{
    size_t count = map_count(&t->streams->members);

    t->group.members = xcalloc(count + 1, sizeof *t->group.members);
    t->group.member_count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct streams_assignor_member *to = &t->group.members[i];

        to->member_id = t->members[i]->member_id;
        to->process_id = t->members[i]->process_id;
        to->owned = &t->members[i]->target;
    }
}

static void
subtopologies_collect(struct target *t)
{
    const struct streams_topics *topics = &t->streams->topics;
    int32_t count = topics->subtopology_count;

    t->subtopologies = xcalloc((size_t)count + 1, sizeof *t->subtopologies);
    for (int32_t i = 0; i < count; i++)
        t->subtopologies[i] = (struct streams_assignor_subtopology){
            .subtopology_id = topics->subtopologies[i].from->subtopology_id.data,
            .task_count = topics->subtopologies[i].task_count,
            .is_stateful = topics->subtopologies[i].is_stateful};
    t->group.subtopologies = t->subtopologies;
    t->group.subtopology_count = count;
}

static void
results_take(struct target *t, struct group_records *records)
{
    for (int32_t i = 0; i < t->group.member_count; i++) {
        struct streams_member *member = t->members[i];
        struct streams_assignment *result = &t->group.members[i].target;

        if (member->has_target && streams_assignment_same(&member->target, result)) {
            streams_assignment_fini(result);
            continue;
        }
        streams_assignment_move(&member->target, result);
        member->has_target = true;
        streams_records_target(records, member);
    }
}

/* As the group's settings of the assignment say, which may be those of before. */
static int32_t
standbys_of(const struct streams_group *streams)
{
    for (size_t i = 0; i < streams->settings.count; i++)
        if (strcmp(streams->settings.items[i].name, STREAMS_SETTING_STANDBYS) == 0)
            return (int32_t)strtol(streams->settings.items[i].value, NULL, 10);
    return 0;
}

void
streams_target_make(struct streams_group *streams, struct group_records *records)
{
    struct target t = {.streams = streams};

    members_order(&t);
    members_collect(&t);
    if (streams_group_is_ready(streams)) {
        subtopologies_collect(&t);
        t.group.standby_replicas = standbys_of(streams);
        streams_assignor_sticky(&t.group);
    }
    results_take(&t, records);
    streams->target_epoch = streams->epoch;
    streams->target_ms = env_wall_ms(streams->group->groups->broker->env);
    streams_records_target_epoch(records, streams);
    free(t.group.members);
    free(t.subtopologies);
    free(t.members);
}
