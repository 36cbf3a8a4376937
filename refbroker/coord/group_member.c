#include "refbroker/coord/group_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/consumer_group.h"
#include "refbroker/coord/groups.h"
#include "refbroker/coord/share_group.h"
#include "refbroker/coord/streams_group.h"

struct pending_member {
    struct group_timer timer;
    struct group *group;
    char *member_id;
};

struct group *
group_new(struct groups *groups, const char *group_id, size_t size)
{
    struct group *group = xcalloc(1, sizeof *group);

    group->groups = groups;
    group->group_id = xmemdup(group_id, size);
    map_init(&group->members);
    map_init(&group->statics);
    map_init(&group->pending);
    offsets_init(&group->offsets);
    return group;
}

void
group_free(struct group *group)
{
    struct group_member *member;
    size_t position = 0;

    group_pending_clear(group);
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        group_member_remove(member);
    groups_timer_clear(group->groups, &group->rebalance);
    map_fini(&group->members, NULL);
    map_fini(&group->statics, NULL);
    map_fini(&group->pending, NULL);
    consumer_group_detach(group);
    share_group_detach(group);
    streams_group_detach(group);
    offsets_fini(&group->offsets);
    free(group->group_id);
    free(group->protocol_type);
    free(group->protocol_name);
    free(group->leader);
    free(group);
}

static char *
text_dup(struct wire_string text)
{
    return text.size < 0 ? NULL : xmemdup(text.data, (size_t)text.size);
}

static void
protocols_free(struct group_member *member)
{
    for (int32_t i = 0; i < member->protocol_count; i++) {
        free(member->protocols[i].name);
        free(member->protocols[i].metadata);
    }
    free(member->protocols);
    member->protocols = NULL;
    member->protocol_count = 0;
}

void
group_member_take(struct group_member *member, const struct group_join *join)
{
    protocols_free(member);
    member->protocols = xcalloc((size_t)join->protocol_count, sizeof *member->protocols);
    member->protocol_count = join->protocol_count;
    for (int32_t i = 0; i < join->protocol_count; i++) {
        member->protocols[i].name = text_dup(join->protocols[i].name);
        member->protocols[i].metadata =
            xmemdup(join->protocols[i].metadata.data, (size_t)join->protocols[i].metadata.size);
        member->protocols[i].metadata_size = join->protocols[i].metadata.size;
    }
    member->session_timeout_ms = join->session_timeout_ms;
    member->rebalance_timeout_ms = join->rebalance_timeout_ms;
}

bool
group_member_matches(const struct group_member *member, const struct group_join *join)
{
    if (member->protocol_count != join->protocol_count)
        return false;
    for (int32_t i = 0; i < join->protocol_count; i++) {
        const struct group_protocol *known = &member->protocols[i];

        if (!request_is_text(join->protocols[i].name, known->name) ||
            join->protocols[i].metadata.size != known->metadata_size ||
            memcmp(join->protocols[i].metadata.data, known->metadata,
                (size_t)known->metadata_size) != 0)
            return false;
    }
    return true;
}

struct group_member *
group_member_add(struct group *group, const char *member_id, const char *instance_id)
{
    struct group_member *member = xcalloc(1, sizeof *member);

    member->group = group;
    member->member_id = xstrdup(member_id);
    member->instance_id = instance_id == NULL ? NULL : xstrdup(instance_id);
    member->client_id = xstrdup("");
    member->client_host = xstrdup("");
    map_put_text(&group->members, member_id, member);
    if (instance_id != NULL)
        map_put_text(&group->statics, instance_id, member);
    return member;
}

void
group_member_remove(struct group_member *member)
{
    struct group *group = member->group;

    groups_timer_clear(group->groups, &member->session);
    map_remove_text(&group->members, member->member_id);
    if (member->instance_id != NULL && map_get_text(&group->statics, member->instance_id) == member)
        map_remove_text(&group->statics, member->instance_id);
    protocols_free(member);
    free(member->member_id);
    free(member->instance_id);
    free(member->client_id);
    free(member->client_host);
    free(member->assignment);
    free(member);
}

void
group_member_assign(struct group_member *member, const uint8_t *data, int32_t size)
{
    free(member->assignment);
    member->assignment = size <= 0 ? NULL : xmemdup(data, (size_t)size);
    member->assignment_size = size <= 0 ? 0 : size;
}

struct group_member *
group_member_restore(
    struct group *group, const struct km_group_metadata_value_member_metadata *saved)
{
    char *id = text_dup(saved->member_id), *instance = text_dup(saved->group_instance_id);
    struct group_member *member = group_member_add(group, id, instance);

    free(member->client_id);
    free(member->client_host);
    member->client_id = text_dup(saved->client_id);
    member->client_host = text_dup(saved->client_host);
    member->session_timeout_ms = saved->session_timeout;
    member->rebalance_timeout_ms = saved->rebalance_timeout;
    member->protocols = xcalloc(1, sizeof *member->protocols);
    member->protocol_count = 1;
    member->protocols[0].name = xstrdup(group->protocol_name == NULL ? "" : group->protocol_name);
    member->protocols[0].metadata =
        xmemdup(saved->subscription.data, (size_t)saved->subscription.size);
    member->protocols[0].metadata_size = saved->subscription.size;
    group_member_assign(member, saved->assignment.data, saved->assignment.size);
    free(id);
    free(instance);
    return member;
}

/* What is known of a protocol's name: how many members support it, and how many prefer it. */
struct candidate {
    const struct group_member *last; /* that was counted */
    size_t supporters;
    size_t votes;
};

/* Counts every protocol of every member; a name that a member gives twice counts once. The caller
 * ends the map with map_fini and free. */
static void
candidates_count(const struct group *group, struct map *candidates)
{
    const struct group_member *member;
    size_t position = 0;

    map_init(candidates);
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        for (int32_t i = 0; i < member->protocol_count; i++) {
            struct candidate *candidate = map_get_text(candidates, member->protocols[i].name);

            if (candidate == NULL) {
                candidate = xcalloc(1, sizeof *candidate);
                (void)map_put_text(candidates, member->protocols[i].name, candidate);
            }
            candidate->supporters += candidate->last != member;
            candidate->last = member;
        }
}

bool
group_member_fits(const struct group *group, const struct group_join *join)
{
    struct map candidates;
    bool fit = false;

    if (map_count(&group->members) == 0)
        return join->protocol_type.size > 0 && join->protocol_count > 0;
    if (group->protocol_type == NULL || !request_is_text(join->protocol_type, group->protocol_type))
        return false;
    candidates_count(group, &candidates);
    for (int32_t i = 0; i < join->protocol_count && !fit; i++) {
        struct wire_string name = join->protocols[i].name;
        const struct candidate *candidate = map_get(&candidates, name.data, (size_t)name.size);

        fit = candidate != NULL && candidate->supporters == map_count(&group->members);
    }
    map_fini(&candidates, free);
    return fit;
}

/* The first protocol of a member that all support, or NULL. */
static struct candidate *
vote(const struct group *group, const struct map *candidates, const struct group_member *member,
    const char **name)
{
    for (int32_t i = 0; i < member->protocol_count; i++) {
        struct candidate *candidate = map_get_text(candidates, member->protocols[i].name);

        *name = member->protocols[i].name;
        if (candidate->supporters == map_count(&group->members))
            return candidate;
    }
    return NULL;
}

/* Each member votes for the first of its protocols that all support. */
const char *
group_member_vote(const struct group *group)
{
    const struct group_member *member;
    struct candidate *candidate;
    const char *best = "", *name;
    size_t position = 0, best_votes = 0;
    struct map candidates;

    candidates_count(group, &candidates);
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        if ((candidate = vote(group, &candidates, member, &name)) != NULL)
            candidate->votes++;
    position = 0;
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        candidate = vote(group, &candidates, member, &name);
        if (candidate != NULL && candidate->votes > best_votes) {
            best = name;
            best_votes = candidate->votes;
        }
    }
    map_fini(&candidates, free);
    return best;
}

/* --- ids that were handed out --------------------------------------------------------------------
 */

static void
pending_free(struct pending_member *pending)
{
    groups_timer_clear(pending->group->groups, &pending->timer);
    map_remove_text(&pending->group->pending, pending->member_id);
    free(pending->member_id);
    free(pending);
}

static void
pending_due(struct groups *groups, struct group_timer *timer)
{
    struct pending_member *pending = list_of(timer, struct pending_member, timer);
    struct group *group = pending->group;

    (void)groups;
    pending_free(pending);
    group_join_complete(group);
}

void
group_pending_add(struct group *group, const char *member_id, int32_t timeout_ms)
{
    struct pending_member *pending = xcalloc(1, sizeof *pending);

    pending->group = group;
    pending->member_id = xstrdup(member_id);
    pending->timer.due = pending_due;
    map_put_text(&group->pending, member_id, pending);
    groups_timer_set(
        group->groups, &pending->timer, env_now_ms(group->groups->broker->env) + timeout_ms);
}

void
group_pending_clear(struct group *group)
{
    struct pending_member *pending;
    size_t position = 0;

    while ((pending = map_next(&group->pending, &position, NULL, NULL)) != NULL)
        pending_free(pending);
}

bool
group_pending_remove(struct group *group, struct wire_string member_id)
{
    struct pending_member *pending =
        map_get(&group->pending, member_id.data, (size_t)member_id.size);

    if (pending != NULL)
        pending_free(pending);
    return pending != NULL;
}

/* --- answers
 * -------------------------------------------------------------------------------------- */

static bool
members_fill(
    struct group_member *leader, struct request *request, struct km_join_group_response *out)
{
    struct group *group = leader->group;
    struct group_member *member;
    size_t position = 0;

    out->members.items = codec_array(
        &request->arena, &km_join_group_response_member_desc, (int32_t)map_count(&group->members));
    if (out->members.items == NULL)
        return false;
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        struct km_join_group_response_member *item = &out->members.items[out->members.count++];

        item->member_id = request_text_dup(request, member->member_id);
        item->group_instance_id = request_text_dup(request, member->instance_id);
        for (int32_t i = 0; i < member->protocol_count; i++)
            if (strcmp(member->protocols[i].name, group->protocol_name) == 0)
                item->metadata =
                    (struct wire_bytes){arena_dup(&request->arena, member->protocols[i].metadata,
                                            (size_t)member->protocols[i].metadata_size),
                        member->protocols[i].metadata_size};
    }
    return true;
}

void
group_member_join_reply(struct group_member *member, struct request *request, int16_t error)
{
    struct km_join_group_response *out = request->out;
    struct group *group = member->group;

    out->error_code = error;
    out->member_id = request_text_dup(request, member->member_id);
    out->leader = request_text("");
    out->protocol_name = request_text(request->header.api_version >= 7 ? NULL : "");
    if (error != KE_NONE)
        return;
    out->generation_id = group->generation;
    out->protocol_type = request_text_dup(request, group->protocol_type);
    out->protocol_name = request_text_dup(request, group->protocol_name);
    /* A group that was read back may have none. */
    if (group->leader == NULL)
        return;
    out->leader = request_text_dup(request, group->leader);
    /* Without room the arena is full, and dispatch sees that. */
    if (group->leader != NULL && strcmp(group->leader, member->member_id) == 0)
        (void)members_fill(member, request, out);
}

void
group_member_sync_reply(struct group_member *member, struct request *request, int16_t error)
{
    struct km_sync_group_response *out = request->out;

    out->error_code = error;
    if (error != KE_NONE)
        return;
    out->protocol_type = request_text_dup(request, member->group->protocol_type);
    out->protocol_name = request_text_dup(request, member->group->protocol_name);
    out->assignment = (struct wire_bytes){
        arena_dup(&request->arena, member->assignment, (size_t)member->assignment_size),
        member->assignment_size};
}

void
group_classic_forget(struct group *group)
{
    groups_timer_clear(group->groups, &group->rebalance);
    group_pending_clear(group);
    free(group->protocol_type);
    free(group->protocol_name);
    free(group->leader);
    group->protocol_type = group->protocol_name = group->leader = NULL;
    group->state = GROUP_EMPTY;
    group->gathering = false;
    group->generation = 0;
}
