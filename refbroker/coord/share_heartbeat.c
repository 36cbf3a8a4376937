#include "refbroker/coord/share_heartbeat.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/group_configs.h"

typedef struct km_share_group_heartbeat_request heartbeat_in;
typedef struct km_share_group_heartbeat_response heartbeat_out;

static int16_t
refuse(struct err *e, int16_t code, const char *text)
{
    err_set(e, RC_CONFIG, "%s", text);
    return code;
}

int16_t
share_heartbeat_check(const heartbeat_in *in, struct err *e)
{
    if (text_is_blank(in->member_id))
        return refuse(e, KE_INVALID_REQUEST, "MemberId can't be empty.");
    if (text_is_blank(in->group_id))
        return refuse(e, KE_INVALID_REQUEST, "GroupId can't be empty.");
    if (text_is_blank(in->rack_id))
        return refuse(e, KE_INVALID_REQUEST, "RackId can't be empty.");
    if (!request_is_plain(in->member_id) || !request_is_plain(in->group_id))
        return refuse(e, KE_INVALID_REQUEST, "Ids can't hold zero bytes.");
    if (in->member_epoch == SHARE_EPOCH_JOIN && in->subscribed_topic_names.count <= 0)
        return refuse(e, KE_INVALID_REQUEST, "SubscribedTopicNames must be set in first request.");
    if (in->member_epoch < SHARE_EPOCH_LEAVE)
        return refuse(e, KE_INVALID_REQUEST, "MemberEpoch is invalid.");
    return KE_NONE;
}

/* --- the request in its group --------------------------------------------------------------------
 */

static int16_t
group_check(const struct group *group, const heartbeat_in *in, struct err *e)
{
    bool leaves = in->member_epoch == SHARE_EPOCH_LEAVE;

    if (group == NULL && in->member_epoch == SHARE_EPOCH_JOIN)
        return KE_NONE;
    if (group == NULL) {
        err_set(e, RC_CONFIG, "%s %.*s not found.", leaves ? "Group" : "Share group",
            in->group_id.size, in->group_id.data);
        return KE_GROUP_ID_NOT_FOUND;
    }
    if (group->share == NULL) {
        err_set(e, RC_CONFIG, "Group %s is not a share group.", group->group_id);
        return KE_GROUP_ID_NOT_FOUND;
    }
    return KE_NONE;
}

static int16_t
room_check(const struct share_group *share, const heartbeat_in *in, struct err *e)
{
    int64_t max = share->group->groups->broker->options.groups.share_max_size;

    if (in->member_epoch == SHARE_EPOCH_LEAVE || (int64_t)map_count(&share->members) < max ||
        share_member_find(share, in->member_id) != NULL)
        return KE_NONE;
    err_set(e, RC_CONFIG,
        "The share group has reached its maximum capacity of %" PRId64 " members.", max);
    return KE_GROUP_MAX_SIZE_REACHED;
}

/* A lower epoch may be that of an answer that got lost. */
static int16_t
epoch_check(const struct share_member *member, int32_t epoch, struct err *e)
{
    if (epoch <= SHARE_EPOCH_JOIN || epoch == member->epoch ||
        (epoch < member->epoch && epoch == member->previous_epoch))
        return KE_NONE;
    if (epoch > member->epoch)
        err_set(e, RC_CONFIG,
            "The share group member has a greater member epoch (%d) than the one known by the "
            "group coordinator (%d). The member must abandon all its partitions and rejoin.",
            epoch, member->epoch);
    else
        err_set(e, RC_CONFIG,
            "The share group member has a smaller member epoch (%d) than the one known by the "
            "group coordinator (%d), and it does not match the previous member epoch (%d). The "
            "member must abandon all its partitions and rejoin.",
            epoch, member->epoch, member->previous_epoch);
    return KE_FENCED_MEMBER_EPOCH;
}

static int16_t
member_check(const struct share_group *share, const heartbeat_in *in, struct err *e)
{
    const struct share_member *member = share_member_find(share, in->member_id);

    if (member != NULL)
        return epoch_check(member, in->member_epoch, e);
    if (in->member_epoch == SHARE_EPOCH_JOIN)
        return KE_NONE;
    err_set(e, RC_CONFIG, "Member %.*s is not a member of group %s.", in->member_id.size,
        in->member_id.data, share->group->group_id);
    return KE_UNKNOWN_MEMBER_ID;
}

/* --- the answer ----------------------------------------------------------------------------------
 */

static void
assignment_fill(struct request *request, const struct share_parts *parts, heartbeat_out *out)
{
    struct km_share_group_heartbeat_response_assignment *assignment =
        codec_array(&request->arena, &km_share_group_heartbeat_response_assignment_desc, 1);

    if (assignment != NULL)
        assignment->topic_partitions.items = codec_array(&request->arena,
            &km_share_group_heartbeat_response_topic_partitions_desc, (int32_t)parts->count);
    /* Without room the arena is full, and dispatch sees that. */
    if (assignment == NULL || arena_is_full(&request->arena))
        return;
    for (size_t i = 0; i < parts->count; i++) {
        const struct share_parts_topic *from = &parts->topics[i];
        struct km_share_group_heartbeat_response_topic_partitions *to =
            &assignment->topic_partitions.items[assignment->topic_partitions.count++];

        to->topic_id = from->topic_id;
        to->partitions.items = arena_dup(&request->arena, from->partitions,
            (size_t)from->partition_count * sizeof *from->partitions);
        to->partitions.count = from->partition_count;
    }
    out->assignment = assignment;
}

/* --- what it does --------------------------------------------------------------------------------
 */

static int16_t
leave(struct share_member *member, const heartbeat_in *in, heartbeat_out *out,
    struct group_records *records)
{
    out->member_id = in->member_id;
    out->member_epoch = in->member_epoch;
    share_update_fence(member, records);
    return KE_NONE;
}

/* The group and the member, made where they are not there; NULL where there is no room. */
static struct share_member *
member_make(struct groups *groups, struct group *group, const heartbeat_in *in)
{
    struct share_member *member;

    if (group == NULL) {
        group = groups_make(groups, in->group_id);
        if (group == NULL)
            return NULL;
        (void)share_group_attach(group);
    }
    member = share_member_find(group->share, in->member_id);
    return member != NULL ? member : share_member_add(group->share, in->member_id);
}

static void
stay(struct share_member *member, struct request *request, const heartbeat_in *in,
    heartbeat_out *out, struct group_records *records)
{
    char *client_host = xasprintf("/%s", request->client->client_host);
    struct share_update update = {.topics = in->subscribed_topic_names.items,
        .topic_count = in->subscribed_topic_names.count,
        .rack_id = in->rack_id,
        .client_id =
            request->header.client_id.size < 0 ? request_text("") : request->header.client_id,
        .client_host = client_host};
    bool changed = share_update_apply(member, &update, records);

    share_member_touch(member);
    out->member_id = in->member_id;
    out->member_epoch = member->epoch;
    out->heartbeat_interval_ms = (int32_t)group_configs_heartbeat_interval_ms(member->share->group);
    if (in->member_epoch == SHARE_EPOCH_JOIN || in->subscribed_topic_names.count >= 0 || changed)
        assignment_fill(request, &member->assigned, out);
    share_update_settle(member);
    free(client_host);
}

int16_t
share_heartbeat(struct groups *groups, struct request *request, const heartbeat_in *in,
    heartbeat_out *out, struct group_records *records, struct share_topics *begun, struct err *e)
{
    struct group *group = groups_find(groups, in->group_id);
    int16_t error = group_check(group, in, e);
    struct share_member *member;

    if (error == KE_NONE && group != NULL)
        error = room_check(group->share, in, e);
    if (error == KE_NONE && group != NULL)
        error = member_check(group->share, in, e);
    if (error != KE_NONE)
        return error;
    if (in->member_epoch == SHARE_EPOCH_LEAVE)
        return leave(share_member_find(group->share, in->member_id), in, out, records);
    member = member_make(groups, group, in);
    if (member == NULL)
        return refuse(e, KE_COORDINATOR_NOT_AVAILABLE, "There are too many groups.");
    stay(member, request, in, out, records);
    share_update_initialize(member->share, begun, records);
    return KE_NONE;
}
