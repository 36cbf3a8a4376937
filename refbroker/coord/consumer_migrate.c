#include "refbroker/coord/consumer_migrate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/consumer_protocol.h"
#include "refbroker/coord/consumer_update.h"
#include "refbroker/coord/group_member.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

static bool
policy_allows(const struct groups *groups, enum group_migration direction)
{
    return (groups->broker->options.groups.consumer_migration & (int64_t)direction) != 0;
}

/* --- up ------------------------------------------------------------------------------------------
 */

/* What a classic member tells of itself, in the protocol that the group has chosen. */
struct told {
    struct km_consumer_protocol_subscription subscription;
    struct km_consumer_protocol_assignment assignment; /* empty where there is none yet */
};

static struct wire_bytes
subscription_of(const struct group_member *member)
{
    const char *chosen = member->group->protocol_name;

    for (int32_t i = 0; chosen != NULL && i < member->protocol_count; i++)
        if (strcmp(member->protocols[i].name, chosen) == 0)
            return (struct wire_bytes){
                member->protocols[i].metadata, member->protocols[i].metadata_size};
    return member->protocol_count == 0 ? (struct wire_bytes){NULL, 0}
                                       : (struct wire_bytes){member->protocols[0].metadata,
                                             member->protocols[0].metadata_size};
}

static enum rc
told_read(const struct group_member *member, struct arena *arena, struct told *out, struct err *e)
{
    enum rc rc =
        consumer_protocol_subscription(subscription_of(member), arena, &out->subscription, e);

    codec_init(&km_consumer_protocol_assignment_desc, &out->assignment);
    if (rc == RC_OK && member->assignment_size > 0)
        rc = consumer_protocol_assignment(
            (struct wire_bytes){member->assignment, member->assignment_size}, arena,
            &out->assignment, e);
    return rc;
}

static int16_t
refuse(const struct group *group, const char *why, struct err *e)
{
    log_info("GROUP-MIGRATE", "group %s stays a classic group: %s", group->group_id, why);
    err_set(e, RC_CONFIG, "Cannot upgrade classic group %s to consumer group because %s.",
        group->group_id, why);
    return KE_GROUP_ID_NOT_FOUND;
}

static int16_t
members_check(const struct group *group, struct err *e)
{
    const struct group_member *member;
    const char *why = NULL;
    size_t position = 0;
    struct arena arena;
    struct told told;

    arena_init(&arena, ARENA_BYTES_MAX);
    while (why == NULL && (member = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        if (told_read(member, &arena, &told, e) != RC_OK)
            why = "the embedded consumer protocol is malformed";
        else if (told.assignment.user_data.size > 0)
            why = "an unsupported custom assignor is in use. Please refer to the documentation or "
                  "switch to a default assignor before re-attempting the upgrade";
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return why == NULL ? KE_NONE : refuse(group, why, e);
}

int16_t
consumer_migrate_up_check(const struct group *group, struct err *e)
{
    if (!policy_allows(group->groups, GROUP_MIGRATION_UPGRADE))
        return refuse(group, "online upgrade is disabled", e);
    if (group->protocol_type == NULL || strcmp(group->protocol_type, CONSUMER_PROTOCOL_TYPE) != 0)
        return refuse(group, "the group does not use the consumer embedded protocol", e);
    if ((int64_t)map_count(&group->members) >
        group->groups->broker->options.groups.consumer_max_size)
        return refuse(group, "the group size exceeds the consumer group maximum size", e);
    return members_check(group, e);
}

/* The partitions of topics that exist. */
static struct topic_parts
assignment_parts(const struct groups *groups,
    const struct km_consumer_protocol_assignment *assignment, int32_t epoch)
{
    struct topic_parts parts = {0};

    for (int32_t i = 0; i < assignment->assigned_partitions.count; i++) {
        const struct km_consumer_protocol_assignment_topic_partition *from =
            &assignment->assigned_partitions.items[i];
        const struct topic *topic =
            topics_find(&groups->broker->topics, from->topic.data, (size_t)from->topic.size);

        for (int32_t k = 0; topic != NULL && k < from->partitions.count; k++)
            topic_parts_add(&parts, &(struct topic_part){.topic_id = topic->topic_id,
                                        .partition = from->partitions.items[k],
                                        .epoch = epoch});
    }
    topic_parts_sort(&parts);
    return parts;
}

/* The protocols go over to the new member. */
static struct consumer_classic *
classic_take(struct group_member *from)
{
    struct consumer_classic *classic = xcalloc(1, sizeof *classic);

    classic->session_timeout_ms = from->session_timeout_ms;
    classic->protocols = from->protocols;
    classic->protocol_count = from->protocol_count;
    from->protocols = NULL;
    from->protocol_count = 0;
    return classic;
}

static void
member_up(struct consumer_group *consumer, struct group_member *from, const struct told *told)
{
    struct consumer_member *member = consumer_member_add(consumer, request_text(from->member_id));
    struct topic_parts assigned =
        assignment_parts(consumer->group->groups, &told->assignment, consumer->epoch);
    struct topic_parts none = {0};
    struct text_set topics =
        text_set_from(told->subscription.topics.items, told->subscription.topics.count);

    consumer_member_set_instance(member, request_text(from->instance_id));
    (void)text_replace(&member->rack_id,
        told->subscription.rack_id.size <= 0 ? request_text(NULL) : told->subscription.rack_id);
    (void)text_replace(&member->client_id, request_text(from->client_id));
    (void)text_replace(&member->client_host, request_text(from->client_host));
    consumer_member_read(member, &topics);
    member->rebalance_timeout_ms = from->rebalance_timeout_ms;
    member->epoch = member->previous_epoch = consumer->epoch;
    topic_parts_copy(&member->target, &assigned);
    consumer_member_hold(member, &assigned, &none);
    consumer_member_set_classic(member, classic_take(from));
}

static void
members_up(struct group *group, struct consumer_group *consumer)
{
    struct group_member *from;
    size_t position = 0;
    struct arena arena;
    struct told told;
    struct err e;

    arena_init(&arena, ARENA_BYTES_MAX);
    while ((from = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        group_member_send_away(from, KE_REBALANCE_IN_PROGRESS);
        if (told_read(from, &arena, &told, &e) == RC_OK)
            member_up(consumer, from, &told);
        group_member_remove(from);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

void
consumer_migrate_up(struct group *group, struct group_records *records)
{
    bool has_members = map_count(&group->members) > 0;
    struct consumer_group *consumer = consumer_group_attach(group);
    struct consumer_member *member;
    size_t position = 0;

    group_records_group_gone(records, group->group_id);
    if (has_members) {
        consumer->epoch = consumer->target_epoch = group->generation;
        members_up(group, consumer);
        consumer->metadata_hash = consumer_group_hash(consumer);
        consumer_records_group(records, consumer);
        log_info("GROUP-MIGRATE", "group %s is a consumer group now", group->group_id);
    }
    group_classic_forget(group);
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        consumer_member_touch(member);
}

/* --- down ----------------------------------------------------------------------------------------
 */

enum rc
consumer_migrate_assignment(const struct consumer_group *consumer, const struct topic_parts *parts,
    struct wire_bytes subscription, struct buf *out, struct err *e)
{
    const struct topics *topics = &consumer->group->groups->broker->topics;
    int32_t *numbers = xcalloc(parts->count + 1, sizeof *numbers);
    struct km_consumer_protocol_assignment assignment;
    int16_t version = 0;
    enum rc rc = consumer_protocol_version(subscription, &version, e);

    codec_init(&km_consumer_protocol_assignment_desc, &assignment);
    assignment.assigned_partitions.items =
        xcalloc(topic_parts_topics(parts) + 1, sizeof *assignment.assigned_partitions.items);
    for (size_t at = 0, run; at < parts->count; at += run) {
        const struct topic *topic = topics_find_id(topics, &parts->items[at].topic_id);
        struct km_consumer_protocol_assignment_topic_partition *to =
            &assignment.assigned_partitions.items[assignment.assigned_partitions.count];

        run = topic_parts_run(parts, at);
        if (topic == NULL)
            continue;
        to->topic = request_text(topic->name);
        to->partitions.items = numbers + at;
        to->partitions.count = (int32_t)run;
        for (size_t i = 0; i < run; i++)
            numbers[at + i] = parts->items[at + i].partition;
        assignment.assigned_partitions.count++;
    }
    if (rc == RC_OK)
        rc = consumer_protocol_assignment_put(version, &assignment, out, e);
    free(assignment.assigned_partitions.items);
    free(numbers);
    return rc;
}

bool
consumer_migrate_can_down(const struct consumer_group *consumer, size_t members)
{
    const struct groups *groups = consumer->group->groups;

    return members > 0 && policy_allows(groups, GROUP_MIGRATION_DOWNGRADE) &&
           (int64_t)members <= groups->broker->options.groups.max_size;
}

static void
member_down(struct group *group, struct consumer_member *from)
{
    struct group_member *member = group_member_add(group, from->member_id, from->instance_id);

    free(member->client_id);
    free(member->client_host);
    member->client_id = xstrdup(from->client_id);
    member->client_host = xstrdup(from->client_host);
    member->rebalance_timeout_ms = from->rebalance_timeout_ms;
    member->session_timeout_ms = from->classic->session_timeout_ms;
    member->protocols = from->classic->protocols;
    member->protocol_count = from->classic->protocol_count;
    from->classic->protocols = NULL;
    from->classic->protocol_count = 0;
    if (group->leader == NULL)
        group->leader = xstrdup(member->member_id);
}

/* Where an assignment cannot be written the member has none until the next rebalance. */
static void
assignment_down(struct group *group, const struct consumer_member *from)
{
    struct group_member *member = map_get_text(&group->members, from->member_id);
    struct buf bytes;
    struct err e;

    buf_init(&bytes, ARENA_BYTES_MAX);
    if (member != NULL && consumer_migrate_assignment(group->consumer, &from->target,
                              subscription_of(member), &bytes, &e) == RC_OK)
        group_member_assign(member, bytes.data, (int32_t)bytes.size);
    buf_fini(&bytes);
}

void
consumer_migrate_down(struct consumer_group *consumer, int32_t generation, bool rebalance,
    struct group_records *records)
{
    struct group *group = consumer->group;
    struct consumer_member *from;
    struct group_member *member;
    size_t position = 0;

    consumer_records_group_gone(records, consumer);
    while ((from = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        if (from->classic != NULL && !from->leaving)
            member_down(group, from);
    group->generation = generation;
    group->protocol_type = xstrdup(CONSUMER_PROTOCOL_TYPE);
    group->protocol_name = xstrdup(group_member_vote(group));
    group->state = GROUP_STABLE;
    group->state_since_ms = env_wall_ms(group->groups->broker->env);
    position = 0;
    while ((from = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        assignment_down(group, from);
    consumer_group_detach(group);
    group_records_group(records, group);
    log_info("GROUP-MIGRATE", "group %s is a classic group now", group->group_id);
    position = 0;
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        group_touch(member);
    if (rebalance)
        group_rebalance(group);
}

bool
consumer_migrate_down_when_left(struct consumer_group *consumer, struct consumer_member **leaving,
    size_t leaving_count, struct group_records *records)
{
    size_t left = map_count(&consumer->members) - leaving_count;
    size_t classic_left = consumer_group_classic_count(consumer);

    for (size_t i = 0; i < leaving_count; i++)
        classic_left -= leaving[i]->classic != NULL;
    if (classic_left != left || !consumer_migrate_can_down(consumer, left))
        return false;
    consumer_migrate_down(consumer, consumer->epoch, true, records);
    return true;
}
