#include "refbroker/coord/group.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/group_member.h"
#include "refbroker/coord/groups.h"
#include "refbroker/limits.h"

static const char *const state_names[] = {
    "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"};

bool
group_is_classic(const struct group *group)
{
    return group->consumer == NULL && group->share == NULL && group->streams == NULL;
}

const char *
group_state_name(enum group_state state)
{
    return state_names[state];
}

static struct broker *
broker_of(const struct group *group)
{
    return group->groups->broker;
}

static int64_t
now_ms(const struct group *group)
{
    return env_now_ms(broker_of(group)->env);
}

static void
state_set(struct group *group, enum group_state state)
{
    group->state = state;
    group->state_since_ms = env_wall_ms(broker_of(group)->env);
}

static void
text_set(char **text, const char *value)
{
    char *copy = value == NULL ? NULL : xstrdup(value);

    free(*text);
    *text = copy;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
join_answer(struct group *group, struct group_member *member, int16_t error)
{
    struct request *request = member->joining;

    if (request == NULL)
        return;
    member->joining = NULL;
    group_member_join_reply(member, request, error);
    group_touch(member);
    broker_finish(broker_of(group), request);
}

static void
sync_answer(struct group *group, struct group_member *member, int16_t error)
{
    struct request *request = member->syncing;

    if (request == NULL)
        return;
    member->syncing = NULL;
    group_member_sync_reply(member, request, error);
    group_touch(member);
    broker_finish(broker_of(group), request);
}

void
group_member_send_away(struct group_member *member, int16_t error)
{
    join_answer(member->group, member, error);
    sync_answer(member->group, member, error);
}

/* Whatever was assigned in the generation that ends here does not count. */
static void
syncs_refuse(struct group *group, int16_t error)
{
    struct group_member *member;
    size_t position = 0;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        group_member_assign(member, NULL, 0);
        sync_answer(group, member, error);
    }
}

/* --- the generation ----------------------------------------------------------------------------
 */

static int32_t
rebalance_timeout_ms(const struct group *group)
{
    const struct group_member *member;
    size_t position = 0;
    int32_t longest = 0;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if (member->rebalance_timeout_ms > longest)
            longest = member->rebalance_timeout_ms;
    return longest;
}

static bool
all_joined(const struct group *group)
{
    const struct group_member *member;
    size_t position = 0;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if (member->joining == NULL)
            return false;
    return map_count(&group->pending) == 0;
}

/* Those who did not join in time are out; static members keep their place until their session ends.
 */
static void
absent_remove(struct group *group)
{
    struct group_member *member;
    size_t position = 0;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if (member->joining == NULL && member->instance_id == NULL)
            group_member_remove(member);
}

/* False where nobody has joined. */
static bool
leader_choose(struct group *group)
{
    struct group_member *member =
        group->leader == NULL ? NULL : map_get_text(&group->members, group->leader);
    size_t position = 0;

    if (member != NULL && member->joining != NULL)
        return true;
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if (member->joining != NULL)
            break;
    if (member != NULL)
        text_set(&group->leader, member->member_id);
    return member != NULL;
}

/* Members that never sync would keep the others waiting for ever. */
static void
sync_overdue(struct groups *groups, struct group_timer *timer)
{
    struct group *group = list_of(timer, struct group, rebalance);
    struct group_member *member;
    size_t position = 0;
    bool gone = false;

    (void)groups;
    if (group->state != GROUP_COMPLETING && group->state != GROUP_STABLE)
        return;
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if (member->sync_due) {
            group_member_remove(member);
            gone = true;
        }
    if (gone)
        group_rebalance(group);
}

static void
become_empty(struct group *group)
{
    group->generation++;
    text_set(&group->leader, NULL);
    text_set(&group->protocol_name, NULL);
    state_set(group, GROUP_EMPTY);
    groups_save_unasked(group);
}

static void join_overdue(struct groups *groups, struct group_timer *timer);

static void
join_timer_set(struct group *group, int64_t timeout_ms)
{
    group->rebalance.due = join_overdue;
    groups_timer_set(group->groups, &group->rebalance, now_ms(group) + timeout_ms);
}

static void
generation_begin(struct group *group)
{
    struct group_member *member;
    size_t position = 0;

    groups_timer_clear(group->groups, &group->rebalance);
    absent_remove(group);
    if (map_count(&group->members) == 0) {
        group->gathering = false;
        become_empty(group);
        return;
    }
    /* Static members that do not join keep their places; until their sessions end there is no
     * generation without them. */
    if (!leader_choose(group)) {
        join_timer_set(group, rebalance_timeout_ms(group));
        return;
    }
    group->gathering = false;
    group->generation = group->generation == INT32_MAX ? 1 : group->generation + 1;
    text_set(&group->protocol_name, group_member_vote(group));
    state_set(group, GROUP_COMPLETING);
    broker_of(group)->stats.rebalances_total++;
    group->rebalance.due = sync_overdue;
    groups_timer_set(group->groups, &group->rebalance, now_ms(group) + rebalance_timeout_ms(group));
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        member->is_new = false;
        member->sync_due = true;
        join_answer(group, member, KE_NONE);
    }
}

static void
join_overdue(struct groups *groups, struct group_timer *timer)
{
    struct group *group = list_of(timer, struct group, rebalance);

    (void)groups;
    if (group->gathering && group->member_added && now_ms(group) < group->gather_until_ms) {
        int64_t delay_ms = broker_of(group)->options.groups.initial_rebalance_delay_ms;

        group->member_added = false;
        if (delay_ms > group->gather_until_ms - now_ms(group))
            delay_ms = group->gather_until_ms - now_ms(group);
        join_timer_set(group, delay_ms);
        return;
    }
    if (!group->gathering)
        group_pending_clear(group);
    generation_begin(group);
}

/* The first members of a group come one after another; a generation for each would be for nothing
 * (KIP-134). */
static void
gather_begin(struct group *group, int64_t delay_ms)
{
    group->gathering = true;
    group->member_added = false;
    group->gather_until_ms = now_ms(group) + rebalance_timeout_ms(group);
    join_timer_set(group, delay_ms);
}

void
group_join_complete(struct group *group)
{
    if (group->state == GROUP_PREPARING && !group->gathering && all_joined(group))
        generation_begin(group);
}

void
group_rebalance(struct group *group)
{
    int64_t delay_ms = broker_of(group)->options.groups.initial_rebalance_delay_ms;
    bool first = group->state == GROUP_EMPTY;

    if (group->state == GROUP_COMPLETING)
        syncs_refuse(group, KE_REBALANCE_IN_PROGRESS);
    if (group->state != GROUP_PREPARING) {
        state_set(group, GROUP_PREPARING);
        if (first && delay_ms > 0) {
            gather_begin(group, delay_ms);
        } else if (first) {
            /* The first generation waits for the delay alone, not for those who were given an id.
             */
            generation_begin(group);
            return;
        } else {
            join_timer_set(group, rebalance_timeout_ms(group));
        }
    }
    group_join_complete(group);
}

/* --- sync ----------------------------------------------------------------------------------------
 */

/* The leader's assignment on its way into the log. */
struct saving {
    struct append_waiter waiter;
    struct groups *groups;
    char *group_id;
    int32_t generation;
};

/* The timer is for those who have not synced. */
static void
sync_timer_check(struct group *group)
{
    const struct group_member *member;
    size_t position = 0;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if (member->sync_due)
            return;
    groups_timer_clear(group->groups, &group->rebalance);
}

static void
assignment_saved(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct saving *saving = (struct saving *)(void *)waiter;
    struct group *group = map_get_text(&saving->groups->by_id, saving->group_id);
    struct group_member *member;
    size_t position = 0;

    (void)broker;
    if (group != NULL && group->state == GROUP_COMPLETING &&
        group->generation == saving->generation) {
        if (error != KE_NONE) {
            syncs_refuse(group, KE_NOT_COORDINATOR);
            group_rebalance(group);
        } else {
            state_set(group, GROUP_STABLE);
            sync_timer_check(group);
            while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
                sync_answer(group, member, KE_NONE);
        }
    }
    free(saving->group_id);
    free(saving);
}

static void
assignments_take(struct group *group, const struct km_sync_group_request *in)
{
    struct group_member *member;
    struct saving *saving = xcalloc(1, sizeof *saving);
    size_t position = 0;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        group_member_assign(member, NULL, 0);
    for (int32_t i = 0; i < in->assignments.count; i++) {
        member = map_get(&group->members, in->assignments.items[i].member_id.data,
            (size_t)in->assignments.items[i].member_id.size);
        if (member != NULL)
            group_member_assign(member, in->assignments.items[i].assignment.data,
                in->assignments.items[i].assignment.size);
    }
    saving->waiter.done = assignment_saved;
    saving->groups = group->groups;
    saving->group_id = xstrdup(group->group_id);
    saving->generation = group->generation;
    groups_save(group, &saving->waiter);
}

static bool
text_differs(struct wire_string asked, const char *known)
{
    return asked.size >= 0 && known != NULL && !request_is_text(asked, known);
}

static void
sync_dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    group_forget_request(request);
}

enum h_result
group_sync_request(struct group *group, struct request *request)
{
    const struct km_sync_group_request *in = request->in;
    struct km_sync_group_response *out = request->out;
    struct group_member *member;

    out->error_code =
        group_member_check(group, in->member_id, in->group_instance_id, in->generation_id, &member);
    if (out->error_code == KE_NONE && (text_differs(in->protocol_type, group->protocol_type) ||
                                          text_differs(in->protocol_name, group->protocol_name)))
        out->error_code = KE_INCONSISTENT_GROUP_PROTOCOL;
    if (out->error_code == KE_NONE && group->state == GROUP_PREPARING)
        out->error_code = KE_REBALANCE_IN_PROGRESS;
    if (out->error_code == KE_NONE && group->state == GROUP_EMPTY)
        out->error_code = KE_UNKNOWN_MEMBER_ID;
    if (out->error_code != KE_NONE)
        return H_DONE;
    member->sync_due = false;
    if (group->state == GROUP_STABLE) {
        sync_timer_check(group);
        group_member_sync_reply(member, request, KE_NONE);
        group_touch(member);
        return H_DONE;
    }
    member->syncing = request;
    request->park = member;
    request->on_drop = sync_dropped;
    groups_timer_clear(group->groups, &member->session);
    if (strcmp(member->member_id, group->leader) == 0)
        assignments_take(group, in);
    /* Where the log answered at once the request is finished already. */
    return H_PARK;
}

/* --- the rest ------------------------------------------------------------------------------------
 */

int16_t
group_member_check(const struct group *group, struct wire_string member_id,
    struct wire_string instance_id, int32_t generation, struct group_member **member)
{
    const struct group_member *owner =
        instance_id.size < 0 ? NULL
                             : map_get(&group->statics, instance_id.data, (size_t)instance_id.size);

    *member = map_get(&group->members, member_id.data, (size_t)member_id.size);
    if (instance_id.size >= 0 && owner == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    if (owner != NULL && owner != *member)
        return KE_FENCED_INSTANCE_ID;
    if (*member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    return generation != group->generation ? KE_ILLEGAL_GENERATION : KE_NONE;
}

int16_t
group_heartbeat(struct group *group, struct wire_string member_id, struct wire_string instance_id,
    int32_t generation)
{
    struct group_member *member;
    int16_t error = group_member_check(group, member_id, instance_id, generation, &member);

    if (error == KE_NONE && group->state == GROUP_EMPTY)
        error = KE_UNKNOWN_MEMBER_ID;
    if (error != KE_NONE)
        return error;
    group_touch(member);
    return group->state == GROUP_PREPARING ? KE_REBALANCE_IN_PROGRESS : KE_NONE;
}

int16_t
group_leave(struct group *group, struct wire_string member_id, struct wire_string instance_id)
{
    struct group_member *member = NULL;
    int16_t error = KE_NONE;

    /* An administrator removes a static member by its instance alone. */
    if (member_id.size <= 0) {
        if (instance_id.size >= 0)
            member = map_get(&group->statics, instance_id.data, (size_t)instance_id.size);
        error = member == NULL ? KE_UNKNOWN_MEMBER_ID : KE_NONE;
    } else if (group_pending_remove(group, member_id)) {
        group_join_complete(group);
        return KE_NONE;
    } else {
        error = group_member_check(group, member_id, instance_id, group->generation, &member);
    }
    if (error != KE_NONE)
        return error;
    group_member_send_away(member, KE_UNKNOWN_MEMBER_ID);
    group_member_remove(member);
    group_rebalance(group);
    return KE_NONE;
}

static void
session_over(struct groups *groups, struct group_timer *timer)
{
    struct group_member *member = list_of(timer, struct group_member, session);
    struct group *group = member->group;

    (void)groups;
    log_info("GROUP-SESSION", "group %s: %s was not heard of for %d ms", group->group_id,
        member->member_id, member->session_timeout_ms);
    join_answer(group, member, KE_UNKNOWN_MEMBER_ID);
    group_member_remove(member);
    group_rebalance(group);
}

void
group_session_set(struct group_member *member, int64_t timeout_ms)
{
    member->session.due = session_over;
    groups_timer_set(member->group->groups, &member->session, now_ms(member->group) + timeout_ms);
}

/* A member that waits in JoinGroup or SyncGroup sends no heartbeats meanwhile. */
void
group_touch(struct group_member *member)
{
    struct groups *groups = member->group->groups;

    if (member->joining != NULL || member->syncing != NULL)
        groups_timer_clear(groups, &member->session);
    else
        group_session_set(member, member->session_timeout_ms);
}

void
group_forget_request(struct request *request)
{
    struct group_member *member = request->park;

    if (member->joining == request)
        member->joining = NULL;
    if (member->syncing == request)
        member->syncing = NULL;
    group_touch(member);
}

void
group_restore(struct group *group, const struct km_group_metadata_value *value)
{
    struct group_member *member;
    size_t position = 0;
    char *name;

    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        group_member_remove(member);
    group->generation = value->generation;
    group->state_since_ms = value->current_state_timestamp;
    name = value->protocol_type.size <= 0
               ? NULL
               : xmemdup(value->protocol_type.data, (size_t)value->protocol_type.size);
    text_set(&group->protocol_type, name);
    free(name);
    name = value->protocol.size < 0 ? NULL
                                    : xmemdup(value->protocol.data, (size_t)value->protocol.size);
    text_set(&group->protocol_name, name);
    free(name);
    name = value->leader.size < 0 ? NULL : xmemdup(value->leader.data, (size_t)value->leader.size);
    text_set(&group->leader, name);
    free(name);
    for (int32_t i = 0; i < value->members.count; i++)
        group_touch(group_member_restore(group, &value->members.items[i]));
    group->state = value->members.count == 0 ? GROUP_EMPTY : GROUP_STABLE;
}
