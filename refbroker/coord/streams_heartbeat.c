#include "refbroker/coord/streams_heartbeat.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/streams_answer.h"
#include "refbroker/coord/text_set.h"
#include "refbroker/coord/topics_hash.h"
#include "refbroker/limits.h"

typedef struct km_streams_group_heartbeat_request heartbeat_in;
typedef struct km_streams_group_heartbeat_response heartbeat_out;
typedef struct km_streams_group_heartbeat_request_task_ids_array ids_array;

static int16_t
refuse(struct err *e, int16_t code, const char *text)
{
    err_set(e, RC_CONFIG, "%s", text);
    return code;
}

/* What Kafka fails at without a word. */
static int16_t
fail(struct err *e)
{
    err_clear(e);
    return KE_UNKNOWN_SERVER_ERROR;
}

/* --- the request by itself -----------------------------------------------------------------------
 */

static int16_t
unsupported_check(const heartbeat_in *in, struct err *e)
{
    if (in->instance_id.size >= 0)
        return refuse(e, KE_INVALID_REQUEST, "Static membership is not yet supported.");
    if (in->task_offsets.count >= 0)
        return refuse(e, KE_INVALID_REQUEST, "TaskOffsets are not supported yet.");
    if (in->task_end_offsets.count >= 0)
        return refuse(e, KE_INVALID_REQUEST, "TaskEndOffsets are not supported yet.");
    if (in->warmup_tasks.count > 0)
        return refuse(e, KE_INVALID_REQUEST, "WarmupTasks are not supported yet.");
    return in->topology == NULL ? KE_NONE : streams_topology_check_features(in->topology, e);
}

static int16_t
ids_check(const heartbeat_in *in, struct err *e)
{
    if (text_is_blank(in->member_id))
        return refuse(e, KE_INVALID_REQUEST, "MemberId can't be empty.");
    if (text_is_blank(in->group_id))
        return refuse(e, KE_INVALID_REQUEST, "GroupId can't be empty.");
    if (text_is_blank(in->rack_id))
        return refuse(e, KE_INVALID_REQUEST, "RackId can't be empty.");
    return KE_NONE;
}

static int16_t
join_check(const heartbeat_in *in, struct err *e)
{
    if (in->rebalance_timeout_ms == -1)
        return refuse(
            e, KE_INVALID_REQUEST, "RebalanceTimeoutMs must be provided in first request.");
    if (in->active_tasks.count != 0)
        return refuse(e, KE_INVALID_REQUEST, "ActiveTasks must be empty when (re-)joining.");
    if (in->standby_tasks.count != 0)
        return refuse(e, KE_INVALID_REQUEST, "StandbyTasks must be empty when (re-)joining.");
    if (in->warmup_tasks.count != 0)
        return refuse(e, KE_INVALID_REQUEST, "WarmupTasks must be empty when (re-)joining.");
    if (in->topology == NULL)
        return refuse(e, KE_INVALID_REQUEST, "Topology must be non-null when (re-)joining.");
    return streams_topology_check(in->topology, e);
}

static int16_t
epoch_value_check(const heartbeat_in *in, struct err *e)
{
    if (in->member_epoch == STREAMS_EPOCH_JOIN)
        return join_check(in, e);
    if (in->member_epoch == STREAMS_EPOCH_LEAVE_STATIC)
        return refuse(e, KE_INVALID_REQUEST, "InstanceId can't be null.");
    if (in->member_epoch < STREAMS_EPOCH_LEAVE_STATIC) {
        err_set(e, RC_CONFIG, "MemberEpoch is %d, but must be greater than or equal to -2.",
            in->member_epoch);
        return KE_INVALID_REQUEST;
    }
    return KE_NONE;
}

static int16_t
owned_check(const heartbeat_in *in, struct err *e)
{
    int told = (in->active_tasks.count >= 0) + (in->standby_tasks.count >= 0) +
               (in->warmup_tasks.count >= 0);

    if (told != 0 && told != 3)
        return refuse(e, KE_INVALID_REQUEST, "If one task-type is non-null, all must be non-null.");
    if (in->member_epoch != STREAMS_EPOCH_JOIN && in->topology != NULL)
        return refuse(e, KE_INVALID_REQUEST, "Topology can only be provided when (re-)joining.");
    return KE_NONE;
}

/* Of what a member tells of itself Kafka limits nothing. */
static int16_t
traits_check(const heartbeat_in *in, struct err *e)
{
    struct wire_string texts[] = {in->member_id, in->group_id, in->rack_id, in->process_id,
        in->user_endpoint == NULL ? request_text(NULL) : in->user_endpoint->host};
    bool plain = true;
    size_t bytes = 0;

    if (in->client_tags.count > LIMIT_STREAMS_TAGS_MAX)
        return refuse(e, KE_INVALID_REQUEST, "There are too many client tags.");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        plain = plain && request_is_plain(texts[i]);
        bytes += texts[i].size < 0 ? 0 : (size_t)texts[i].size;
    }
    for (int32_t i = 0; i < in->client_tags.count; i++) {
        plain = plain && request_is_plain(in->client_tags.items[i].key) &&
                request_is_plain(in->client_tags.items[i].value);
        bytes +=
            (size_t)in->client_tags.items[i].key.size + (size_t)in->client_tags.items[i].value.size;
    }
    if (!plain)
        return refuse(e, KE_INVALID_REQUEST, "Ids can't hold zero bytes.");
    if (bytes > LIMIT_STREAMS_MEMBER_BYTES_MAX)
        return refuse(e, KE_INVALID_REQUEST, "Ids and client tags are too long.");
    return KE_NONE;
}

int16_t
streams_heartbeat_check(const heartbeat_in *in, struct err *e)
{
    int16_t error = unsupported_check(in, e);

    if (error == KE_NONE)
        error = ids_check(in, e);
    if (error == KE_NONE)
        error = epoch_value_check(in, e);
    if (error == KE_NONE)
        error = owned_check(in, e);
    return error != KE_NONE ? error : traits_check(in, e);
}

/* --- the request in its group --------------------------------------------------------------------
 */

/* Where a request belongs, and what it brings, before anything is changed. */
struct place {
    struct groups *groups;
    const heartbeat_in *in;
    struct group *group;               /* NULL: to be made */
    struct streams_group *streams;     /* NULL: to be made */
    struct streams_member *member;     /* NULL: to be made */
    struct streams_assignment owned;   /* as the request says */
    bool owns_twice;                   /* which tells of a subtopology twice */
    struct text_pairs tags;            /* so, too */
    struct streams_topology *topology; /* the group's first; NULL: it has one */
    struct streams_topics topics;      /* configured anew, where `configures` */
    bool configures;
    uint64_t hash; /* of the topics now */
};

static int16_t
group_check(struct place *p, struct err *e)
{
    bool joins = p->in->member_epoch == STREAMS_EPOCH_JOIN;
    struct wire_string id = p->in->group_id;

    p->group = groups_find(p->groups, id);
    if (p->group == NULL && joins)
        return KE_NONE;
    if (p->group == NULL) {
        err_set(e, RC_CONFIG, "%s %.*s not found.",
            p->in->member_epoch == STREAMS_EPOCH_LEAVE ? "Group" : "Streams group", id.size,
            id.data);
        return KE_GROUP_ID_NOT_FOUND;
    }
    p->streams = p->group->streams;
    if (p->streams == NULL &&
        !(joins && group_is_classic(p->group) && p->group->state == GROUP_EMPTY)) {
        err_set(e, RC_CONFIG, "Group %s is not a streams group.", p->group->group_id);
        return KE_GROUP_ID_NOT_FOUND;
    }
    return KE_NONE;
}

/* As Kafka has it, a full group does not let its own members join again either. */
static int16_t
room_check(const struct place *p, struct err *e)
{
    int64_t told = p->groups->broker->options.groups.streams_max_size;
    int64_t max = told > LIMIT_GROUP_MEMBERS_MAX ? LIMIT_GROUP_MEMBERS_MAX : told;

    if (p->in->member_epoch != STREAMS_EPOCH_JOIN || p->streams == NULL ||
        (int64_t)map_count(&p->streams->members) < max)
        return KE_NONE;
    err_set(e, RC_CONFIG,
        "The streams group has reached its maximum capacity of %" PRId64 " members.", told);
    return KE_GROUP_MAX_SIZE_REACHED;
}

/* A lower epoch may be that of an answer that got lost: it is let in where the member has no more
 * than it was given then. */
static int16_t
epoch_check(const struct place *p, struct err *e)
{
    const struct streams_member *member = p->member;
    int32_t epoch = p->in->member_epoch;

    if (epoch <= STREAMS_EPOCH_JOIN || epoch == member->epoch)
        return KE_NONE;
    if (epoch < member->epoch && epoch == member->previous_epoch &&
        p->in->active_tasks.count >= 0 &&
        streams_tasks_contains(&member->assigned.active, &p->owned.active) &&
        streams_tasks_contains(&member->assigned.standby, &p->owned.standby) &&
        streams_tasks_contains(&member->assigned.warmup, &p->owned.warmup))
        return KE_NONE;
    err_set(e, RC_CONFIG,
        "The streams group member has a %s member epoch (%d) than the one known by the group "
        "coordinator (%d). The member must abandon all its partitions and rejoin.",
        epoch > member->epoch ? "greater" : "smaller", epoch, member->epoch);
    return KE_FENCED_MEMBER_EPOCH;
}

static int16_t
member_check(struct place *p, struct err *e)
{
    if (p->streams != NULL)
        p->member = streams_member_find(p->streams, p->in->member_id);
    if (p->member != NULL)
        return epoch_check(p, e);
    if (p->in->member_epoch == STREAMS_EPOCH_JOIN)
        return KE_NONE;
    err_set(e, RC_CONFIG, "Member %.*s is not a member of group %s.", p->in->member_id.size,
        p->in->member_id.data, p->group->group_id);
    return KE_UNKNOWN_MEMBER_ID;
}

/* --- what it brings ------------------------------------------------------------------------------
 */

static int16_t
tasks_read(struct place *p, struct streams_tasks *tasks, const ids_array *in, struct err *e)
{
    for (int32_t i = 0; i < in->count; i++) {
        enum rc rc = streams_tasks_put(tasks, in->items[i].subtopology_id,
            in->items[i].partitions.items, NULL, in->items[i].partitions.count, 0, e);

        if (rc != RC_OK && rc != RC_CONFLICT)
            return KE_INVALID_REQUEST;
        p->owns_twice = p->owns_twice || rc == RC_CONFLICT;
    }
    return KE_NONE;
}

static int16_t
owned_read(struct place *p, struct err *e)
{
    int16_t error = tasks_read(p, &p->owned.active, &p->in->active_tasks, e);

    if (error == KE_NONE)
        error = tasks_read(p, &p->owned.standby, &p->in->standby_tasks, e);
    return error != KE_NONE ? error : tasks_read(p, &p->owned.warmup, &p->in->warmup_tasks, e);
}

static int16_t
tags_read(struct place *p, struct err *e)
{
    for (int32_t i = 0; i < p->in->client_tags.count; i++)
        if (text_pairs_add(&p->tags, p->in->client_tags.items[i].key,
                p->in->client_tags.items[i].value, e) != RC_OK)
            return fail(e);
    return KE_NONE;
}

static const struct streams_topology *
topology_of(const struct place *p)
{
    return p->streams == NULL ? NULL : p->streams->topology;
}

/* The first topology stays, for now; a member may come with an older one, of which it is told. */
static int16_t
topology_check(struct place *p, struct err *e)
{
    const struct streams_topology *known = topology_of(p);
    struct streams_topology *told;
    int16_t error = KE_NONE;

    if (p->in->topology == NULL)
        return known != NULL ? KE_NONE : fail(e);
    told = streams_topology_of_request(p->in->topology, &error, e);
    if (told == NULL)
        return error;
    if (known == NULL) {
        p->topology = told;
        return p->groups->topology_bytes + told->memory.used_bytes <=
                       LIMIT_STREAMS_TOPOLOGIES_BYTES_MAX
                   ? KE_NONE
                   : refuse(e, KE_COORDINATOR_NOT_AVAILABLE, "There are too many topologies.");
    }
    if (known->value.epoch <= told->value.epoch && !streams_topology_equal(known, told))
        error = refuse(e, KE_INVALID_REQUEST, "Topology updates are not supported yet.");
    streams_topology_free(told);
    return error;
}

/* Looks at the topics again, where they have changed or nobody has since the start. */
static int16_t
topics_check(struct place *p, struct err *e)
{
    const struct broker *broker = p->groups->broker;
    struct streams_topics_view view = streams_group_view(broker);
    const struct streams_topology *topology = p->topology != NULL ? p->topology : topology_of(p);

    if (p->streams != NULL)
        p->hash = p->streams->metadata_hash;
    if (p->topology == NULL && p->streams->is_configured &&
        p->streams->topics_seen == broker->topics.version)
        return KE_NONE;
    p->hash = topics_hash_of(&broker->topics, &topology->required);
    p->configures =
        p->topology != NULL || !p->streams->is_configured || p->hash != p->streams->metadata_hash;
    return p->configures ? streams_topics_configure(&p->topics, topology, &view, e) : KE_NONE;
}

static int16_t
tasks_check(const struct place *p, struct err *e)
{
    const struct streams_topics *topics = p->configures ? &p->topics : &p->streams->topics;
    const ids_array *lists[] = {&p->in->active_tasks, &p->in->standby_tasks, &p->in->warmup_tasks};
    int16_t error = KE_NONE;

    if (!streams_topics_is_ready(topics))
        return KE_NONE;
    for (size_t i = 0; i < ARRAY_LEN(lists) && error == KE_NONE; i++)
        if (lists[i]->count > 0)
            error = streams_topics_check_tasks(topics, lists[i], e);
    return error;
}

/* A member whose record nobody understands goes on from nothing. */
static int16_t
state_check(const struct place *p, struct err *e)
{
    if (p->member == NULL || p->member->state != STREAMS_UNKNOWN ||
        (p->in->active_tasks.count >= 0 && streams_assignment_is_empty(&p->owned)))
        return KE_NONE;
    return refuse(e, KE_FENCED_MEMBER_EPOCH,
        "The streams group member is in a unknown state. The member must abandon all its tasks and "
        "rejoin.");
}

/* What a member has is put together only where it is to be brought nearer to its target; there
 * Kafka fails at a subtopology that is told twice. */
static int16_t
twice_check(const struct place *p, struct err *e)
{
    const struct streams_member *member = p->member;

    if (!p->owns_twice)
        return KE_NONE;
    if (member != NULL && member->state == STREAMS_STABLE &&
        p->in->member_epoch == member->epoch && member->epoch == p->streams->target_epoch &&
        p->streams->target_epoch == p->streams->epoch && p->hash == p->streams->metadata_hash)
        return KE_NONE;
    return fail(e);
}

static int16_t
judge(struct place *p, struct err *e)
{
    int16_t error = owned_read(p, e);

    if (error == KE_NONE)
        error = group_check(p, e);
    if (error == KE_NONE)
        error = room_check(p, e);
    if (error == KE_NONE)
        error = member_check(p, e);
    if (error == KE_NONE)
        error = tags_read(p, e);
    if (error == KE_NONE)
        error = topology_check(p, e);
    if (error == KE_NONE)
        error = topics_check(p, e);
    if (error == KE_NONE)
        error = tasks_check(p, e);
    if (error == KE_NONE)
        error = twice_check(p, e);
    return error != KE_NONE ? error : state_check(p, e);
}

static void
place_fini(struct place *p)
{
    streams_assignment_fini(&p->owned);
    text_pairs_fini(&p->tags);
    streams_topics_fini(&p->topics);
    streams_topology_free(p->topology);
}

/* --- what it does --------------------------------------------------------------------------------
 */

static void
shutdown_ask(struct streams_group *streams, const heartbeat_in *in)
{
    if (in->shutdown_application && streams->shutdown_member_id == NULL)
        streams->shutdown_member_id = xmemdup(in->member_id.data, (size_t)in->member_id.size);
}

static int16_t
leave(struct place *p, heartbeat_out *out, struct group_records *records, struct err *e)
{
    int16_t error = group_check(p, e);

    if (error != KE_NONE)
        return error;
    shutdown_ask(p->streams, p->in);
    error = member_check(p, e);
    if (error != KE_NONE)
        return error;
    out->member_id = p->in->member_id;
    out->member_epoch = p->in->member_epoch;
    streams_update_fence(p->member, records);
    return KE_NONE;
}

/* The group and the member, made where they are not there; false where there is no room. */
static bool
member_make(struct place *p, struct group_records *records)
{
    if (p->group == NULL) {
        p->group = groups_make(p->groups, p->in->group_id);
        if (p->group == NULL)
            return false;
        (void)streams_group_attach(p->group);
    } else if (p->streams == NULL) {
        streams_update_classic(p->group, records);
    }
    p->streams = p->group->streams;
    if (p->member == NULL) {
        p->member = streams_member_add(p->streams, p->in->member_id);
        p->member->is_new = true;
    }
    return true;
}

static enum streams_delay
update(struct place *p, const struct request *request, struct group_records *records)
{
    char *client_host = xasprintf("/%s", request->client->client_host);
    struct streams_update update = {.rack_id = p->in->rack_id,
        .process_id = p->in->process_id,
        .client_id =
            request->header.client_id.size < 0 ? request_text("") : request->header.client_id,
        .client_host = client_host,
        .rebalance_timeout_ms = p->in->rebalance_timeout_ms,
        .topology_epoch = p->in->topology == NULL ? -1 : p->in->topology->epoch,
        .endpoint = p->in->user_endpoint,
        .tags_take = p->in->client_tags.count < 0 ? NULL : &p->tags,
        .owned = p->in->active_tasks.count < 0 ? NULL : &p->owned,
        .topology_take = p->topology,
        .topics_take = p->configures ? &p->topics : NULL,
        .metadata_hash = p->hash};
    enum streams_delay delay;

    p->topology = NULL;
    delay = streams_update_apply(p->member, &update, records);
    streams_member_touch(p->member);
    p->member->is_new = false;
    free(client_host);
    return delay;
}

/* What a member has, where it comes or that has changed, and where endpoints are that it does not
 * know of yet. A group that is only being made has no epoch of them for Kafka. */
static void
tasks_tell(struct place *p, struct streams_answer *answer, bool changed, bool is_made)
{
    if (p->in->member_epoch == STREAMS_EPOCH_JOIN || changed) {
        streams_answer_tasks(answer);
        p->streams->endpoint_epoch += p->member->endpoint_host != NULL;
    }
    if (p->streams->endpoint_epoch != p->in->endpoint_information_epoch)
        streams_answer_endpoints(answer);
    answer->out->endpoint_information_epoch = is_made ? 0 : p->streams->endpoint_epoch;
}

static int16_t
stay(struct place *p, struct request *request, heartbeat_out *out, struct group_records *records,
    struct streams_creation **creation, struct err *e)
{
    const struct streams_topology *known = topology_of(p);
    bool is_made = p->group == NULL, is_fresh = p->streams == NULL, changed;
    struct streams_assignment before = {0};
    struct streams_answer answer = {.request = request, .out = out};
    enum streams_delay delay;

    if (!member_make(p, records))
        return refuse(e, KE_COORDINATOR_NOT_AVAILABLE, "There are too many groups.");
    streams_assignment_copy(&before, &p->member->assigned);
    delay = update(p, request, records);
    shutdown_ask(p->streams, p->in);
    changed = !streams_assignment_equal(&before, &p->member->assigned);
    streams_assignment_fini(&before);
    answer.member = p->member;
    out->member_id = p->in->member_id;
    out->member_epoch = p->member->epoch;
    out->heartbeat_interval_ms = (int32_t)group_configs_heartbeat_interval_ms(p->group);
    streams_answer_begin(&answer);
    if (known != NULL)
        streams_answer_stale(&answer, known->value.epoch);
    streams_answer_delay(&answer, delay);
    tasks_tell(p, &answer, changed, is_made);
    streams_answer_topics(&answer);
    streams_answer_shutdown(&answer);
    *creation = streams_creation_new(
        p->groups, &p->streams->topics, 2 * group_configs_heartbeat_interval_ms(p->group));
    /* Kafka answers the first heartbeat of a group from a copy of which only the records stay. */
    if (is_fresh)
        streams_group_forget(p->streams);
    return KE_NONE;
}

int16_t
streams_heartbeat(struct groups *groups, struct request *request, const heartbeat_in *in,
    heartbeat_out *out, struct group_records *records, struct streams_creation **creation,
    struct err *e)
{
    struct place p = {.groups = groups, .in = in};
    int16_t error;

    *creation = NULL;
    if (in->member_epoch == STREAMS_EPOCH_LEAVE)
        return leave(&p, out, records, e);
    streams_topics_init(&p.topics);
    error = judge(&p, e);
    if (error == KE_NONE)
        error = stay(&p, request, out, records, creation, e);
    place_fini(&p);
    return error;
}
