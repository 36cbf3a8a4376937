#include "refbroker/coord/group_records.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"

#define VALUE_VERSION_GROUP 3
#define BATCH_BYTES ((size_t)1024 * 1024) /* a batch is closed behind this */

void
group_records_init(struct group_records *records)
{
    memset(records, 0, sizeof *records);
    buf_init(&records->bytes, GROUP_RECORDS_BYTES_MAX);
}

void
group_records_fini(struct group_records *records)
{
    buf_fini(&records->bytes);
    free(records->items);
}

/* Appends a number and a message, and returns how much that is. */
static int32_t
part_put(struct group_records *records, int16_t number, const struct wire_message *message,
    int16_t version, const void *object)
{
    size_t start = records->bytes.size;
    uint8_t bytes[2];
    struct err e;

    codec_bytes_put_int16(bytes, number);
    buf_append(&records->bytes, bytes, sizeof bytes);
    if (codec_encode(message, version, object, &records->bytes, &e) != RC_OK)
        records->spoilt = true;
    return (int32_t)(records->bytes.size - start);
}

void
group_records_put(struct group_records *records, enum group_record_type type,
    const struct wire_message *key_message, const void *key,
    const struct wire_message *value_message, int16_t value_version, const void *value)
{
    struct state_log_record *record;

    if (records->count == records->capacity) {
        records->capacity = records->capacity == 0 ? 8 : records->capacity * 2;
        records->items = xrealloc(records->items, records->capacity, sizeof *records->items);
    }
    record = &records->items[records->count++];
    *record = (struct state_log_record){.value_size = -1};
    record->key_size = part_put(records, (int16_t)type, key_message, 0, key);
    if (value != NULL)
        record->value_size = part_put(records, value_version, value_message, value_version, value);
}

/* The records' views, valid until the next put. */
static const struct state_log_record *
records_view(struct group_records *records)
{
    const uint8_t *at = records->bytes.data;

    for (size_t i = 0; i < records->count; i++) {
        struct state_log_record *record = &records->items[i];

        record->key = at;
        at += record->key_size;
        record->value = record->value_size < 0 ? NULL : at;
        at += record->value_size < 0 ? 0 : record->value_size;
    }
    return records->items;
}

static void
unasked_done(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    (void)broker;
    if (error != KE_NONE)
        log_warn("GROUP-SAVE", "a group's state could not be written: %s", kerr_name(error));
    free(waiter);
}

static struct append_waiter *
unasked_waiter(void)
{
    struct append_waiter *waiter = xcalloc(1, sizeof *waiter);

    waiter->done = unasked_done;
    return waiter;
}

/* How many of the records go into one batch. */
static size_t
batch_count(const struct state_log_record *records, size_t count)
{
    size_t bytes = 0, taken = 0;

    while (taken < count && bytes < BATCH_BYTES) {
        bytes += (size_t)records[taken].key_size;
        bytes += records[taken].value_size < 0 ? 0 : (size_t)records[taken].value_size;
        taken++;
    }
    return taken;
}

void
group_records_append(struct group_records *records, struct groups *groups, const char *group_id,
    struct append_waiter *waiter)
{
    const struct state_log_record *at = records_view(records);
    int32_t partition = state_log_partition_of(groups->broker, GROUPS_TOPIC, group_id);
    size_t left = records->count;

    if (records->spoilt) {
        waiter->done(groups->broker, waiter, KE_MESSAGE_TOO_LARGE);
        return;
    }
    if (left == 0) {
        state_log_wait(groups->broker, GROUPS_TOPIC, partition, waiter);
        return;
    }
    while (left > 0) {
        size_t count = batch_count(at, left);

        left -= count;
        state_log_append(groups->broker, GROUPS_TOPIC, partition, at, count, -1, -1,
            left > 0 ? unasked_waiter() : waiter);
        at += count;
    }
}

void
group_records_append_unasked(
    struct group_records *records, struct groups *groups, const char *group_id)
{
    group_records_append(records, groups, group_id, unasked_waiter());
}

static void
member_fill(const struct group_member *member, const char *protocol_name,
    struct km_group_metadata_value_member_metadata *out)
{
    codec_init(&km_group_metadata_value_member_metadata_desc, out);
    out->member_id = request_text(member->member_id);
    out->group_instance_id = request_text(member->instance_id);
    out->client_id = request_text(member->client_id);
    out->client_host = request_text(member->client_host);
    out->session_timeout = member->session_timeout_ms;
    out->rebalance_timeout = member->rebalance_timeout_ms;
    out->assignment = (struct wire_bytes){member->assignment, member->assignment_size};
    for (int32_t i = 0; protocol_name != NULL && i < member->protocol_count; i++)
        if (strcmp(member->protocols[i].name, protocol_name) == 0)
            out->subscription = (struct wire_bytes){
                member->protocols[i].metadata, member->protocols[i].metadata_size};
}

void
group_records_group(struct group_records *records, const struct group *group)
{
    struct km_group_metadata_key key = {.group = request_text(group->group_id)};
    struct km_group_metadata_value value;
    const struct group_member *member;
    size_t position = 0;

    codec_init(&km_group_metadata_value_desc, &value);
    value.protocol_type = request_text(group->protocol_type == NULL ? "" : group->protocol_type);
    value.generation = group->generation;
    value.protocol = request_text(group->protocol_name);
    value.leader = request_text(group->leader);
    value.current_state_timestamp = group->state_since_ms;
    value.members.items = xcalloc(map_count(&group->members) + 1, sizeof *value.members.items);
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        member_fill(member, group->protocol_name, &value.members.items[value.members.count++]);
    group_records_put(records, GROUP_RECORD_GROUP, &km_group_metadata_key_message, &key,
        &km_group_metadata_value_message, VALUE_VERSION_GROUP, &value);
    free(value.members.items);
}

void
group_records_group_gone(struct group_records *records, const char *group_id)
{
    struct km_group_metadata_key key = {.group = request_text(group_id)};

    group_records_put(
        records, GROUP_RECORD_GROUP, &km_group_metadata_key_message, &key, NULL, 0, NULL);
}

void
group_records_offset_gone(
    struct group_records *records, const char *group_id, const char *topic, int32_t partition)
{
    struct km_offset_commit_key key = {
        .group = request_text(group_id), .topic = request_text(topic), .partition = partition};

    group_records_put(
        records, GROUP_RECORD_OFFSET, &km_offset_commit_key_message, &key, NULL, 0, NULL);
}
