/* Records of groups of the consumer protocol, read back at a start. The inner side of
 * consumer_records.h. */
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/coord/consumer_records.h"
#include "refbroker/coord/consumer_update.h"
#include "refbroker/coord/group_loading.h"

/* The group, made where it is not there; NULL for a tombstone of a group that is not there, and for
 * one of another protocol. */
static struct consumer_group *
group_of(const struct group_loading *l, struct wire_string group_id)
{
    struct group *group = group_loading_group(l, group_id);

    if (group == NULL || (group->consumer == NULL && !group_is_classic(group)))
        return NULL;
    return group->consumer != NULL || group_loading_is_tombstone(l) ? group->consumer
                                                                    : consumer_group_attach(group);
}

static struct consumer_member *
member_of(const struct group_loading *l, struct wire_string group_id, struct wire_string member_id)
{
    struct consumer_group *consumer = group_of(l, group_id);
    struct consumer_member *member =
        consumer == NULL ? NULL : consumer_member_find(consumer, member_id);

    return member != NULL || consumer == NULL || group_loading_is_tombstone(l)
               ? member
               : consumer_member_add(consumer, member_id);
}

/* --- members -------------------------------------------------------------------------------------
 */

static struct consumer_classic *
classic_read(const struct km_consumer_group_member_metadata_value_classic_member_metadata *in)
{
    struct consumer_classic *classic;

    if (in == NULL)
        return NULL;
    classic = xcalloc(1, sizeof *classic);
    classic->session_timeout_ms = in->session_timeout_ms;
    classic->protocol_count = in->supported_protocols.count;
    classic->protocols = xcalloc((size_t)classic->protocol_count + 1, sizeof *classic->protocols);
    for (int32_t i = 0; i < classic->protocol_count; i++) {
        struct wire_string name = in->supported_protocols.items[i].name;
        struct wire_bytes metadata = in->supported_protocols.items[i].metadata;

        classic->protocols[i].name = xmemdup(name.data, (size_t)name.size);
        classic->protocols[i].metadata = xmemdup(metadata.data, (size_t)metadata.size);
        classic->protocols[i].metadata_size = metadata.size;
    }
    return classic;
}

static bool
member_load(const struct group_loading *l)
{
    struct km_consumer_group_member_metadata_key key;
    struct km_consumer_group_member_metadata_value value;
    struct consumer_member *member;
    struct text_set topics;

    if (!GROUP_LOADING_READ(l, consumer_group_member_metadata))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    if (group_loading_is_tombstone(l)) {
        consumer_member_remove(member);
        return true;
    }
    consumer_member_set_instance(member, value.instance_id);
    (void)text_replace(&member->rack_id, value.rack_id);
    (void)text_replace(&member->client_id, value.client_id);
    (void)text_replace(&member->client_host, value.client_host);
    (void)text_replace(&member->assignor, value.server_assignor);
    topics = text_set_from(value.subscribed_topic_names.items, value.subscribed_topic_names.count);
    consumer_member_read(member, &topics);
    consumer_member_set_regex(member, value.subscribed_topic_regex);
    member->rebalance_timeout_ms = value.rebalance_timeout_ms;
    consumer_member_set_classic(member, classic_read(value.classic_member_metadata));
    member->loaded = true;
    return true;
}

static bool
target_load(const struct group_loading *l)
{
    struct km_consumer_group_target_assignment_member_key key;
    struct km_consumer_group_target_assignment_member_value value;
    struct topic_parts target = {0};
    struct consumer_member *member;

    codec_init(&km_consumer_group_target_assignment_member_value_desc, &value);
    if (!GROUP_LOADING_READ(l, consumer_group_target_assignment_member))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    for (int32_t i = 0; i < value.topic_partitions.count; i++)
        for (int32_t k = 0; k < value.topic_partitions.items[i].partitions.count; k++)
            topic_parts_add(
                &target, &(struct topic_part){.topic_id = value.topic_partitions.items[i].topic_id,
                             .partition = value.topic_partitions.items[i].partitions.items[k]});
    topic_parts_sort(&target);
    topic_parts_move(&member->target, &target);
    return true;
}

typedef struct km_consumer_group_current_member_assignment_value_topic_partitions current_value;

/* Brokers before 4.3 wrote no epochs: those of the member stand for them. */
static struct topic_parts
current_read(const current_value *items, int32_t count, int32_t epoch)
{
    struct topic_parts parts = {0};

    for (int32_t i = 0; i < count; i++)
        for (int32_t k = 0; k < items[i].partitions.count; k++)
            topic_parts_add(
                &parts, &(struct topic_part){.topic_id = items[i].topic_id,
                            .partition = items[i].partitions.items[k],
                            .epoch = items[i].assignment_epochs.count == items[i].partitions.count
                                         ? items[i].assignment_epochs.items[k]
                                         : epoch});
    topic_parts_sort(&parts);
    return parts;
}

static bool
current_load(const struct group_loading *l)
{
    struct km_consumer_group_current_member_assignment_key key;
    struct km_consumer_group_current_member_assignment_value value;
    struct topic_parts assigned, revoking;
    struct consumer_member *member;

    codec_init(&km_consumer_group_current_member_assignment_value_desc, &value);
    value.member_epoch = value.previous_member_epoch = CONSUMER_EPOCH_LEAVE;
    if (!GROUP_LOADING_READ(l, consumer_group_current_member_assignment))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    assigned = current_read(
        value.assigned_partitions.items, value.assigned_partitions.count, value.member_epoch);
    revoking = current_read(value.partitions_pending_revocation.items,
        value.partitions_pending_revocation.count, value.member_epoch);
    consumer_member_hold(member, &assigned, &revoking);
    member->epoch = value.member_epoch;
    member->previous_epoch = value.previous_member_epoch;
    member->state = value.state == MEMBER_UNREVOKED || value.state == MEMBER_UNRELEASED
                        ? (enum consumer_member_state)value.state
                        : MEMBER_STABLE;
    return true;
}

/* --- the group -----------------------------------------------------------------------------------
 */

static bool
epoch_load(const struct group_loading *l)
{
    struct km_consumer_group_metadata_key key;
    struct km_consumer_group_metadata_value value;
    struct consumer_group *consumer;

    if (!GROUP_LOADING_READ(l, consumer_group_metadata))
        return false;
    consumer = group_of(l, key.group_id);
    if (consumer == NULL)
        return true;
    if (group_loading_is_tombstone(l)) {
        consumer_group_detach(consumer->group);
        return true;
    }
    consumer->epoch = value.epoch;
    consumer->metadata_hash = (uint64_t)value.metadata_hash;
    return true;
}

static bool
target_epoch_load(const struct group_loading *l)
{
    struct km_consumer_group_target_assignment_metadata_key key;
    struct km_consumer_group_target_assignment_metadata_value value;
    struct consumer_group *consumer;

    codec_init(&km_consumer_group_target_assignment_metadata_value_desc, &value);
    value.assignment_epoch = -1;
    if (!GROUP_LOADING_READ(l, consumer_group_target_assignment_metadata))
        return false;
    consumer = group_of(l, key.group_id);
    if (consumer == NULL)
        return true;
    consumer->target_epoch = value.assignment_epoch;
    consumer->target_ms = value.assignment_timestamp;
    return true;
}

static bool
pattern_load(const struct group_loading *l)
{
    struct km_consumer_group_regular_expression_key key;
    struct km_consumer_group_regular_expression_value value;
    struct consumer_group *consumer;
    struct text_set topics;
    char *text;

    if (!GROUP_LOADING_READ(l, consumer_group_regular_expression))
        return false;
    consumer = group_of(l, key.group_id);
    if (consumer == NULL)
        return true;
    text = xmemdup(key.regular_expression.data, (size_t)key.regular_expression.size);
    if (group_loading_is_tombstone(l)) {
        consumer_group_resolve(consumer, text, NULL, 0, 0);
    } else {
        topics = text_set_from(value.topics.items, value.topics.count);
        consumer_group_resolve(consumer, text, &topics, value.version, value.timestamp);
    }
    free(text);
    return true;
}

bool
consumer_records_load(struct groups *groups, struct arena *arena, int16_t type,
    struct wire_bytes key, struct wire_bytes value)
{
    struct group_loading l = {groups, arena, key, value};

    switch (type) {
    case GROUP_RECORD_CONSUMER_EPOCH:
        return epoch_load(&l);
    case GROUP_RECORD_CONSUMER_PARTITIONS:
        return true;
    case GROUP_RECORD_CONSUMER_MEMBER:
        return member_load(&l);
    case GROUP_RECORD_CONSUMER_TARGET_EPOCH:
        return target_epoch_load(&l);
    case GROUP_RECORD_CONSUMER_TARGET:
        return target_load(&l);
    case GROUP_RECORD_CONSUMER_CURRENT:
        return current_load(&l);
    case GROUP_RECORD_CONSUMER_PATTERN:
        return pattern_load(&l);
    default:
        return false;
    }
}

void
consumer_records_loaded(struct groups *groups)
{
    struct consumer_member *member;
    struct group *group;
    size_t at = 0;

    while ((group = groups_next(groups, &at)) != NULL) {
        size_t position = 0;

        while (group->consumer != NULL &&
               (member = map_next(&group->consumer->members, &position, NULL, NULL)) != NULL) {
            if (!member->loaded) {
                consumer_member_remove(member);
                continue;
            }
            consumer_member_touch(member);
            consumer_member_watch(member);
        }
    }
}
