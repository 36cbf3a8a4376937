/*
 * How a member of a streams group comes to its target (CurrentAssignmentBuilder of Kafka 4.3).
 *
 * What it has and shall not have it gives up first; while it still says that it has any of that, or
 * says nothing, it stays at its epoch, UNREVOKED. Then it gets what is free and goes to the
 * target's epoch; while something is not free it is UNRELEASED, and the next heartbeats look again.
 *
 * An active task is free when nobody has it, and the member's process does not keep it ready; a
 * standby or warmup when the process has the task in no way. A member's own tasks that it has just
 * given up count as not free, as in Kafka: it gets them back with its next heartbeat.
 */
#include <string.h>

#include "refbroker/coord/streams_update.h"

struct next {
    struct streams_member *member;
    const struct streams_assignment *target;
    struct streams_assignment keep;     /* has, and shall have */
    struct streams_assignment revoking; /* has, and shall not have */
    struct streams_assignment gain;     /* shall have, and is free */
    bool waits;                         /* something that it shall have is not free */
};

static bool
active_is_taken(void *arg, const char *subtopology_id, int32_t partition)
{
    const struct streams_member *member = arg;

    return streams_group_owner(member->streams, subtopology_id, partition) != NULL ||
           streams_group_holds(member->streams, subtopology_id, partition, member->process_id);
}

static bool
ready_is_taken(void *arg, const char *subtopology_id, int32_t partition)
{
    const struct streams_member *member = arg;
    const struct streams_member *owner =
        streams_group_owner(member->streams, subtopology_id, partition);

    return (owner != NULL && strcmp(owner->process_id, member->process_id) == 0) ||
           streams_group_holds(member->streams, subtopology_id, partition, member->process_id);
}

static void
split_kind(struct next *n, size_t kind, streams_tasks_drops_fn *is_taken)
{
    /* The three kinds, in the order of struct streams_assignment. */
    const struct streams_tasks *const has[] = {
        &n->member->assigned.active, &n->member->assigned.standby, &n->member->assigned.warmup};
    const struct streams_tasks *const shall[] = {
        &n->target->active, &n->target->standby, &n->target->warmup};
    struct streams_tasks *const keep[] = {&n->keep.active, &n->keep.standby, &n->keep.warmup};
    struct streams_tasks *const revoking[] = {
        &n->revoking.active, &n->revoking.standby, &n->revoking.warmup};
    struct streams_tasks *const gain[] = {&n->gain.active, &n->gain.standby, &n->gain.warmup};

    streams_tasks_common(keep[kind], has[kind], shall[kind]);
    streams_tasks_without(revoking[kind], has[kind], shall[kind]);
    streams_tasks_without(gain[kind], shall[kind], has[kind]);
    n->waits = streams_tasks_drop(gain[kind], is_taken, n->member) || n->waits;
}

static void
split(struct next *n)
{
    split_kind(n, 0, active_is_taken);
    split_kind(n, 1, ready_is_taken);
    split_kind(n, 2, ready_is_taken);
    streams_tasks_set_epoch(&n->gain.active, n->member->streams->target_epoch);
}

/* Not told means that it may still have them. */
static bool
still_has(const struct streams_assignment *owned, const struct streams_assignment *revoking)
{
    return owned == NULL || streams_assignment_touches(owned, revoking);
}

static void
state_set(struct streams_member *member, enum streams_member_state state, int32_t epoch)
{
    member->previous_epoch = member->epoch;
    member->epoch = epoch;
    member->state = state;
}

static void
next_compute(struct next *n, int32_t epoch, const struct streams_assignment *owned)
{
    struct streams_member *member = n->member;
    struct streams_assignment none = {0};

    split(n);
    if (!streams_assignment_is_empty(&n->revoking) && still_has(owned, &n->revoking)) {
        state_set(member, STREAMS_UNREVOKED, epoch);
        streams_member_hold(member, &n->keep, &n->revoking);
    } else {
        streams_assignment_merge(&n->keep, &n->gain);
        state_set(
            member, n->waits ? STREAMS_UNRELEASED : STREAMS_STABLE, member->streams->target_epoch);
        streams_member_hold(member, &n->keep, &none);
    }
}

static void
step(struct next *n, const struct streams_assignment *owned)
{
    const struct streams_member *member = n->member;

    switch (member->state) {
    case STREAMS_STABLE:
    case STREAMS_UNRELEASED:
        next_compute(n, member->epoch, owned);
        break;
    case STREAMS_UNREVOKED:
        if (!still_has(owned, &member->revoking))
            next_compute(n, member->epoch + 1, owned);
        break;
    case STREAMS_UNKNOWN:
        next_compute(n, member->streams->target_epoch, owned);
        break;
    }
}

/* What of a member this module changes, to compare. */
struct before {
    enum streams_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct streams_assignment assigned;
    struct streams_assignment revoking;
};

static bool
differs(struct before *before, const struct streams_member *member)
{
    bool differs = before->state != member->state || before->epoch != member->epoch ||
                   before->previous_epoch != member->previous_epoch ||
                   !streams_assignment_equal(&before->assigned, &member->assigned) ||
                   !streams_assignment_equal(&before->revoking, &member->revoking);

    streams_assignment_fini(&before->assigned);
    streams_assignment_fini(&before->revoking);
    return differs;
}

bool
streams_reconcile(struct streams_member *member, const struct streams_assignment *target,
    const struct streams_assignment *owned)
{
    struct before before = {
        member->state, member->epoch, member->previous_epoch, {{0}, {0}, {0}}, {{0}, {0}, {0}}};
    struct next n = {.member = member, .target = target};

    if (member->state == STREAMS_STABLE && member->epoch == member->streams->target_epoch)
        return false;
    streams_assignment_copy(&before.assigned, &member->assigned);
    streams_assignment_copy(&before.revoking, &member->revoking);
    step(&n, owned);
    streams_assignment_fini(&n.keep);
    streams_assignment_fini(&n.revoking);
    streams_assignment_fini(&n.gain);
    return differs(&before, member);
}
