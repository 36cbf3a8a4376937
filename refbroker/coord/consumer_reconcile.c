/*
 * How a member comes to its target (CurrentAssignmentBuilder of Kafka 4.3).
 *
 * What it has and shall not have it gives up first; while it still says that it has any of that it
 * stays at its epoch, UNREVOKED. Then it gets what is free and goes to the target's epoch; while
 * something is not free it is UNRELEASED, and the next heartbeats look again. A topic that it does
 * not read any more counts as not in the target.
 */
#include <stdlib.h>
#include <string.h>

#include "refbroker/coord/consumer_update.h"

struct next {
    struct consumer_member *member;
    const struct wire_uuid *topics; /* that it reads */
    size_t topic_count;
    struct topic_parts keep;     /* has, and shall have */
    struct topic_parts revoking; /* has, and shall not have */
    struct topic_parts gain;     /* shall have, and is free */
    bool waits;                  /* something that it shall have is not free */
};

static int
compare_uuid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct wire_uuid));
}

static bool
reads(const struct next *n, const struct wire_uuid *topic_id)
{
    return n->topic_count > 0 &&
           bsearch(topic_id, n->topics, n->topic_count, sizeof *n->topics, compare_uuid) != NULL;
}

static void
gain(struct next *n, const struct topic_part *part)
{
    const struct consumer_group *consumer = n->member->consumer;
    const struct consumer_member *owner =
        consumer_group_owner(consumer, &part->topic_id, part->partition);
    struct topic_part gained = *part;

    if (owner != NULL && owner != n->member) {
        n->waits = true;
        return;
    }
    gained.epoch = consumer->target_epoch;
    topic_parts_add(&n->gain, &gained);
}

/* Walks what it has and its target side by side. */
static void
split(struct next *n)
{
    const struct topic_parts *assigned = &n->member->assigned, *target = &n->member->target;
    size_t a = 0, t = 0;

    while (a < assigned->count || t < target->count) {
        int order = a == assigned->count ? 1
                    : t == target->count
                        ? -1
                        : topic_parts_compare(&assigned->items[a], &target->items[t]);

        if (order > 0) {
            if (reads(n, &target->items[t].topic_id))
                gain(n, &target->items[t]);
            t++;
            continue;
        }
        if (order == 0 && reads(n, &assigned->items[a].topic_id))
            topic_parts_add(&n->keep, &assigned->items[a]);
        else
            topic_parts_add(&n->revoking, &assigned->items[a]);
        a++;
        t += order == 0;
    }
}

/* Not told means that it may still have them. */
static bool
still_has(const struct topic_parts *owned, const struct topic_parts *revoking)
{
    return owned == NULL || topic_parts_touches(owned, revoking);
}

static void
state_set(struct consumer_member *member, enum consumer_member_state state, int32_t epoch)
{
    member->previous_epoch = member->epoch;
    member->epoch = epoch;
    member->state = state;
}

static void
go_to_target(struct next *n)
{
    struct consumer_member *member = n->member;
    struct topic_parts none = {0};

    for (size_t i = 0; i < n->gain.count; i++)
        topic_parts_add(&n->keep, &n->gain.items[i]);
    topic_parts_sort(&n->keep);
    state_set(member, n->waits ? MEMBER_UNRELEASED : MEMBER_STABLE, member->consumer->target_epoch);
    consumer_member_hold(member, &n->keep, &none);
}

static void
next_compute(struct next *n, const struct topic_parts *owned)
{
    split(n);
    if (n->revoking.count > 0 && still_has(owned, &n->revoking)) {
        state_set(n->member, MEMBER_UNREVOKED, n->member->epoch);
        consumer_member_hold(n->member, &n->keep, &n->revoking);
    } else {
        go_to_target(n);
    }
}

/* What it does not read any more it gives up at once, whatever the target says. */
static void
unread_give_up(struct next *n, const struct topic_parts *owned)
{
    struct consumer_member *member = n->member;
    struct topic_parts revoking = {0};

    for (size_t i = 0; i < member->assigned.count; i++)
        topic_parts_add(reads(n, &member->assigned.items[i].topic_id) ? &n->keep : &n->revoking,
            &member->assigned.items[i]);
    if (n->revoking.count == 0)
        return;
    for (size_t i = 0; i < member->revoking.count; i++)
        topic_parts_add(&n->revoking, &member->revoking.items[i]);
    topic_parts_sort(&n->revoking);
    if (still_has(owned, &n->revoking)) {
        state_set(member, MEMBER_UNREVOKED, member->epoch);
        consumer_member_hold(member, &n->keep, &n->revoking);
    } else {
        state_set(member, member->state, member->epoch);
        topic_parts_copy(&revoking, &member->revoking);
        consumer_member_hold(member, &n->keep, &revoking);
    }
}

static void
step(struct next *n, const struct topic_parts *owned, bool changed)
{
    const struct consumer_member *member = n->member;
    bool arrived =
        member->state == MEMBER_STABLE && member->epoch == member->consumer->target_epoch;
    bool stuck = member->state == MEMBER_UNREVOKED && still_has(owned, &member->revoking);

    if (!arrived && !stuck)
        next_compute(n, owned);
    else if (changed)
        unread_give_up(n, owned);
}

/* What of a member this module changes, to compare. */
struct before {
    enum consumer_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct topic_parts assigned;
    struct topic_parts revoking;
};

static bool
differs(struct before *before, const struct consumer_member *member)
{
    bool differs = before->state != member->state || before->epoch != member->epoch ||
                   before->previous_epoch != member->previous_epoch ||
                   !topic_parts_equal(&before->assigned, &member->assigned) ||
                   !topic_parts_equal(&before->revoking, &member->revoking);

    topic_parts_fini(&before->assigned);
    topic_parts_fini(&before->revoking);
    return differs;
}

bool
consumer_reconcile(struct consumer_member *member, const struct topic_parts *owned, bool changed)
{
    struct before before = {member->state, member->epoch, member->previous_epoch, {0}, {0}};
    struct next n = {.member = member};
    struct wire_uuid *topics;

    if (!changed && member->state == MEMBER_STABLE &&
        member->epoch == member->consumer->target_epoch)
        return false;
    topic_parts_copy(&before.assigned, &member->assigned);
    topic_parts_copy(&before.revoking, &member->revoking);
    n.topics = topics = consumer_member_topics(member, &n.topic_count);
    step(&n, owned, changed);
    topic_parts_fini(&n.keep);
    topic_parts_fini(&n.revoking);
    topic_parts_fini(&n.gain);
    free(topics);
    return differs(&before, member);
}
