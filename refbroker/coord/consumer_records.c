#include "refbroker/coord/consumer_records.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

/* Each record has a key struct, a value struct and their messages, of which the names follow. */
#define PUT(records, type, name, key, value)                                                       \
    group_records_put(                                                                             \
        records, type, &km_##name##_key_message, key, &km_##name##_value_message, 0, value)

static const char *
group_id_of(const struct consumer_member *member)
{
    return member->consumer->group->group_id;
}

/* --- members -------------------------------------------------------------------------------------
 */

static struct wire_string *
strings_make(const struct text_set *set)
{
    struct wire_string *strings = xcalloc(set->count + 1, sizeof *strings);

    for (size_t i = 0; i < set->count; i++)
        strings[i] = request_text(set->items[i]);
    return strings;
}

typedef struct km_consumer_group_member_metadata_value_classic_member_metadata classic_value;
typedef struct km_consumer_group_member_metadata_value_classic_protocol protocol_value;

/* The caller frees the protocols. */
static classic_value
classic_make(const struct consumer_classic *classic)
{
    classic_value out = {.session_timeout_ms = classic->session_timeout_ms};

    out.supported_protocols.items =
        xcalloc((size_t)classic->protocol_count + 1, sizeof *out.supported_protocols.items);
    out.supported_protocols.count = classic->protocol_count;
    for (int32_t i = 0; i < classic->protocol_count; i++)
        out.supported_protocols.items[i] =
            (protocol_value){.name = request_text(classic->protocols[i].name),
                .metadata = {classic->protocols[i].metadata, classic->protocols[i].metadata_size}};
    return out;
}

void
consumer_records_member(struct group_records *records, const struct consumer_member *member)
{
    struct km_consumer_group_member_metadata_key key = {
        .group_id = request_text(group_id_of(member)),
        .member_id = request_text(member->member_id)};
    struct km_consumer_group_member_metadata_value value;
    classic_value classic = {0};

    codec_init(&km_consumer_group_member_metadata_value_desc, &value);
    value.instance_id = request_text(member->instance_id);
    value.rack_id = request_text(member->rack_id);
    value.client_id = request_text(member->client_id);
    value.client_host = request_text(member->client_host);
    value.subscribed_topic_names.items = strings_make(&member->topics);
    value.subscribed_topic_names.count = (int32_t)member->topics.count;
    value.subscribed_topic_regex = request_text(member->regex);
    value.rebalance_timeout_ms = member->rebalance_timeout_ms;
    value.server_assignor = request_text(member->assignor);
    if (member->classic != NULL) {
        classic = classic_make(member->classic);
        value.classic_member_metadata = &classic;
    }
    PUT(records, GROUP_RECORD_CONSUMER_MEMBER, consumer_group_member_metadata, &key, &value);
    free(value.subscribed_topic_names.items);
    free(classic.supported_protocols.items);
}

/* The partition numbers of a set, and their epochs where asked for: one array each, of which every
 * topic has a part. */
struct numbers {
    int32_t *partitions;
    int32_t *epochs;
};

static struct numbers
numbers_make(const struct topic_parts *parts)
{
    struct numbers numbers = {
        xcalloc(parts->count + 1, sizeof(int32_t)), xcalloc(parts->count + 1, sizeof(int32_t))};

    for (size_t i = 0; i < parts->count; i++) {
        numbers.partitions[i] = parts->items[i].partition;
        numbers.epochs[i] = parts->items[i].epoch;
    }
    return numbers;
}

static void
numbers_free(struct numbers *numbers)
{
    free(numbers->partitions);
    free(numbers->epochs);
}

void
consumer_records_target(struct group_records *records, const struct consumer_member *member)
{
    struct km_consumer_group_target_assignment_member_key key = {
        .group_id = request_text(group_id_of(member)),
        .member_id = request_text(member->member_id)};
    struct km_consumer_group_target_assignment_member_value value;
    struct numbers numbers = numbers_make(&member->target);

    codec_init(&km_consumer_group_target_assignment_member_value_desc, &value);
    value.topic_partitions.items =
        xcalloc(topic_parts_topics(&member->target) + 1, sizeof *value.topic_partitions.items);
    for (size_t at = 0, run; at < member->target.count; at += run) {
        struct km_consumer_group_target_assignment_member_value_topic_partition *to =
            &value.topic_partitions.items[value.topic_partitions.count++];

        run = topic_parts_run(&member->target, at);
        to->topic_id = member->target.items[at].topic_id;
        to->partitions.items = numbers.partitions + at;
        to->partitions.count = (int32_t)run;
    }
    PUT(records, GROUP_RECORD_CONSUMER_TARGET, consumer_group_target_assignment_member, &key,
        &value);
    free(value.topic_partitions.items);
    numbers_free(&numbers);
}

typedef struct km_consumer_group_current_member_assignment_value_topic_partitions current_value;

/* The caller frees the items. */
static int32_t
current_make(const struct topic_parts *parts, const struct numbers *numbers, current_value **items)
{
    int32_t count = 0;

    *items = xcalloc(topic_parts_topics(parts) + 1, sizeof **items);
    for (size_t at = 0, run; at < parts->count; at += run) {
        current_value *to = &(*items)[count++];

        run = topic_parts_run(parts, at);
        to->topic_id = parts->items[at].topic_id;
        to->partitions.items = numbers->partitions + at;
        to->partitions.count = (int32_t)run;
        to->assignment_epochs.items = numbers->epochs + at;
        to->assignment_epochs.count = (int32_t)run;
    }
    return count;
}

void
consumer_records_current(struct group_records *records, const struct consumer_member *member)
{
    struct km_consumer_group_current_member_assignment_key key = {
        .group_id = request_text(group_id_of(member)),
        .member_id = request_text(member->member_id)};
    struct numbers assigned = numbers_make(&member->assigned);
    struct numbers revoking = numbers_make(&member->revoking);
    struct km_consumer_group_current_member_assignment_value value;

    codec_init(&km_consumer_group_current_member_assignment_value_desc, &value);
    value.member_epoch = member->epoch;
    value.previous_member_epoch = member->previous_epoch;
    value.state = (int8_t)member->state;
    value.assigned_partitions.count =
        current_make(&member->assigned, &assigned, &value.assigned_partitions.items);
    value.partitions_pending_revocation.count =
        current_make(&member->revoking, &revoking, &value.partitions_pending_revocation.items);
    PUT(records, GROUP_RECORD_CONSUMER_CURRENT, consumer_group_current_member_assignment, &key,
        &value);
    free(value.assigned_partitions.items);
    free(value.partitions_pending_revocation.items);
    numbers_free(&assigned);
    numbers_free(&revoking);
}

void
consumer_records_member_gone(
    struct group_records *records, const char *group_id, const char *member_id)
{
    struct km_consumer_group_current_member_assignment_key current = {
        request_text(group_id), request_text(member_id)};
    struct km_consumer_group_target_assignment_member_key target = {
        request_text(group_id), request_text(member_id)};
    struct km_consumer_group_member_metadata_key member = {
        request_text(group_id), request_text(member_id)};

    PUT(records, GROUP_RECORD_CONSUMER_CURRENT, consumer_group_current_member_assignment, &current,
        NULL);
    PUT(records, GROUP_RECORD_CONSUMER_TARGET, consumer_group_target_assignment_member, &target,
        NULL);
    PUT(records, GROUP_RECORD_CONSUMER_MEMBER, consumer_group_member_metadata, &member, NULL);
}

/* --- the group -----------------------------------------------------------------------------------
 */

void
consumer_records_epoch(struct group_records *records, const struct consumer_group *consumer)
{
    struct km_consumer_group_metadata_key key = {request_text(consumer->group->group_id)};
    struct km_consumer_group_metadata_value value;

    codec_init(&km_consumer_group_metadata_value_desc, &value);
    value.epoch = consumer->epoch;
    value.metadata_hash = (int64_t)consumer->metadata_hash;
    PUT(records, GROUP_RECORD_CONSUMER_EPOCH, consumer_group_metadata, &key, &value);
}

void
consumer_records_target_epoch(struct group_records *records, const struct consumer_group *consumer)
{
    struct km_consumer_group_target_assignment_metadata_key key = {
        request_text(consumer->group->group_id)};
    struct km_consumer_group_target_assignment_metadata_value value;

    codec_init(&km_consumer_group_target_assignment_metadata_value_desc, &value);
    value.assignment_epoch = consumer->target_epoch;
    value.assignment_timestamp = consumer->target_ms;
    PUT(records, GROUP_RECORD_CONSUMER_TARGET_EPOCH, consumer_group_target_assignment_metadata,
        &key, &value);
}

void
consumer_records_pattern(struct group_records *records, const struct consumer_group *consumer,
    const struct consumer_pattern *pattern)
{
    struct km_consumer_group_regular_expression_key key = {
        request_text(consumer->group->group_id), request_text(pattern->text)};
    struct km_consumer_group_regular_expression_value value;

    codec_init(&km_consumer_group_regular_expression_value_desc, &value);
    value.topics.items = strings_make(&pattern->topics);
    value.topics.count = (int32_t)pattern->topics.count;
    value.version = pattern->version;
    value.timestamp = pattern->resolved_ms;
    PUT(records, GROUP_RECORD_CONSUMER_PATTERN, consumer_group_regular_expression, &key, &value);
    free(value.topics.items);
}

void
consumer_records_pattern_gone(
    struct group_records *records, const char *group_id, const char *pattern)
{
    struct km_consumer_group_regular_expression_key key = {
        request_text(group_id), request_text(pattern)};

    PUT(records, GROUP_RECORD_CONSUMER_PATTERN, consumer_group_regular_expression, &key, NULL);
}

void
consumer_records_group_gone(struct group_records *records, const struct consumer_group *consumer)
{
    const char *group_id = consumer->group->group_id;
    struct km_consumer_group_target_assignment_metadata_key target = {request_text(group_id)};
    struct km_consumer_group_metadata_key epoch = {request_text(group_id)};
    const struct consumer_pattern *pattern;
    const struct consumer_member *member;
    size_t position = 0;

    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        consumer_records_member_gone(records, group_id, member->member_id);
    PUT(records, GROUP_RECORD_CONSUMER_TARGET_EPOCH, consumer_group_target_assignment_metadata,
        &target, NULL);
    position = 0;
    while ((pattern = map_next(&consumer->patterns, &position, NULL, NULL)) != NULL)
        consumer_records_pattern_gone(records, group_id, pattern->text);
    PUT(records, GROUP_RECORD_CONSUMER_EPOCH, consumer_group_metadata, &epoch, NULL);
}

void
consumer_records_group(struct group_records *records, const struct consumer_group *consumer)
{
    const struct consumer_member *member;
    size_t position = 0;

    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        consumer_records_member(records, member);
    consumer_records_epoch(records, consumer);
    position = 0;
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        consumer_records_target(records, member);
    consumer_records_target_epoch(records, consumer);
    position = 0;
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        consumer_records_current(records, member);
}
