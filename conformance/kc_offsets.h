/*
 * kc_offsets: where a partition's log begins and ends, offsets by timestamp, DeleteRecords.
 */
#ifndef CONFORMANCE_KC_OFFSETS_H
#define CONFORMANCE_KC_OFFSETS_H

#include "conformance/kc_topic.h"

enum {
    KC_TIMESTAMP_LATEST = -1,
    KC_TIMESTAMP_EARLIEST = -2,
    KC_TIMESTAMP_MAX = -3,
    KC_TIMESTAMP_EARLIEST_LOCAL = -4,
};

struct kc_offsets_options {
    int16_t version_max;
    int8_t isolation;
    int32_t current_leader_epoch; /* -1: not said */
};

struct kc_offsets_options kc_offsets_defaults(void);

/* kc_offsets_of asks for one timestamp and returns the partition's answer, whatever it is. */
const struct km_list_offsets_response_partition_response *kc_offsets_of(struct kc *kc,
    const struct kc_offsets_options *options, const struct kc_topic *topic, int32_t partition,
    int64_t timestamp);

/* kc_offset asserts error 0, an offset, and a timestamp unless that is INT64_MIN. */
void kc_offset(
    struct kc *kc, const struct kc_topic *topic, int64_t asked, int64_t offset, int64_t timestamp);

/* kc_earliest and kc_latest return the log's ends. */
int64_t kc_earliest(struct kc *kc, const struct kc_topic *topic, int32_t partition);
int64_t kc_latest(struct kc *kc, const struct kc_topic *topic, int32_t partition);

/* kc_delete_records asks for a new log start and returns the partition's answer. */
const struct km_delete_records_response_partition_result *kc_delete_records(
    struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t offset);

#endif
