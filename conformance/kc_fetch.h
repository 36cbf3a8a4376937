/*
 * kc_fetch: reading partitions: single fetches, and whole logs record by record.
 */
#ifndef CONFORMANCE_KC_FETCH_H
#define CONFORMANCE_KC_FETCH_H

#include "conformance/kc_topic.h"
#include "lib/wire/batch_records.h"

/* Session ids and epochs that are special (KIP-227). */
enum { KC_SESSION_NEW_EPOCH = 0, KC_SESSION_NONE_EPOCH = -1 };

struct kc_fetch_options {
    struct link *link; /* NULL: the ordinary one to the first partition's leader */
    int16_t version_max;
    int32_t max_wait_ms;
    int32_t min_bytes;
    int32_t max_bytes;
    int8_t isolation;
    int32_t session_id;
    int32_t session_epoch;
    const struct kc_topic *forgotten; /* partition 0 of it leaves the session; NULL: none */
};

/* A fetch of no session that returns at once. */
struct kc_fetch_options kc_fetch_defaults(void);

struct kc_part {
    const struct kc_topic *topic;
    int32_t partition;
    int64_t offset;
    int32_t max_bytes;            /* 0: 1 MiB */
    int32_t current_leader_epoch; /* -1: not said */
    int32_t last_fetched_epoch;   /* -1: not said */
};

/* kc_part is one partition at an offset, and nothing special. */
struct kc_part kc_part(const struct kc_topic *topic, int32_t partition, int64_t offset);

const struct km_fetch_request *kc_fetch_body(struct kc *kc, const struct kc_fetch_options *options,
    const struct kc_part *parts, size_t count);
const struct km_fetch_response *kc_fetch(struct kc *kc, const struct kc_fetch_options *options,
    const struct kc_part *parts, size_t count);
int16_t kc_fetch_version(struct kc *kc, const struct kc_fetch_options *options);

/* kc_fetch_find returns a partition's part of an answer, or NULL; kc_fetch_part fails the check
 * where it lacks, or where the answer has an error on its top level. */
const struct km_fetch_response_partition_data *kc_fetch_find(
    const struct km_fetch_response *response, const struct kc_topic *topic, int32_t partition);
const struct km_fetch_response_partition_data *kc_fetch_part(struct kc *kc,
    const struct km_fetch_response *response, const struct kc_topic *topic, int32_t partition);

/* kc_fetch_one fetches one partition with the defaults. */
const struct km_fetch_response_partition_data *kc_fetch_one(
    struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t offset);

/* Records. */

struct kc_seen {
    int64_t offset;
    int64_t timestamp;
    struct wire_bytes key;
    struct wire_bytes value;
    struct batch_records_headers headers;
    size_t batch; /* index of its batch */
};

struct kc_log {
    struct batch_view *batches;
    size_t batch_count;
    struct kc_seen *records;
    size_t record_count;
    size_t batch_room;
    size_t record_room;
};

/* kc_log_add reads the batches of one answer into a log: each must have a right CRC and be
 * readable, and stand behind the one before. A cut batch at the end is left out. */
void kc_log_add(struct kc *kc, struct kc_log *log, const struct wire_records *records);

/* kc_log_read fetches a partition from an offset until `end`, one answer after the other. */
struct kc_log *kc_log_read(struct kc *kc, const struct kc_fetch_options *options,
    const struct kc_topic *topic, int32_t partition, int64_t from, int64_t end);

/* kc_log_all is kc_log_read with the defaults, from the earliest to the latest offset. */
struct kc_log *kc_log_all(struct kc *kc, const struct kc_topic *topic, int32_t partition);

/* kc_log_values asserts that the records are dense from an offset on and have these values. */
void kc_log_values(struct kc *kc, const struct kc_log *log, int64_t first_offset,
    const char *const *values, size_t count);

/* kc_log_same asserts that two readings are the same, byte for byte. */
void kc_log_same(struct kc *kc, const struct kc_log *first, const struct kc_log *second);

#endif
