/*
 * group_records: records on their way into __consumer_offsets, in Kafka's formats.
 *
 * A key is a type (int16) and a message of lib/wire/schema/record_*.msg, a value a version (int16)
 * and a message, or nothing: a tombstone. What is put in is copied. Where it grows beyond
 * GROUP_RECORDS_BYTES_MAX the records are spoilt, and group_records_append refuses them.
 */
#ifndef REFBROKER_COORD_GROUP_RECORDS_H
#define REFBROKER_COORD_GROUP_RECORDS_H

#include "lib/base/buf.h"
#include "lib/wire/desc.h"
#include "refbroker/coord/groups.h"

#define GROUP_RECORDS_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* The types of keys (CoordinatorRecordType). 0 is an offset of old brokers. */
enum group_record_type {
    GROUP_RECORD_OFFSET_OLD = 0,
    GROUP_RECORD_OFFSET = 1,
    GROUP_RECORD_GROUP = 2,
    GROUP_RECORD_CONSUMER_EPOCH = 3,
    GROUP_RECORD_CONSUMER_PARTITIONS = 4, /* of Kafka 4.0 and before */
    GROUP_RECORD_CONSUMER_MEMBER = 5,
    GROUP_RECORD_CONSUMER_TARGET_EPOCH = 6,
    GROUP_RECORD_CONSUMER_TARGET = 7,
    GROUP_RECORD_CONSUMER_CURRENT = 8,
    GROUP_RECORD_SHARE_MEMBER = 10,
    GROUP_RECORD_SHARE_EPOCH = 11,
    GROUP_RECORD_SHARE_TARGET_EPOCH = 12,
    GROUP_RECORD_SHARE_TARGET = 13,
    GROUP_RECORD_SHARE_CURRENT = 14,
    GROUP_RECORD_SHARE_STAGES = 15,
    GROUP_RECORD_CONSUMER_PATTERN = 16,
    GROUP_RECORD_STREAMS_EPOCH = 17,
    GROUP_RECORD_STREAMS_MEMBER = 19,
    GROUP_RECORD_STREAMS_TARGET_EPOCH = 20,
    GROUP_RECORD_STREAMS_TARGET = 21,
    GROUP_RECORD_STREAMS_CURRENT = 22,
    GROUP_RECORD_STREAMS_TOPOLOGY = 23
};

struct group_records {
    struct buf bytes;
    struct state_log_record *items; /* sizes; views once they are appended */
    size_t count;
    size_t capacity;
    bool spoilt;
};

void group_records_init(struct group_records *records);
void group_records_fini(struct group_records *records);

/* group_records_put adds one; value NULL makes a tombstone. */
void group_records_put(struct group_records *records, enum group_record_type type,
    const struct wire_message *key_message, const void *key,
    const struct wire_message *value_message, int16_t value_version, const void *value);

/* group_records_append appends them to the group's log, as several batches where they are many;
 * waiter->done is called when they, and all that was written before them, are durable or cannot be.
 * No records: it waits for what was written before. */
void group_records_append(struct group_records *records, struct groups *groups,
    const char *group_id, struct append_waiter *waiter);

/* group_records_append_unasked does so where nobody waits. */
void group_records_append_unasked(
    struct group_records *records, struct groups *groups, const char *group_id);

/* The records of a classic group and of offsets. */
void group_records_group(struct group_records *records, const struct group *group);
void group_records_group_gone(struct group_records *records, const char *group_id);
void group_records_offset_gone(
    struct group_records *records, const char *group_id, const char *topic, int32_t partition);

#endif
