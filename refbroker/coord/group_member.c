#include "refbroker/coord/group_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/groups.h"
#include "refbroker/limits.h"

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

static void
protocols_set(struct group_member *member, const struct group_join *join)
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
    member->rebalance_timeout_ms =
        join->rebalance_timeout_ms < 0 ? join->session_timeout_ms : join->rebalance_timeout_ms;
}

static bool
protocols_equal(const struct group_member *member, const struct group_join *join)
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

static struct group_member *
member_add(struct group *group, const char *member_id, const char *instance_id)
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
    struct group_member *member = member_add(group, id, instance);

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

static void
pending_add(struct group *group, const char *member_id, int32_t timeout_ms)
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

/* --- join
 * ------------------------------------------------------------------------------------------ */

static bool
protocols_fit(const struct group *group, const struct group_join *join)
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

/* client id (or instance id), a dash and a random uuid, as Kafka makes them. */
static char *
id_make(struct group *group, struct request *request, struct wire_string instance_id)
{
    struct wire_string head = instance_id.size >= 0 ? instance_id : request->header.client_id;
    uint8_t b[16];

    env_random_bytes(group->groups->broker->env, b, sizeof b);
    return xasprintf("%.*s-%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x",
        head.size < 0 ? 0 : head.size, head.size < 0 ? "" : head.data, b[0], b[1], b[2], b[3], b[4],
        b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static enum h_result
park_join(struct group_member *member, struct request *request)
{
    member->joining = request;
    request->park = member;
    groups_timer_clear(member->group->groups, &member->session);
    group_rebalance(member->group);
    return H_PARK;
}

static enum h_result
join_as(struct group *group, struct request *request, const struct group_join *join,
    const char *member_id)
{
    char *instance_id = text_dup(join->instance_id);
    struct group_member *member = member_add(group, member_id, instance_id);

    free(instance_id);
    if (map_count(&group->members) == 1) {
        free(group->protocol_type);
        group->protocol_type = text_dup(join->protocol_type);
    }
    free(member->client_id);
    free(member->client_host);
    member->client_id =
        request->header.client_id.size < 0 ? xstrdup("") : text_dup(request->header.client_id);
    member->client_host = xasprintf("/%s", request->client->client_host);
    member->is_new = true;
    protocols_set(member, join);
    return park_join(member, request);
}

static enum h_result
refuse(struct request *request, int16_t error, const char *member_id)
{
    struct km_join_group_response *out = request->out;

    out->error_code = error;
    out->member_id = request_text_dup(request, member_id);
    if (request->header.api_version < 7)
        out->protocol_name = request_text("");
    return H_DONE;
}

/* A static member comes back with the id of its instance: the new id takes the place of the old
 * one, and where nothing else changed the group goes on as it is. */
static enum h_result
static_returns(struct group_member *old, struct request *request, const struct group_join *join)
{
    struct group *group = old->group;
    bool was_leader = group->leader != NULL && strcmp(group->leader, old->member_id) == 0;
    bool unchanged = group->state == GROUP_STABLE && protocols_equal(old, join);
    char *member_id = id_make(group, request, join->instance_id);
    struct request *waiting = old->joining != NULL ? old->joining : old->syncing;
    bool was_joining = old->joining != NULL;

    old->joining = old->syncing = NULL;
    if (waiting != NULL && was_joining)
        group_member_join_reply(old, waiting, KE_FENCED_INSTANCE_ID);
    else if (waiting != NULL)
        group_member_sync_reply(old, waiting, KE_FENCED_INSTANCE_ID);
    if (waiting != NULL)
        broker_finish(group->groups->broker, waiting);
    map_remove_text(&group->members, old->member_id);
    free(old->member_id);
    old->member_id = member_id;
    map_put_text(&group->members, member_id, old);
    if (was_leader) {
        free(group->leader);
        group->leader = xstrdup(member_id);
    }
    protocols_set(old, join);
    if (!unchanged)
        return park_join(old, request);
    group_member_join_reply(old, request, KE_NONE);
    if (request->header.api_version >= 9)
        ((struct km_join_group_response *)request->out)->skip_assignment = was_leader;
    group_touch(old);
    return H_DONE;
}

static enum h_result
join_new(struct group *group, struct request *request, const struct group_join *join)
{
    struct group_member *old =
        join->instance_id.size < 0
            ? NULL
            : map_get(&group->statics, join->instance_id.data, (size_t)join->instance_id.size);
    enum h_result result;
    char *member_id;

    if (old != NULL)
        return static_returns(old, request, join);
    if (map_count(&group->members) + map_count(&group->pending) >= LIMIT_GROUP_MEMBERS_MAX)
        return refuse(request, KE_GROUP_MAX_SIZE_REACHED, "");
    member_id = id_make(group, request, join->instance_id);
    if (join->id_required && join->instance_id.size < 0) {
        pending_add(group, member_id, join->session_timeout_ms);
        result = refuse(request, KE_MEMBER_ID_REQUIRED, member_id);
    } else {
        result = join_as(group, request, join, member_id);
    }
    free(member_id);
    return result;
}

static enum h_result
join_known(struct group_member *member, struct request *request, const struct group_join *join)
{
    struct group *group = member->group;
    bool same = protocols_equal(member, join);
    bool leads = group->leader != NULL && strcmp(group->leader, member->member_id) == 0;

    /* The answer to an earlier join was lost, or nothing that matters has changed: the generation
     * stands. */
    if (same && (group->state == GROUP_COMPLETING || (group->state == GROUP_STABLE && !leads))) {
        group_member_join_reply(member, request, KE_NONE);
        group_touch(member);
        return H_DONE;
    }
    if (member->joining != NULL && member->joining != request) {
        struct request *earlier = member->joining;

        member->joining = NULL;
        group_member_join_reply(member, earlier, KE_REBALANCE_IN_PROGRESS);
        broker_finish(group->groups->broker, earlier);
    }
    protocols_set(member, join);
    return park_join(member, request);
}

enum h_result
group_join_request(struct group *group, struct request *request, const struct group_join *join)
{
    struct group_member *member;
    enum h_result result;
    char *member_id;
    int16_t error;

    if (!protocols_fit(group, join))
        return refuse(request, KE_INCONSISTENT_GROUP_PROTOCOL, "");
    if (join->member_id.size == 0)
        return join_new(group, request, join);
    if (group_pending_remove(group, join->member_id)) {
        member_id = text_dup(join->member_id);
        result = join_as(group, request, join, member_id);
        free(member_id);
        return result;
    }
    error = group_member_check(group, join->member_id, join->instance_id, -1, &member);
    if (error != KE_NONE) {
        result = refuse(request, error, "");
        ((struct km_join_group_response *)request->out)->member_id = join->member_id;
        return result;
    }
    return join_known(member, request, join);
}
