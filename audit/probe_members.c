/* Members of groups of all four kinds: what they read, and which of them are Kafka Streams. */
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "audit/streams.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define GROUPS_PER_REQUEST 50
#define METADATA_BYTES_MAX ((size_t)1 << 20)

struct asking {
    struct audit_inventory *inventory;
    uint32_t *groups; /* item to group */
    enum audit_probe probe;
    struct cluster_fan *fan; /* NULL: there is none of this type */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    struct asking *own = arg;

    *out = (struct cluster_target){CLUSTER_GROUP, own->inventory->groups[own->groups[item]].id, 0};
}

static struct wire_string *
ids(const struct asking *own, struct cluster_fan_batch *batch)
{
    struct wire_string *list = arena_array(batch->arena, batch->count, sizeof *list);

    for (size_t i = 0; list != NULL && i < batch->count; i++)
        list[i] = codec_string(own->inventory->groups[own->groups[batch->items[i]]].id);
    return list;
}

/* Ends the item of an answer and returns its group, or INVENTORY_NO_NUMBER where there is nothing
 * to read. */
static uint32_t
settle(struct asking *own, struct cluster_fan_batch *batch, struct wire_string id, int16_t code)
{
    uint32_t number = inventory_group(own->inventory, id);

    /* A group that vanished meanwhile is no failure. */
    for (size_t i = 0; i < batch->count; i++)
        if (own->groups[batch->items[i]] == number)
            cluster_fan_settle(
                batch->fan, batch->items[i], code == KE_GROUP_ID_NOT_FOUND ? KE_NONE : code);
    return code == KE_NONE ? number : INVENTORY_NO_NUMBER;
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct asking *own = arg;

    if (rc != RC_OK)
        inventory_gap(own->inventory, INVENTORY_NO_NUMBER, own->probe,
            own->inventory->groups[own->groups[item]].id, rc, code, e);
}

/* --- classic --------------------------------------------------------------------------------- */

static size_t
classic_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_describe_groups_request *request = batch->request;

    request->groups.items = ids(arg, batch);
    request->groups.count = (int32_t)batch->count;
    return request->groups.items == NULL ? 0 : batch->count;
}

/* Reads a member's subscription: topics, and what Streams puts into its user data. */
static void
subscription_take(struct asking *own, uint32_t number, struct wire_bytes metadata)
{
    struct km_consumer_protocol_subscription subscription;
    struct arena arena;

    arena_init(&arena, METADATA_BYTES_MAX);
    if (streams_subscription(metadata, &arena, &subscription)) {
        for (int32_t i = 0; i < subscription.topics.count; i++)
            inventory_use(own->inventory, number, subscription.topics.items[i], false, true);
        if (streams_is_user_data(subscription.user_data, &arena)) {
            own->inventory->groups[number].app = AUDIT_APP_YES;
            own->inventory->groups[number].app_why = "its members' subscriptions carry the user "
                                                     "data of Kafka Streams";
        }
    }
    arena_fini(&arena);
}

static void
classic_take(struct asking *own, uint32_t number,
    const struct km_describe_groups_response_described_group *g)
{
    struct audit_group *group = &own->inventory->groups[number];
    bool consumers = g->protocol_type.size == 0 || codec_string_is(g->protocol_type, "consumer");

    group->members = g->members.count < 0 ? 0 : (uint32_t)g->members.count;
    group->protocol_type =
        inventory_text(own->inventory, g->protocol_type.data, g->protocol_type.size);
    if (!consumers)
        return;
    /* Who left cannot be asked. */
    if (group->members == 0)
        group->app = AUDIT_APP_MAYBE;
    for (int32_t i = 0; i < g->members.count; i++) {
        subscription_take(own, number, g->members.items[i].member_metadata);
        if (group->app != AUDIT_APP_YES && streams_is_client_id(g->members.items[i].client_id)) {
            group->app = AUDIT_APP_YES;
            group->app_why = "its members' client ids are those of Kafka Streams' threads";
        }
    }
    if (codec_string_is(g->protocol_data, "stream")) {
        group->app = AUDIT_APP_YES;
        group->app_why = "its members use Kafka Streams' assignor";
    }
}

static void
classic_parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_describe_groups_response *response = batch->response;

    for (int32_t i = 0; i < response->groups.count; i++) {
        uint32_t number = settle(
            arg, batch, response->groups.items[i].group_id, response->groups.items[i].error_code);

        if (number != INVENTORY_NO_NUMBER)
            classic_take(arg, number, &response->groups.items[i]);
    }
}

/* --- consumer (KIP-848) ---------------------------------------------------------------------- */

static size_t
consumer_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_consumer_group_describe_request *request = batch->request;

    request->group_ids.items = ids(arg, batch);
    request->group_ids.count = (int32_t)batch->count;
    return request->group_ids.items == NULL ? 0 : batch->count;
}

static void
consumer_take(struct asking *own, uint32_t number,
    const struct km_consumer_group_describe_response_member *member)
{
    const struct km_consumer_group_describe_response_topic_partitions_array *assigned =
        &member->assignment.topic_partitions;

    for (int32_t i = 0; i < member->subscribed_topic_names.count; i++)
        inventory_use(own->inventory, number, member->subscribed_topic_names.items[i], false, true);
    /* A subscription by pattern shows in the assignment only. */
    for (int32_t i = 0; i < assigned->count; i++)
        inventory_use(own->inventory, number, assigned->items[i].topic_name, false, true);
}

static void
consumer_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *own = arg;
    const struct km_consumer_group_describe_response *response = batch->response;

    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_consumer_group_describe_response_described_group *group =
            &response->groups.items[i];
        uint32_t number = settle(own, batch, group->group_id, group->error_code);

        if (number == INVENTORY_NO_NUMBER)
            continue;
        own->inventory->groups[number].members =
            group->members.count < 0 ? 0 : (uint32_t)group->members.count;
        for (int32_t k = 0; k < group->members.count; k++)
            consumer_take(own, number, &group->members.items[k]);
    }
}

/* --- share (KIP-932) ------------------------------------------------------------------------- */

static size_t
share_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_share_group_describe_request *request = batch->request;

    request->group_ids.items = ids(arg, batch);
    request->group_ids.count = (int32_t)batch->count;
    return request->group_ids.items == NULL ? 0 : batch->count;
}

static void
share_take(struct asking *own, uint32_t number,
    const struct km_share_group_describe_response_member *member)
{
    const struct km_share_group_describe_response_topic_partitions_array *assigned =
        &member->assignment.topic_partitions;

    for (int32_t i = 0; i < member->subscribed_topic_names.count; i++)
        inventory_use(own->inventory, number, member->subscribed_topic_names.items[i], false, true);
    for (int32_t i = 0; i < assigned->count; i++)
        inventory_use(own->inventory, number, assigned->items[i].topic_name, false, true);
}

static void
share_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *own = arg;
    const struct km_share_group_describe_response *response = batch->response;

    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_share_group_describe_response_described_group *group =
            &response->groups.items[i];
        uint32_t number = settle(own, batch, group->group_id, group->error_code);

        if (number == INVENTORY_NO_NUMBER)
            continue;
        own->inventory->groups[number].members =
            group->members.count < 0 ? 0 : (uint32_t)group->members.count;
        for (int32_t k = 0; k < group->members.count; k++)
            share_take(own, number, &group->members.items[k]);
    }
}

/* --- streams (KIP-1071) ---------------------------------------------------------------------- */

static size_t
streams_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_streams_group_describe_request *request = batch->request;

    request->group_ids.items = ids(arg, batch);
    request->group_ids.count = (int32_t)batch->count;
    return request->group_ids.items == NULL ? 0 : batch->count;
}

static void
role_take(struct asking *own, uint32_t number,
    const struct km_streams_group_describe_response_topic_info_array *topics, enum audit_role role)
{
    for (int32_t i = 0; i < topics->count; i++) {
        uint32_t place = inventory_topic(own->inventory, topics->items[i].name);

        if (place == INVENTORY_NO_NUMBER)
            continue;
        own->inventory->topics[place].role = role;
        own->inventory->topics[place].role_group = number;
    }
}

static void
topology_take(struct asking *own, uint32_t number, bool reads,
    const struct km_streams_group_describe_response_topology *topology)
{
    for (int32_t i = 0; i < topology->subtopologies.count; i++) {
        const struct km_streams_group_describe_response_subtopology *part =
            &topology->subtopologies.items[i];

        for (int32_t k = 0; k < part->source_topics.count && reads; k++)
            inventory_use(own->inventory, number, part->source_topics.items[k], false, true);
        for (int32_t k = 0; k < part->repartition_source_topics.count && reads; k++)
            inventory_use(
                own->inventory, number, part->repartition_source_topics.items[k].name, false, true);
        role_take(own, number, &part->state_changelog_topics, AUDIT_ROLE_CHANGELOG);
        role_take(own, number, &part->repartition_source_topics, AUDIT_ROLE_REPARTITION);
    }
}

static void
streams_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *own = arg;
    const struct km_streams_group_describe_response *response = batch->response;

    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_streams_group_describe_response_described_group *answer =
            &response->groups.items[i];
        uint32_t number = settle(own, batch, answer->group_id, answer->error_code);
        struct audit_group *group;

        if (number == INVENTORY_NO_NUMBER)
            continue;
        group = &own->inventory->groups[number];
        group->members = answer->members.count < 0 ? 0 : (uint32_t)answer->members.count;
        group->app = AUDIT_APP_YES;
        group->app_why = "it is a streams group (KIP-1071)";
        if (answer->topology != NULL)
            topology_take(own, number, group->members > 0, answer->topology);
    }
}

/* --- all ------------------------------------------------------------------------------------- */

static const struct kind {
    enum audit_probe probe;
    int16_t key;
    cluster_fan_build_fn *build;
    cluster_fan_parse_fn *parse;
} kinds[AUDIT_GROUP_TYPES] = {
    [AUDIT_GROUP_CLASSIC] = {AUDIT_CLASSIC_MEMBERS, KM_DESCRIBE_GROUPS, classic_build,
        classic_parse},
    [AUDIT_GROUP_CONSUMER] = {AUDIT_CONSUMER_MEMBERS, KM_CONSUMER_GROUP_DESCRIBE, consumer_build,
        consumer_parse},
    [AUDIT_GROUP_SHARE] = {AUDIT_SHARE_MEMBERS, KM_SHARE_GROUP_DESCRIBE, share_build, share_parse},
    [AUDIT_GROUP_STREAMS] = {AUDIT_STREAMS_MEMBERS, KM_STREAMS_GROUP_DESCRIBE, streams_build,
        streams_parse},
};

struct probe_members {
    struct cluster *cluster;
    struct asking asking[AUDIT_GROUP_TYPES];
    uint32_t *groups; /* of all types, each type's together */
};

struct probe_members *
probe_members_begin(const struct probe *probe)
{
    struct audit_inventory *inventory = probe->inventory;
    struct probe_members *own = xcalloc(1, sizeof *own);
    uint32_t count = 0;

    own->cluster = probe->cluster;
    own->groups = xcalloc((size_t)inventory->group_count + 1, sizeof *own->groups);
    for (unsigned type = 0; type < AUDIT_GROUP_TYPES; type++) {
        struct asking *asking = &own->asking[type];
        struct cluster_fan_spec spec = {.api = frame_api(kinds[type].key),
            .target = target,
            .build = kinds[type].build,
            .parse = kinds[type].parse,
            .done = done,
            .arg = asking,
            .batch_items_max = GROUPS_PER_REQUEST};

        *asking = (struct asking){
            .inventory = inventory, .groups = own->groups + count, .probe = kinds[type].probe};
        for (uint32_t i = 0; i < inventory->group_count; i++)
            if (inventory->groups[i].type == type)
                asking->groups[spec.item_count++] = i;
        count += spec.item_count;
        asking->fan = probe_fan_start(probe, asking->probe, &spec);
    }
    return own;
}

void
probe_members_end(struct probe_members *own)
{
    for (unsigned type = 0; type < AUDIT_GROUP_TYPES; type++)
        if (own->asking[type].fan != NULL)
            cluster_fan_finish(own->cluster, own->asking[type].fan, NULL);
    free(own->groups);
    free(own);
}
