/*
 * FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups, ListGroups: the
 * classic protocol (GroupCoordinatorService, KIP-345, KIP-394, KIP-518, KIP-699).
 *
 * One broker coordinates everything.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/group_operations.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/consumer_classic.h"
#include "refbroker/coord/consumer_records.h"
#include "refbroker/coord/groups.h"
#include "refbroker/coord/share_group.h"
#include "refbroker/coord/share_key.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/coord/streams_records.h"
#include "refbroker/coord/txns.h"
#include "refbroker/limits.h"

enum { KEY_GROUP, KEY_TRANSACTION, KEY_SHARE };

/* What Kafka says of a request that its protocol forbids. */
#define INVALID_REQUEST_WHY                                                                        \
    "This most likely occurs because of a request being malformed by the client library or the "   \
    "message was sent to an incompatible broker. See the broker logs for more details."

/* Makes the log of the coordinator where it is not there; its error code. */
static int16_t
coordinator_check(
    struct broker *broker, const struct request *request, int8_t key_type, struct wire_string key)
{
    bool ready;

    if (key_type == KEY_SHARE && (request->header.api_version < 6 || !share_key_is_text(key)))
        return KE_INVALID_REQUEST;
    if (key_type == KEY_SHARE)
        ready = share_states_ready(broker->share_states);
    else if (key_type == KEY_TRANSACTION)
        ready = txns_ready(broker->txns);
    else
        ready = groups_ready(broker->groups);
    return ready ? KE_NONE : KE_COORDINATOR_NOT_AVAILABLE;
}

static void
coordinator_fill(struct broker *broker, const struct request *request,
    const struct km_find_coordinator_request *in, struct wire_string key,
    struct km_find_coordinator_response_coordinator *out)
{
    out->key = key;
    out->node_id = -1;
    out->port = -1;
    out->error_message = request_text("");
    if (in->key_type < KEY_GROUP || in->key_type > KEY_SHARE) {
        out->error_code = KE_INVALID_REQUEST;
        out->error_message = request_text(INVALID_REQUEST_WHY);
        return;
    }
    out->error_code = coordinator_check(broker, request, in->key_type, key);
    if (out->error_code == KE_NONE) {
        out->node_id = broker->options.node_id;
        out->host = request_text(broker->options.host);
        out->port = broker->options.port;
    }
}

enum h_result
h_find_coordinator(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_find_coordinator_request *in = in_;
    struct km_find_coordinator_response *out = out_;
    struct km_find_coordinator_response_coordinator single;

    if (request->header.api_version < 4) {
        codec_init(&km_find_coordinator_response_coordinator_desc, &single);
        coordinator_fill(broker, request, in, in->key, &single);
        out->error_code = single.error_code;
        /* Kafka has a text for success, too, here only. */
        out->error_message = request_text(single.error_code == KE_NONE ? kerr_name(KE_NONE)
                                          : single.error_code == KE_INVALID_REQUEST
                                              ? INVALID_REQUEST_WHY
                                              : kerr_meaning(single.error_code));
        out->node_id = single.node_id;
        out->host = single.host;
        out->port = single.port;
        return H_DONE;
    }
    out->coordinators.items = codec_array(&request->arena,
        &km_find_coordinator_response_coordinator_desc, in->coordinator_keys.count);
    if (out->coordinators.items == NULL)
        return H_CLOSE;
    out->coordinators.count = in->coordinator_keys.count;
    for (int32_t i = 0; i < in->coordinator_keys.count; i++)
        coordinator_fill(
            broker, request, in, in->coordinator_keys.items[i], &out->coordinators.items[i]);
    return H_DONE;
}

/* --- JoinGroup -----------------------------------------------------------------------------------
 */

static bool
is_consumer_group(const struct group *group)
{
    return group != NULL && group->consumer != NULL;
}

/* To the requests of members of the classic protocol share and streams groups are not there. */
static struct group *
group_find(const struct broker *broker, struct wire_string group_id)
{
    struct group *group = groups_find(broker->groups, group_id);

    return group != NULL && (group->share != NULL || group->streams != NULL) ? NULL : group;
}

static int16_t
join_check(struct broker *broker, const struct km_join_group_request *in)
{
    if (!groups_exist(broker->groups))
        return KE_NOT_COORDINATOR;
    if (groups_id_check(in->group_id) != KE_NONE)
        return KE_INVALID_GROUP_ID;
    if (!request_is_plain(in->group_instance_id))
        return KE_INVALID_REQUEST;
    if (in->session_timeout_ms < broker->options.groups.min_session_timeout_ms ||
        in->session_timeout_ms > broker->options.groups.max_session_timeout_ms)
        return KE_INVALID_SESSION_TIMEOUT;
    if (in->member_id.size > 0 && groups_find(broker->groups, in->group_id) == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    return KE_NONE;
}

static bool
is_streams_group(const struct group *group)
{
    return group != NULL && group->streams != NULL;
}

/* A classic member may come into a group of the consumer or the streams protocol that is empty:
 * only its offsets stay. */
static void
empty_end(struct group *group)
{
    struct group_records records;

    group_records_init(&records);
    if (group->consumer != NULL)
        consumer_records_group_gone(&records, group->consumer);
    else
        streams_records_group_gone(&records, group->group_id);
    group_records_append_unasked(&records, group->groups, group->group_id);
    group_records_fini(&records);
    consumer_group_detach(group);
    streams_group_detach(group);
}

/* What an answer with an error holds besides its code. */
static enum h_result
join_refuse(struct request *request, struct wire_string member_id)
{
    struct km_join_group_response *out = request->out;

    out->member_id = member_id;
    out->protocol_name = request_text(request->header.api_version >= 7 ? NULL : "");
    return H_DONE;
}

enum h_result
h_join_group(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_join_group_request *in = in_;
    struct km_join_group_response *out = out_;
    struct group_join join = {
        .member_id = in->member_id,
        .instance_id = in->group_instance_id,
        .protocol_type = in->protocol_type,
        .protocols = in->protocols.items,
        .protocol_count = in->protocols.count,
        .session_timeout_ms = in->session_timeout_ms,
        /* Version 0 has one timeout for both. */
        .rebalance_timeout_ms =
            request->header.api_version == 0 ? in->session_timeout_ms : in->rebalance_timeout_ms,
        .id_required = request->header.api_version >= 4,
    };
    struct group *group;
    bool is_new;
    enum h_result result;

    out->error_code = join_check(broker, in);
    if (out->error_code != KE_NONE)
        return join_refuse(request, in->member_id);
    group = groups_find(broker->groups, in->group_id);
    if ((group != NULL && group->share != NULL) ||
        (is_streams_group(group) && map_count(&group->streams->members) > 0)) {
        out->error_code = KE_INCONSISTENT_GROUP_PROTOCOL;
        return join_refuse(request, request_text(""));
    }
    if (is_consumer_group(group) && map_count(&group->consumer->members) > 0)
        return consumer_classic_join(group, request, &join);
    is_new = group == NULL || !group_is_classic(group);
    if (group != NULL && !group_is_classic(group))
        empty_end(group);
    group = groups_make(broker->groups, in->group_id);
    if (group == NULL) {
        out->error_code = KE_GROUP_MAX_SIZE_REACHED;
        return join_refuse(request, request_text(""));
    }
    result = group_join_request(group, request, &join);
    if (is_new && result == H_DONE)
        groups_save_unasked(group);
    return result;
}

enum h_result
h_sync_group(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_sync_group_request *in = in_;
    struct km_sync_group_response *out = out_;
    struct group *group = group_find(broker, in->group_id);

    if (request->header.api_version >= 5 &&
        (in->protocol_type.size < 0 || in->protocol_name.size < 0))
        out->error_code = KE_INCONSISTENT_GROUP_PROTOCOL;
    else if (in->group_id.size == 0)
        out->error_code = KE_INVALID_GROUP_ID;
    else if (group == NULL)
        out->error_code = KE_UNKNOWN_MEMBER_ID;
    if (out->error_code != KE_NONE)
        return H_DONE;
    return is_consumer_group(group) ? consumer_classic_sync(group, request)
                                    : group_sync_request(group, request);
}

enum h_result
h_heartbeat(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_heartbeat_request *in = in_;
    struct km_heartbeat_response *out = out_;
    struct group *group = group_find(broker, in->group_id);

    (void)request;
    if (in->group_id.size == 0)
        out->error_code = KE_INVALID_GROUP_ID;
    else if (group == NULL)
        out->error_code = KE_UNKNOWN_MEMBER_ID;
    else if (is_consumer_group(group))
        out->error_code = consumer_classic_heartbeat(
            group, in->member_id, in->group_instance_id, in->generation_id);
    else
        out->error_code =
            group_heartbeat(group, in->member_id, in->group_instance_id, in->generation_id);
    return H_DONE;
}

enum h_result
h_leave_group(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_leave_group_request *in = in_;
    struct km_leave_group_response *out = out_;
    struct group *group = group_find(broker, in->group_id);

    if (in->group_id.size == 0) {
        out->error_code = KE_INVALID_GROUP_ID;
        return H_DONE;
    }
    if (is_consumer_group(group) && request->header.api_version < 3)
        return consumer_classic_leave(group, request, in, out);
    if (request->header.api_version < 3) {
        out->error_code = group == NULL ? KE_UNKNOWN_MEMBER_ID
                                        : group_leave(group, in->member_id, request_text(NULL));
        return H_DONE;
    }
    out->members.items = codec_array(
        &request->arena, &km_leave_group_response_member_response_desc, in->members.count);
    if (out->members.items == NULL)
        return H_CLOSE;
    out->members.count = in->members.count;
    for (int32_t i = 0; i < in->members.count; i++) {
        const struct km_leave_group_request_member_identity *member = &in->members.items[i];

        out->members.items[i].member_id = member->member_id;
        out->members.items[i].group_instance_id = member->group_instance_id;
        if (!is_consumer_group(group))
            out->members.items[i].error_code =
                group == NULL ? KE_UNKNOWN_MEMBER_ID
                              : group_leave(group, member->member_id, member->group_instance_id);
    }
    return is_consumer_group(group) ? consumer_classic_leave(group, request, in, out) : H_DONE;
}

/* --- DescribeGroups, ListGroups -----------------------------------------------------------------
 */

static struct wire_bytes
bytes_dup(struct request *request, const uint8_t *data, int32_t size)
{
    return (struct wire_bytes){arena_dup(&request->arena, data, (size_t)size), size};
}

static void
member_describe(struct request *request, const struct group *group,
    const struct group_member *member,
    struct km_describe_groups_response_described_group_member *out)
{
    out->member_id = request_text_dup(request, member->member_id);
    out->group_instance_id = request_text_dup(request, member->instance_id);
    out->client_id = request_text_dup(request, member->client_id);
    out->client_host = request_text_dup(request, member->client_host);
    out->member_assignment = bytes_dup(request, member->assignment, member->assignment_size);
    /* Metadata is told of a settled group only. */
    if (group->state != GROUP_STABLE)
        return;
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (group->protocol_name != NULL &&
            strcmp(member->protocols[i].name, group->protocol_name) == 0)
            out->member_metadata = bytes_dup(
                request, member->protocols[i].metadata, member->protocols[i].metadata_size);
}

static bool
group_describe(struct request *request, const struct group *group,
    struct km_describe_groups_response_described_group *out)
{
    struct group_member *member;
    size_t position = 0;

    out->group_state = request_text(group_state_name(group->state));
    out->protocol_type =
        request_text_dup(request, group->protocol_type == NULL ? "" : group->protocol_type);
    if (group->state == GROUP_STABLE)
        out->protocol_data = request_text_dup(request, group->protocol_name);
    out->members.items =
        codec_array(&request->arena, &km_describe_groups_response_described_group_member_desc,
            (int32_t)map_count(&group->members));
    if (arena_is_full(&request->arena))
        return false;
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        member_describe(request, group, member, &out->members.items[out->members.count++]);
    return true;
}

enum h_result
h_describe_groups(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_groups_request *in = in_;
    struct km_describe_groups_response *out = out_;

    out->groups.items = codec_array(
        &request->arena, &km_describe_groups_response_described_group_desc, in->groups.count);
    if (out->groups.items == NULL)
        return H_CLOSE;
    out->groups.count = in->groups.count;
    for (int32_t i = 0; i < in->groups.count; i++) {
        struct km_describe_groups_response_described_group *result = &out->groups.items[i];
        struct group *group = groups_find(broker->groups, in->groups.items[i]);

        result->group_id = in->groups.items[i];
        if (group != NULL && group_is_classic(group)) {
            if (!group_describe(request, group, result))
                return H_CLOSE;
        } else {
            result->group_state = request_text(group_state_name(GROUP_DEAD));
            if (request->header.api_version >= 6) {
                result->error_code = KE_GROUP_ID_NOT_FOUND;
                result->error_message = request_text_dup(
                    request, arena_printf(&request->arena,
                                 group == NULL ? "Group %.*s not found."
                                               : "Group %.*s is not a classic group.",
                                 result->group_id.size, result->group_id.data));
            }
        }
        if (in->include_authorized_operations && result->error_code == KE_NONE)
            result->authorized_operations = GROUP_OPERATIONS;
    }
    return H_DONE;
}

/* Filters compare without case, as Kafka's enums are parsed. */
static bool
is_listed(const struct wire_string *filter, int32_t count, const char *text)
{
    for (int32_t i = 0; i < count; i++)
        if ((size_t)filter[i].size == strlen(text) &&
            strncasecmp(filter[i].data, text, strlen(text)) == 0)
            return true;
    return count == 0;
}

/* Kafka's name of a group's type. */
static const char *
group_type(const struct group *group)
{
    if (is_consumer_group(group))
        return "consumer";
    if (group->streams != NULL)
        return STREAMS_PROTOCOL_TYPE;
    return group->share != NULL ? SHARE_PROTOCOL_TYPE : "classic";
}

static const char *
group_state(const struct group *group)
{
    if (is_consumer_group(group))
        return consumer_group_state(group->consumer);
    if (group->streams != NULL)
        return streams_group_state_name(group->streams);
    return group->share != NULL ? share_group_state(group->share) : group_state_name(group->state);
}

/* The name by which a state is looked for, which is not always the one that is shown. */
static const char *
group_state_filter(const struct group *group)
{
    return group->streams != NULL ? streams_group_state_filter(group->streams) : group_state(group);
}

/* A classic group's protocol is what its members say. */
static struct wire_string
group_protocol(struct request *request, const struct group *group, const char *type)
{
    if (!group_is_classic(group))
        return request_text(type);
    return request_text_dup(request, group->protocol_type == NULL ? "" : group->protocol_type);
}

enum h_result
h_list_groups(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_list_groups_request *in = in_;
    struct km_list_groups_response *out = out_;
    struct group *group;
    size_t position = 0;

    out->groups.items = codec_array(&request->arena, &km_list_groups_response_listed_group_desc,
        (int32_t)map_count(&broker->groups->by_id));
    if (out->groups.items == NULL)
        return H_CLOSE;
    while ((group = groups_next(broker->groups, &position)) != NULL) {
        struct km_list_groups_response_listed_group *item;
        const char *type = group_type(group);

        if (!is_listed(
                in->states_filter.items, in->states_filter.count, group_state_filter(group)) ||
            !is_listed(in->types_filter.items, in->types_filter.count, type))
            continue;
        item = &out->groups.items[out->groups.count++];
        item->group_id = request_text_dup(request, group->group_id);
        item->protocol_type = group_protocol(request, group, type);
        item->group_state = request_text(group_state(group));
        item->group_type = request_text(type);
    }
    return H_DONE;
}
