#include "refbroker/coord/consumer_heartbeat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/assignor.h"
#include "refbroker/coord/consumer_migrate.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/topic_pattern.h"
#include "refbroker/limits.h"

typedef struct km_consumer_group_heartbeat_request heartbeat_in;
typedef struct km_consumer_group_heartbeat_response heartbeat_out;

static int16_t
refuse(struct err *e, int16_t code, const char *text)
{
    err_set(e, RC_CONFIG, "%s", text);
    return code;
}

/* --- the request by itself -----------------------------------------------------------------------
 */

static int16_t
join_check(const heartbeat_in *in, struct err *e)
{
    if (in->rebalance_timeout_ms == -1)
        return refuse(
            e, KE_INVALID_REQUEST, "RebalanceTimeoutMs must be provided in first request.");
    if (in->topic_partitions.count != 0)
        return refuse(e, KE_INVALID_REQUEST, "TopicPartitions must be empty when (re-)joining.");
    if (in->subscribed_topic_names.count < 0 && in->subscribed_topic_regex.size < 0)
        return refuse(e, KE_INVALID_REQUEST,
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when "
            "(re-)joining.");
    return KE_NONE;
}

static int16_t
request_check(const heartbeat_in *in, int16_t version, struct err *e)
{
    bool id_needed =
        version >= 1 || in->member_epoch > 0 || in->member_epoch == CONSUMER_EPOCH_LEAVE;
    int16_t error = KE_NONE;
    char name[64];

    if (id_needed && text_is_blank(in->member_id))
        return refuse(e, KE_INVALID_REQUEST, "MemberId can't be empty.");
    if (text_is_blank(in->group_id))
        return refuse(e, KE_INVALID_REQUEST, "GroupId can't be empty.");
    if (text_is_blank(in->instance_id))
        return refuse(e, KE_INVALID_REQUEST, "InstanceId can't be empty.");
    if (text_is_blank(in->rack_id))
        return refuse(e, KE_INVALID_REQUEST, "RackId can't be empty.");
    if (!request_is_plain(in->member_id) || !request_is_plain(in->group_id) ||
        !request_is_plain(in->instance_id))
        return refuse(e, KE_INVALID_REQUEST, "Ids can't hold zero bytes.");
    if (in->member_epoch == CONSUMER_EPOCH_JOIN)
        error = join_check(in, e);
    else if (in->member_epoch == CONSUMER_EPOCH_LEAVE_STATIC && in->instance_id.size < 0)
        error = refuse(e, KE_INVALID_REQUEST, "InstanceId can't be null.");
    else if (in->member_epoch < CONSUMER_EPOCH_LEAVE_STATIC)
        error = refuse(e, KE_INVALID_REQUEST, "MemberEpoch is invalid.");
    if (error != KE_NONE || in->server_assignor.size < 0)
        return error;
    snprintf(name, sizeof name, "%.*s", in->server_assignor.size, in->server_assignor.data);
    if (assignor_find(name) != NULL && strlen(name) == (size_t)in->server_assignor.size)
        return KE_NONE;
    err_set(e, RC_CONFIG,
        "ServerAssignor %s is not supported. Supported assignors: " ASSIGNOR_NAMES ".", name);
    return KE_UNSUPPORTED_ASSIGNOR;
}

/* --- the request in its group --------------------------------------------------------------------
 */

/* Whom the request is about, before anything is changed. */
struct place {
    struct group *group;            /* NULL: to be made */
    struct consumer_member *member; /* NULL: to be made */
    struct wire_string member_id;   /* the request's, or one that was made for it */
};

bool
consumer_heartbeat_full(
    const struct groups *groups, const struct group *group, struct wire_string member_id)
{
    int64_t max = groups->broker->options.groups.consumer_max_size;
    size_t count =
        group->consumer != NULL ? map_count(&group->consumer->members) : map_count(&group->members);
    bool known = member_id.size > 0 &&
                 (group->consumer != NULL ? consumer_member_find(group->consumer, member_id) != NULL
                                          : map_get(&group->members, member_id.data,
                                                (size_t)member_id.size) != NULL);

    if (max > LIMIT_GROUP_MEMBERS_MAX)
        max = LIMIT_GROUP_MEMBERS_MAX;
    return (int64_t)count >= max && !known;
}

static int16_t
group_check(struct groups *groups, const heartbeat_in *in, struct place *place, struct err *e)
{
    bool joins = in->member_epoch == CONSUMER_EPOCH_JOIN;
    struct group *group = groups_find(groups, in->group_id);
    int id_size = in->group_id.size;
    int16_t error = KE_NONE;

    place->group = group;
    if (group == NULL && joins)
        return KE_NONE;
    if (group == NULL) {
        err_set(e, RC_CONFIG, "%s %.*s not found.",
            in->member_epoch > 0 ? "Consumer group" : "Group", id_size, in->group_id.data);
        return KE_GROUP_ID_NOT_FOUND;
    }
    if (group->consumer == NULL && (!joins || !group_is_classic(group))) {
        err_set(e, RC_CONFIG, "Group %.*s is not a consumer group.", id_size, in->group_id.data);
        return KE_GROUP_ID_NOT_FOUND;
    }
    if (group->consumer == NULL && group->state != GROUP_EMPTY)
        error = consumer_migrate_up_check(group, e);
    if (error == KE_NONE && in->member_epoch >= 0 &&
        consumer_heartbeat_full(groups, group, in->member_id)) {
        err_set(e, RC_CONFIG,
            "The consumer group has reached its maximum capacity of %" PRId64 " members.",
            groups->broker->options.groups.consumer_max_size);
        error = KE_GROUP_MAX_SIZE_REACHED;
    }
    return error;
}

/* A lower epoch may be that of an answer that got lost: it is let in where the member has no more
 * than it was given then. */
static int16_t
epoch_check(const struct consumer_member *member, int32_t epoch, const struct topic_parts *owned,
    struct err *e)
{
    const char *how = epoch > member->epoch ? "greater" : "smaller";

    if (epoch == CONSUMER_EPOCH_JOIN || epoch == member->epoch)
        return KE_NONE;
    if (epoch < member->epoch && epoch == member->previous_epoch && owned != NULL &&
        topic_parts_contains(&member->assigned, owned))
        return KE_NONE;
    err_set(e, RC_CONFIG,
        "The consumer group member has a %s member epoch (%d) than the one known by the group "
        "coordinator (%d). The member must abandon all its partitions and rejoin.",
        how, epoch, member->epoch);
    return KE_FENCED_MEMBER_EPOCH;
}

int16_t
consumer_heartbeat_check_owner(const struct consumer_member *owner, struct wire_string member_id,
    struct wire_string instance_id, struct err *e)
{
    if (owner == NULL) {
        err_set(e, RC_CONFIG, "Instance id %.*s is unknown.", instance_id.size, instance_id.data);
        return KE_UNKNOWN_MEMBER_ID;
    }
    if (!request_is_text(member_id, owner->member_id)) {
        err_set(e, RC_CONFIG, "Static member %.*s with instance id %.*s was fenced by member %s.",
            member_id.size, member_id.data, instance_id.size, instance_id.data, owner->member_id);
        return KE_FENCED_INSTANCE_ID;
    }
    return KE_NONE;
}

static int16_t
static_check(
    struct consumer_group *consumer, const heartbeat_in *in, struct place *place, struct err *e)
{
    struct consumer_member *owner = consumer_member_find_static(consumer, in->instance_id);

    place->member = owner;
    if (in->member_epoch != CONSUMER_EPOCH_JOIN)
        return consumer_heartbeat_check_owner(owner, in->member_id, in->instance_id, e);
    if (owner == NULL || owner->classic != NULL || owner->epoch == CONSUMER_EPOCH_LEAVE_STATIC)
        return KE_NONE;
    err_set(e, RC_CONFIG,
        "Static member %.*s with instance id %.*s cannot join the group because the instance id is "
        "owned by %s member.",
        place->member_id.size, place->member_id.data, in->instance_id.size, in->instance_id.data,
        owner->member_id);
    return KE_UNRELEASED_INSTANCE_ID;
}

static int16_t
member_check(struct consumer_group *consumer, const heartbeat_in *in,
    const struct topic_parts *owned, struct place *place, struct err *e)
{
    int16_t error;

    if (in->instance_id.size >= 0) {
        error = static_check(consumer, in, place, e);
        return error != KE_NONE || place->member == NULL || in->member_epoch <= 0
                   ? error
                   : epoch_check(place->member, in->member_epoch, owned, e);
    }
    place->member = consumer_member_find(consumer, in->member_id);
    if (place->member == NULL && in->member_epoch != CONSUMER_EPOCH_JOIN) {
        err_set(e, RC_CONFIG, "Member %.*s is not a member of group %s.", in->member_id.size,
            in->member_id.data, consumer->group->group_id);
        return KE_UNKNOWN_MEMBER_ID;
    }
    return place->member == NULL || in->member_epoch < 0
               ? KE_NONE
               : epoch_check(place->member, in->member_epoch, owned, e);
}

static int16_t
regex_check(const struct place *place, struct wire_string regex, struct err *e)
{
    struct topic_pattern *pattern;
    const char *why;

    if (regex.size <= 0 || (place->member != NULL && place->member->regex != NULL &&
                               request_is_text(regex, place->member->regex)))
        return KE_NONE;
    pattern = topic_pattern_new(regex.data, (size_t)regex.size, &why);
    if (pattern != NULL) {
        topic_pattern_free(pattern);
        return KE_NONE;
    }
    err_set(e, RC_CONFIG, "SubscribedTopicRegex `%.*s` is not a valid regular expression: %s.",
        regex.size, regex.data, why);
    return KE_INVALID_REGULAR_EXPRESSION;
}

/* --- the answer ----------------------------------------------------------------------------------
 */

static struct topic_parts
owned_read(const heartbeat_in *in)
{
    struct topic_parts owned = {0};

    for (int32_t i = 0; i < in->topic_partitions.count; i++)
        for (int32_t k = 0; k < in->topic_partitions.items[i].partitions.count; k++)
            topic_parts_add(
                &owned, &(struct topic_part){.topic_id = in->topic_partitions.items[i].topic_id,
                            .partition = in->topic_partitions.items[i].partitions.items[k]});
    topic_parts_sort(&owned);
    return owned;
}

static void
assignment_fill(struct request *request, const struct topic_parts *parts, heartbeat_out *out)
{
    struct km_consumer_group_heartbeat_response_assignment *assignment =
        codec_array(&request->arena, &km_consumer_group_heartbeat_response_assignment_desc, 1);
    struct km_consumer_group_heartbeat_response_topic_partitions *to;
    int32_t *numbers = arena_array(&request->arena, parts->count + 1, sizeof *numbers);

    if (assignment != NULL)
        assignment->topic_partitions.items = codec_array(&request->arena,
            &km_consumer_group_heartbeat_response_topic_partitions_desc,
            (int32_t)topic_parts_topics(parts));
    /* Without room the arena is full, and dispatch sees that. */
    if (assignment == NULL || numbers == NULL || arena_is_full(&request->arena))
        return;
    for (size_t i = 0; i < parts->count; i++)
        numbers[i] = parts->items[i].partition;
    for (size_t at = 0, run; at < parts->count; at += run) {
        run = topic_parts_run(parts, at);
        to = &assignment->topic_partitions.items[assignment->topic_partitions.count++];
        to->topic_id = parts->items[at].topic_id;
        to->partitions.items = numbers + at;
        to->partitions.count = (int32_t)run;
    }
    out->assignment = assignment;
}

char *
consumer_heartbeat_id_make(const struct groups *groups)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[18] = {0};
    char id[23] = "";

    do {
        env_random_bytes(groups->broker->env, bytes, 16);
        for (size_t i = 0; i < 22; i++) {
            size_t bit = i * 6;
            unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];

            id[i] = digits[pair >> (10 - bit % 8) & 63];
        }
    } while (id[0] == '-');
    return xstrdup(id);
}

/* --- what it does --------------------------------------------------------------------------------
 */

static int16_t
leave(struct consumer_member *member, const heartbeat_in *in, heartbeat_out *out,
    struct request *request, struct group_records *records)
{
    struct topic_parts none = {0}, kept = {0};

    out->member_id = request_text_dup(request, member->member_id);
    out->member_epoch = in->member_epoch;
    if (in->member_epoch == CONSUMER_EPOCH_LEAVE || in->instance_id.size < 0) {
        consumer_update_fence(member->consumer, &member, 1, records);
        return KE_NONE;
    }
    /* A static member comes back; until its session is over its partitions stay its own. */
    topic_parts_copy(&kept, &member->assigned);
    for (size_t i = 0; i < kept.count; i++)
        kept.items[i].epoch = 0;
    consumer_member_hold(member, &kept, &none);
    member->epoch = CONSUMER_EPOCH_LEAVE_STATIC;
    consumer_records_current(records, member);
    return KE_NONE;
}

void
consumer_heartbeat_replace(
    struct consumer_member *member, struct wire_string member_id, struct group_records *records)
{
    consumer_records_member_gone(records, member->consumer->group->group_id, member->member_id);
    consumer_member_rename(member, member_id);
    member->epoch = member->previous_epoch = CONSUMER_EPOCH_JOIN;
    consumer_records_member(records, member);
    consumer_records_target(records, member);
    consumer_records_current(records, member);
}

/* The group and the member, made or taken over. */
static struct consumer_member *
member_make(struct groups *groups, const heartbeat_in *in, struct place *place,
    struct group_records *records)
{
    struct group *group = place->group;
    struct consumer_member *owner;

    if (group == NULL) {
        group = groups_make(groups, in->group_id);
        if (group == NULL)
            return NULL;
        (void)consumer_group_attach(group);
    } else if (group->consumer == NULL) {
        consumer_migrate_up(group, records);
    }
    /* A classic member of that id, or instance, may have become one of this group just now. */
    owner = consumer_member_find_static(group->consumer, in->instance_id);
    place->member = consumer_member_find(group->consumer, place->member_id);
    if (owner != NULL && in->member_epoch == CONSUMER_EPOCH_JOIN) {
        /* Two become one: what the member had by its id goes, what the instance had stays. */
        if (place->member != NULL && place->member != owner)
            consumer_update_take_out(place->member, records);
        consumer_heartbeat_replace(owner, place->member_id, records);
    }
    /* A member that was dynamic may become static. */
    if (owner != NULL)
        place->member = owner;
    if (place->member == NULL)
        place->member = consumer_member_add(group->consumer, place->member_id);
    return place->member;
}

static struct consumer_update
update_of(const heartbeat_in *in, const struct request *request, const struct topic_parts *owned)
{
    return (struct consumer_update){.topics = in->subscribed_topic_names.items,
        .topic_count = in->subscribed_topic_names.count,
        .regex = in->subscribed_topic_regex,
        .instance_id = in->instance_id,
        .rack_id = in->rack_id,
        .assignor = in->server_assignor,
        .rebalance_timeout_ms = in->rebalance_timeout_ms,
        .client_id =
            request->header.client_id.size < 0 ? request_text("") : request->header.client_id,
        .owned = owned};
}

static int16_t
join_or_stay(struct groups *groups, struct request *request, const heartbeat_in *in,
    heartbeat_out *out, struct place *place, const struct topic_parts *owned,
    struct group_records *records)
{
    struct consumer_update update = update_of(in, request, owned);
    char *client_host = xasprintf("/%s", request->client->client_host);
    struct consumer_member *member = member_make(groups, in, place, records);
    struct topic_parts before = {0};
    bool is_full;

    update.client_host = client_host;
    if (member != NULL) {
        topic_parts_copy(&before, &member->assigned);
        consumer_update_apply(member, &update, records);
        consumer_member_touch(member);
        out->member_id = request_text_dup(request, member->member_id);
        out->member_epoch = member->epoch;
        out->heartbeat_interval_ms =
            (int32_t)group_configs_heartbeat_interval_ms(member->consumer->group);
        is_full = in->rebalance_timeout_ms != -1 && in->topic_partitions.count >= 0 &&
                  (in->subscribed_topic_names.count >= 0 || in->subscribed_topic_regex.size >= 0);
        if (in->member_epoch == CONSUMER_EPOCH_JOIN || is_full ||
            !topic_parts_equal(&before, &member->assigned))
            assignment_fill(request, &member->assigned, out);
    }
    topic_parts_fini(&before);
    free(client_host);
    return member == NULL ? KE_COORDINATOR_NOT_AVAILABLE : KE_NONE;
}

int16_t
consumer_heartbeat(struct groups *groups, struct request *request, const heartbeat_in *in,
    heartbeat_out *out, struct group_records *records, struct err *e)
{
    struct topic_parts owned = owned_read(in);
    const struct topic_parts *told = in->topic_partitions.count < 0 ? NULL : &owned;
    struct place place = {.member_id = in->member_id};
    int16_t error = request_check(in, request->header.api_version, e);
    char *made_id = NULL;

    if (error == KE_NONE && in->member_id.size == 0) {
        made_id = consumer_heartbeat_id_make(groups);
        place.member_id = request_text(made_id);
    }
    if (error == KE_NONE)
        error = group_check(groups, in, &place, e);
    if (error == KE_NONE && place.group != NULL && place.group->consumer != NULL)
        error = member_check(place.group->consumer, in, told, &place, e);
    if (error == KE_NONE && in->member_epoch >= 0)
        error = regex_check(&place, in->subscribed_topic_regex, e);
    if (error == KE_NONE)
        error = in->member_epoch < 0
                    ? leave(place.member, in, out, request, records)
                    : join_or_stay(groups, request, in, out, &place, told, records);
    topic_parts_fini(&owned);
    free(made_id);
    return error;
}
