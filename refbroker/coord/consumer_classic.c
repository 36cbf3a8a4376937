#include "refbroker/coord/consumer_classic.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/consumer_heartbeat.h"
#include "refbroker/coord/consumer_migrate.h"
#include "refbroker/coord/consumer_protocol.h"
#include "refbroker/coord/consumer_update.h"
#include "refbroker/coord/group_answer.h"

#define ASSIGNMENT_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* --- JoinGroup -----------------------------------------------------------------------------------
 */

/* Refusals name no member; only the one that hands out an id does. */
static enum h_result
join_refuse_as(struct request *request, int16_t error, struct wire_string member_id)
{
    struct km_join_group_response *out = request->out;

    out->error_code = error;
    out->member_id = member_id;
    out->protocol_name = request_text(request->header.api_version >= 7 ? NULL : "");
    return H_DONE;
}

static enum h_result
join_refuse(struct request *request, int16_t error)
{
    return join_refuse_as(request, error, request_text(""));
}

/* How many classic members have each protocol, by its name. */
static void
protocols_count(const struct consumer_group *consumer, struct map *counts)
{
    const struct consumer_member *member;
    size_t position = 0;

    map_init(counts);
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        for (int32_t i = 0; member->classic != NULL && i < member->classic->protocol_count; i++) {
            const char *name = member->classic->protocols[i].name;
            uintptr_t count = (uintptr_t)map_get_text(counts, name);

            map_put_text(counts, name, (void *)(count + 1));
        }
}

/* One of its protocols must be known to all classic members. */
static bool
protocols_fit(const struct consumer_group *consumer, const struct group_join *join)
{
    size_t all = consumer_group_classic_count(consumer);
    struct map counts;
    bool fit = false;

    if (!request_is_text(join->protocol_type, CONSUMER_PROTOCOL_TYPE))
        return false;
    protocols_count(consumer, &counts);
    for (int32_t i = 0; i < join->protocol_count && !fit; i++) {
        struct wire_string name = join->protocols[i].name;

        fit = (size_t)(uintptr_t)map_get(&counts, name.data, (size_t)name.size) == all;
    }
    map_fini(&counts, NULL);
    return fit;
}

static struct consumer_classic *
classic_make(const struct group_join *join)
{
    struct consumer_classic *classic = xcalloc(1, sizeof *classic);

    classic->session_timeout_ms = join->session_timeout_ms;
    classic->protocol_count = join->protocol_count;
    classic->protocols = xcalloc((size_t)join->protocol_count + 1, sizeof *classic->protocols);
    for (int32_t i = 0; i < join->protocol_count; i++) {
        const struct km_join_group_request_protocol *from = &join->protocols[i];

        classic->protocols[i].name = xmemdup(from->name.data, (size_t)from->name.size);
        classic->protocols[i].metadata = xmemdup(from->metadata.data, (size_t)from->metadata.size);
        classic->protocols[i].metadata_size = from->metadata.size;
    }
    return classic;
}

/* What a classic member says that it has; of topics that exist. */
static struct topic_parts
owned_read(const struct groups *groups, const struct km_consumer_protocol_subscription *from)
{
    struct topic_parts owned = {0};

    for (int32_t i = 0; i < from->owned_partitions.count; i++) {
        const struct km_consumer_protocol_subscription_topic_partition *item =
            &from->owned_partitions.items[i];
        const struct topic *topic =
            topics_find(&groups->broker->topics, item->topic.data, (size_t)item->topic.size);

        for (int32_t k = 0; topic != NULL && k < item->partitions.count; k++)
            topic_parts_add(&owned, &(struct topic_part){.topic_id = topic->topic_id,
                                        .partition = item->partitions.items[k]});
    }
    topic_parts_sort(&owned);
    return owned;
}

/* A join that was let in. */
struct joining {
    struct group *group;
    struct request *request;
    const struct group_join *join;
    struct wire_string member_id;
    struct km_consumer_protocol_subscription subscription;
    struct consumer_member *member;
    bool downgrades; /* it replaces the last member of the consumer protocol */
    struct group_records records;
};

/* Whether a member may come with its instance, before anything is changed. */
static int16_t
instance_check(const struct consumer_group *consumer, const struct group_join *join)
{
    struct err e;

    if (join->instance_id.size < 0 || join->member_id.size == 0)
        return KE_NONE;
    return consumer_heartbeat_check_owner(consumer_member_find_static(consumer, join->instance_id),
        join->member_id, join->instance_id, &e);
}

/* Finds the member, takes it over or makes it. */
static void
member_find(struct joining *j)
{
    struct consumer_group *consumer = j->group->consumer;
    struct consumer_member *member = consumer_member_find_static(consumer, j->join->instance_id);

    if (j->join->instance_id.size < 0)
        member = consumer_member_find(consumer, j->member_id);
    j->member = member != NULL ? member : consumer_member_add(consumer, j->member_id);
    if (member == NULL || j->join->instance_id.size < 0)
        return;
    j->downgrades = member->classic == NULL &&
                    consumer_group_classic_count(consumer) + 1 == map_count(&consumer->members) &&
                    consumer_migrate_can_down(consumer, map_count(&consumer->members));
    if (j->join->member_id.size == 0)
        consumer_heartbeat_replace(member, j->member_id, &j->records);
}

static void
join_apply(struct joining *j)
{
    struct consumer_group *consumer = j->group->consumer;
    struct topic_parts owned = owned_read(j->group->groups, &j->subscription);
    char *client_host = xasprintf("/%s", j->request->client->client_host);
    struct wire_string rack_id = j->subscription.rack_id, client_id = j->request->header.client_id;
    struct consumer_update update = {.topics = j->subscription.topics.items,
        .topic_count = j->subscription.topics.count,
        .regex = request_text(""),
        .instance_id = j->join->instance_id,
        .rack_id = rack_id.size <= 0 ? request_text(NULL) : rack_id,
        .assignor = request_text(NULL),
        .rebalance_timeout_ms = j->join->rebalance_timeout_ms,
        .client_id = client_id.size < 0 ? request_text("") : client_id,
        .client_host = client_host,
        .classic_take = classic_make(j->join)};
    bool changed = consumer_update_subscribe(j->member, &update, &j->records);

    if (!j->downgrades)
        consumer_update_settle(j->member, &owned, changed, &j->records);
    else if (consumer->target_epoch == consumer->epoch &&
             consumer_reconcile(j->member, &owned, changed))
        consumer_records_current(&j->records, j->member);
    topic_parts_fini(&owned);
    free(client_host);
}

static void
join_failed(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    (void)join_refuse(request, error);
}

static void
join_fill(const struct joining *j)
{
    struct km_join_group_response *out = j->request->out;

    out->member_id = request_text_dup(j->request, j->member->member_id);
    out->generation_id = j->member->epoch;
    out->protocol_type = request_text(CONSUMER_PROTOCOL_TYPE);
    out->protocol_name = request_text_dup(j->request, j->member->classic->protocols[0].name);
    out->leader = request_text("");
}

static enum h_result
join_do(struct joining *j)
{
    struct consumer_group *consumer = j->group->consumer;
    int32_t epoch = consumer->epoch;
    enum h_result result;

    member_find(j);
    join_apply(j);
    join_fill(j);
    consumer_member_did_join(j->member);
    if (j->downgrades) {
        /* Kafka makes the classic group before it sees that this join has changed the epoch. */
        consumer_migrate_down(
            consumer, epoch, consumer->target_epoch < consumer->epoch, &j->records);
    } else {
        consumer_member_touch(j->member);
        consumer_member_must_sync(j->member);
    }
    result = group_answer_one(
        j->group->groups, j->request, j->group->group_id, &j->records, join_failed);
    return result;
}

enum h_result
consumer_classic_join(struct group *group, struct request *request, const struct group_join *join)
{
    struct joining j = {.group = group, .request = request, .join = join};
    char *made_id = NULL;
    enum h_result result;
    int16_t error;
    struct err e;

    if (group->groups->broker->options.groups.consumer_migration == GROUP_MIGRATION_DISABLED)
        return join_refuse(request, KE_INCONSISTENT_GROUP_PROTOCOL);
    if (consumer_heartbeat_full(group->groups, group, join->member_id))
        return join_refuse(request, KE_GROUP_MAX_SIZE_REACHED);
    if (!protocols_fit(group->consumer, join))
        return join_refuse(request, KE_INCONSISTENT_GROUP_PROTOCOL);
    if (join->member_id.size == 0)
        made_id = consumer_heartbeat_id_make(group->groups);
    j.member_id = made_id == NULL ? join->member_id : request_text(made_id);
    error = instance_check(group->consumer, join);
    if (made_id != NULL && join->id_required && join->instance_id.size < 0) {
        result = join_refuse_as(request, KE_MEMBER_ID_REQUIRED, request_text_dup(request, made_id));
    } else if (error != KE_NONE) {
        result = join_refuse(request, error);
    } else if (consumer_protocol_subscription(
                   join->protocols[0].metadata, &request->arena, &j.subscription, &e) != RC_OK) {
        result = join_refuse(request, KE_UNKNOWN_SERVER_ERROR);
    } else {
        group_records_init(&j.records);
        result = join_do(&j);
        group_records_fini(&j.records);
    }
    free(made_id);
    return result;
}

/* --- SyncGroup and Heartbeat ---------------------------------------------------------------------
 */

static int16_t
member_check(const struct consumer_group *consumer, struct wire_string member_id,
    struct wire_string instance_id, int32_t generation, struct consumer_member **member)
{
    int16_t error;
    struct err e;

    if (instance_id.size >= 0) {
        *member = consumer_member_find_static(consumer, instance_id);
        error = consumer_heartbeat_check_owner(*member, member_id, instance_id, &e);
        if (error != KE_NONE)
            return error;
    } else {
        *member = consumer_member_find(consumer, member_id);
    }
    if (*member == NULL || (*member)->classic == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    return (*member)->epoch != generation ? KE_ILLEGAL_GENERATION : KE_NONE;
}

static int16_t
sync_check(const struct consumer_group *consumer, const struct km_sync_group_request *in,
    struct consumer_member **member)
{
    int16_t error =
        member_check(consumer, in->member_id, in->group_instance_id, in->generation_id, member);

    if (error != KE_NONE)
        return error;
    if ((in->protocol_type.size >= 0 &&
            !request_is_text(in->protocol_type, CONSUMER_PROTOCOL_TYPE)) ||
        (in->protocol_name.size >= 0 &&
            !request_is_text(in->protocol_name, (*member)->classic->protocols[0].name)))
        return KE_INCONSISTENT_GROUP_PROTOCOL;
    if (consumer->target_epoch > (*member)->epoch && (*member)->state != MEMBER_UNREVOKED) {
        consumer_member_must_join(*member);
        return KE_REBALANCE_IN_PROGRESS;
    }
    return KE_NONE;
}

static void
sync_failed(struct request *request, int32_t part, int16_t error)
{
    struct km_sync_group_response *out = request->out;

    (void)part;
    out->error_code = error;
    out->assignment.size = 0;
}

enum h_result
consumer_classic_sync(struct group *group, struct request *request)
{
    const struct km_sync_group_request *in = request->in;
    struct km_sync_group_response *out = request->out;
    struct consumer_member *member;
    struct group_records records;
    enum h_result result;
    struct buf bytes;
    struct err e;

    out->error_code = sync_check(group->consumer, in, &member);
    if (out->error_code != KE_NONE)
        return H_DONE;
    consumer_member_did_sync(member);
    consumer_member_touch(member);
    out->protocol_type = in->protocol_type;
    out->protocol_name = in->protocol_name;
    buf_init(&bytes, ASSIGNMENT_BYTES_MAX);
    if (consumer_migrate_assignment(group->consumer, &member->assigned,
            (struct wire_bytes){member->classic->protocols[0].metadata,
                member->classic->protocols[0].metadata_size},
            &bytes, &e) == RC_OK)
        out->assignment = (struct wire_bytes){
            arena_dup(&request->arena, bytes.data, bytes.size), (int32_t)bytes.size};
    else
        out->error_code = KE_UNKNOWN_SERVER_ERROR;
    buf_fini(&bytes);
    group_records_init(&records);
    result = group_answer_one(group->groups, request, group->group_id, &records, sync_failed);
    group_records_fini(&records);
    return result;
}

/* Whether a member waits for something that others have not given up yet. */
static bool
is_waiting(const struct consumer_member *member)
{
    for (size_t i = 0; i < member->target.count; i++) {
        const struct topic_part *part = &member->target.items[i];

        if (topic_parts_find(&member->assigned, &part->topic_id, part->partition) == NULL &&
            consumer_group_owner(member->consumer, &part->topic_id, part->partition) != NULL)
            return true;
    }
    return false;
}

int16_t
consumer_classic_heartbeat(struct group *group, struct wire_string member_id,
    struct wire_string instance_id, int32_t generation)
{
    struct consumer_group *consumer = group->consumer;
    struct consumer_member *member;
    int16_t error = member_check(consumer, member_id, instance_id, generation, &member);

    if (error != KE_NONE)
        return error;
    consumer_member_touch(member);
    if (member->epoch >= consumer->target_epoch && member->state != MEMBER_UNREVOKED &&
        !(member->state == MEMBER_UNRELEASED && !is_waiting(member)))
        return KE_NONE;
    consumer_member_must_join(member);
    return KE_REBALANCE_IN_PROGRESS;
}

/* --- LeaveGroup ----------------------------------------------------------------------------------
 */

static int16_t
leave_check(const struct consumer_group *consumer,
    const struct km_leave_group_request_member_identity *in, struct consumer_member **member)
{
    struct err e;

    if (in->group_instance_id.size < 0) {
        *member = consumer_member_find(consumer, in->member_id);
        return *member == NULL ? KE_UNKNOWN_MEMBER_ID : KE_NONE;
    }
    *member = consumer_member_find_static(consumer, in->group_instance_id);
    if (in->member_id.size == 0)
        return *member == NULL ? KE_UNKNOWN_MEMBER_ID : KE_NONE;
    return consumer_heartbeat_check_owner(*member, in->member_id, in->group_instance_id, &e);
}

static void
leave_failed(struct request *request, int32_t part, int16_t error)
{
    struct km_leave_group_response *out = request->out;

    (void)part;
    out->error_code = error;
}

enum h_result
consumer_classic_leave(struct group *group, struct request *request,
    const struct km_leave_group_request *in, struct km_leave_group_response *out)
{
    /* Requests before v3 name one member, outside the list. */
    struct km_leave_group_request_member_identity only = {
        .member_id = in->member_id, .group_instance_id = request_text(NULL)};
    bool old = request->header.api_version < 3;
    int32_t count = old ? 1 : in->members.count;
    struct consumer_member **leaving = xcalloc((size_t)count + 1, sizeof(struct consumer_member *));
    struct groups *groups = group->groups;
    struct group_records records;
    enum h_result result;
    size_t leaving_count = 0;

    for (int32_t i = 0; i < count; i++) {
        struct consumer_member *member;
        int16_t error = leave_check(group->consumer, old ? &only : &in->members.items[i], &member);

        if (old)
            out->error_code = error;
        else
            out->members.items[i].error_code = error;
        if (error == KE_NONE && !member->leaving) {
            member->leaving = true;
            leaving[leaving_count++] = member;
        }
    }
    group_records_init(&records);
    consumer_update_fence(group->consumer, leaving, leaving_count, &records);
    result = group_answer_one(groups, request, group->group_id, &records, leave_failed);
    group_records_fini(&records);
    free(leaving);
    return result;
}
