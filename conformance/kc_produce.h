/*
 * kc_produce: appending to partitions.
 *
 * Requests use names or topic ids as the version wants. Errors of the protocol are returned as they
 * are, unless a function's name says what it asserts.
 */
#ifndef CONFORMANCE_KC_PRODUCE_H
#define CONFORMANCE_KC_PRODUCE_H

#include "conformance/kc_batch.h"
#include "conformance/kc_topic.h"

struct kc_append {
    const struct kc_topic *topic;
    int32_t partition;
    struct wire_bytes records;
};

struct kc_produce_options {
    struct link *link; /* NULL: the ordinary one to the first partition's leader */
    int16_t version_max;
    int16_t acks;
    const char *transactional_id;
};

/* acks=all with the highest version. */
struct kc_produce_options kc_produce_defaults(void);

/* kc_produce_body makes a request; kc_produce sends it and receives the answer. */
const struct km_produce_request *kc_produce_body(struct kc *kc,
    const struct kc_produce_options *options, const struct kc_append *appends, size_t count);
const struct km_produce_response *kc_produce(struct kc *kc,
    const struct kc_produce_options *options, const struct kc_append *appends, size_t count);

/* kc_produce_version returns the version that options lead to. */
int16_t kc_produce_version(struct kc *kc, const struct kc_produce_options *options);

/* kc_produce_part returns a partition's part of an answer; the check fails where it lacks. */
const struct km_produce_response_partition_produce_response *kc_produce_part(struct kc *kc,
    const struct km_produce_response *response, const struct kc_topic *topic, int32_t partition);

/* One batch to one partition with the defaults. kc_append_ok asserts error 0 and returns the base
 * offset. */
const struct km_produce_response_partition_produce_response *kc_append(
    struct kc *kc, const struct kc_topic *topic, int32_t partition, struct wire_bytes records);
int64_t kc_append_ok(
    struct kc *kc, const struct kc_topic *topic, int32_t partition, struct wire_bytes records);

/* kc_append_refused asserts one of the codes, base offset -1, and that the log did not grow. */
const struct km_produce_response_partition_produce_response *kc_append_refused(struct kc *kc,
    const struct kc_topic *topic, struct wire_bytes records, const int16_t *codes, size_t count);

/* kc_producer_new asks for a producer id. */
struct kc_producer kc_producer_new(struct kc *kc);

#endif
