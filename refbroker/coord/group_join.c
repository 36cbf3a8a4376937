/* JoinGroup: who may come into a classic group, and how. The inner side of group.h. */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/group_answer.h"
#include "refbroker/coord/group_member.h"
#include "refbroker/limits.h"

/* Kafka's classicGroupNewMemberJoinTimeoutMs: a new member is not kept waiting for longer. */
#define NEW_MEMBER_WAIT_MS 300000

static char *
text_dup(struct wire_string text)
{
    return text.size < 0 ? NULL : xmemdup(text.data, (size_t)text.size);
}

/* client id (or instance id), a dash and a random uuid, as Kafka makes them. */
static char *
id_make(struct group *group, const struct request *request, struct wire_string instance_id)
{
    struct wire_string head = instance_id.size >= 0 ? instance_id : request->header.client_id;
    uint8_t b[16];

    env_random_bytes(group->groups->broker->env, b, sizeof b);
    return xasprintf("%.*s-%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x",
        head.size < 0 ? 0 : head.size, head.size < 0 ? "" : head.data, b[0], b[1], b[2], b[3], b[4],
        b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    group_forget_request(request);
}

static enum h_result
park(struct group_member *member, struct request *request)
{
    member->joining = request;
    request->park = member;
    request->on_drop = dropped;
    group_touch(member);
    if (member->is_new)
        group_session_set(member, NEW_MEMBER_WAIT_MS);
    return H_PARK;
}

static enum h_result
park_and_rebalance(struct group_member *member, struct request *request)
{
    (void)park(member, request);
    group_rebalance(member->group);
    return H_PARK;
}

static enum h_result
join_as(struct group *group, struct request *request, const struct group_join *join,
    const char *member_id)
{
    char *instance_id = text_dup(join->instance_id);
    struct group_member *member = group_member_add(group, member_id, instance_id);

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
    group->member_added = true;
    group_member_take(member, join);
    return park_and_rebalance(member, request);
}

static enum h_result
refuse(struct request *request, int16_t error, struct wire_string member_id)
{
    struct km_join_group_response *out = request->out;

    out->error_code = error;
    out->member_id = member_id;
    out->protocol_name = request_text(request->header.api_version >= 7 ? NULL : "");
    return H_DONE;
}

/* --- static members ------------------------------------------------------------------------------
 */

static void
saved_not(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    (void)refuse(request, error, request_text(""));
}

/* The generation goes on with the new id. From v9 on a leader is told that it need not assign
 * (KIP-814); before, it is told of the old leader, so that it does not. */
static enum h_result
static_goes_on(struct group_member *member, struct request *request, const char *leader_before)
{
    struct km_join_group_response *out = request->out;
    struct group *group = member->group;
    struct group_records records;
    enum h_result result;

    group_member_join_reply(member, request, KE_NONE);
    if (request->header.api_version >= 9) {
        out->skip_assignment = strcmp(group->leader, member->member_id) == 0;
    } else {
        out->leader = request_text_dup(request, leader_before);
        out->members.count = 0;
    }
    group_touch(member);
    group_records_init(&records);
    group_records_group(&records, group);
    result = group_answer_one(group->groups, request, group->group_id, &records, saved_not);
    group_records_fini(&records);
    return result;
}

/* The new id takes the place of the old one; who still waits with that is fenced. */
static void
static_replace(struct group_member *member, char *member_id_take)
{
    struct group *group = member->group;
    struct request *joining = member->joining, *syncing = member->syncing;

    member->joining = member->syncing = NULL;
    if (joining != NULL)
        group_member_join_reply(member, joining, KE_FENCED_INSTANCE_ID);
    if (syncing != NULL)
        group_member_sync_reply(member, syncing, KE_FENCED_INSTANCE_ID);
    if (joining != NULL || syncing != NULL)
        broker_finish(group->groups->broker, joining != NULL ? joining : syncing);
    map_remove_text(&group->members, member->member_id);
    if (group->leader != NULL && strcmp(group->leader, member->member_id) == 0) {
        free(group->leader);
        group->leader = xstrdup(member_id_take);
    }
    free(member->member_id);
    member->member_id = member_id_take;
    map_put_text(&group->members, member_id_take, member);
}

/* A static member comes back with the id of its instance: where the protocol of the next generation
 * would be the same, the group goes on as it is. */
static enum h_result
static_returns(struct group_member *member, struct request *request, const struct group_join *join)
{
    struct group *group = member->group;
    char *leader_before = xstrdup(group->leader == NULL ? "" : group->leader);
    enum h_result result;

    static_replace(member, id_make(group, request, join->instance_id));
    group_member_take(member, join);
    if (group->state == GROUP_STABLE && group->protocol_name != NULL &&
        strcmp(group_member_vote(group), group->protocol_name) == 0)
        result = static_goes_on(member, request, leader_before);
    else
        result = park_and_rebalance(member, request);
    free(leader_before);
    return result;
}

/* --- new and known members -----------------------------------------------------------------------
 */

static int64_t
size_max(const struct group *group)
{
    int64_t max = group->groups->broker->options.groups.max_size;

    return max < LIMIT_GROUP_MEMBERS_MAX ? max : LIMIT_GROUP_MEMBERS_MAX;
}

/* group.max.size counts the members; while they join, those who have joined (KIP-389). */
static bool
has_room(const struct group *group, struct wire_string member_id)
{
    const struct group_member *member =
        map_get(&group->members, member_id.data, (size_t)member_id.size);
    size_t position = 0;
    int64_t joining = 0;

    if (map_count(&group->pending) >= LIMIT_GROUP_MEMBERS_MAX)
        return member != NULL;
    switch (group->state) {
    case GROUP_PREPARING:
        if (member != NULL && member->joining != NULL)
            return true;
        while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
            joining += member->joining != NULL;
        return joining < size_max(group);
    case GROUP_COMPLETING:
    case GROUP_STABLE:
        return member != NULL || (int64_t)map_count(&group->members) < size_max(group);
    default:
        return true;
    }
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
    member_id = id_make(group, request, join->instance_id);
    if (join->id_required && join->instance_id.size < 0) {
        group_pending_add(group, member_id, join->session_timeout_ms);
        result = refuse(request, KE_MEMBER_ID_REQUIRED, request_text_dup(request, member_id));
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
    bool same = group_member_matches(member, join);
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
    group_member_take(member, join);
    return park_and_rebalance(member, request);
}

enum h_result
group_join_request(struct group *group, struct request *request, const struct group_join *join)
{
    struct group_member *member;
    enum h_result result;
    char *member_id;
    int16_t error;

    if (!has_room(group, join->member_id)) {
        (void)group_pending_remove(group, join->member_id);
        return refuse(request, KE_GROUP_MAX_SIZE_REACHED, request_text(""));
    }
    if (!group_member_fits(group, join))
        return refuse(request, KE_INCONSISTENT_GROUP_PROTOCOL, join->member_id);
    if (join->member_id.size == 0)
        return join_new(group, request, join);
    /* Who was given an id is dynamic; Kafka fails inside. */
    if (join->instance_id.size >= 0 &&
        map_get(&group->pending, join->member_id.data, (size_t)join->member_id.size) != NULL)
        return refuse(request, KE_UNKNOWN_SERVER_ERROR, request_text(""));
    if (group_pending_remove(group, join->member_id)) {
        member_id = text_dup(join->member_id);
        result = join_as(group, request, join, member_id);
        free(member_id);
        return result;
    }
    /* A JoinGroup names no generation. */
    error =
        group_member_check(group, join->member_id, join->instance_id, group->generation, &member);
    return error != KE_NONE ? refuse(request, error, join->member_id)
                            : join_known(member, request, join);
}
