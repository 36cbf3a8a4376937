/*
 * kc_compact: topics that are compacted while a check looks on.
 *
 * Compaction happens behind a broker's closed segments and every few minutes. Checks start the
 * target with kc_compact_intervals; their topics have a short segment.ms, and segments are closed
 * by records whose timestamps lie far apart.
 */
#ifndef CONFORMANCE_KC_COMPACT_H
#define CONFORMANCE_KC_COMPACT_H

#include "conformance/kc_fetch.h"

#define KC_COMPACT_SEGMENT_MS "segment.ms=500"

/* Kafka's cleaner and retention wake up after seconds and minutes otherwise. */
extern const char *const kc_compact_intervals[];

/* kc_compact_topic makes one whose tombstones stay as `delete_retention` ("NAME=VALUE") says. */
struct kc_topic *kc_compact_topic(struct kc *kc, const char *delete_retention);

/* kc_compact_put appends one record and returns its offset. kc_compact_close closes the segment;
 * `n` counts the calls of a check, from 1 on. */
int64_t kc_compact_put(struct kc *kc, const struct kc_topic *topic, const char *key,
    const char *value, int64_t time_ms);
void kc_compact_close(struct kc *kc, const struct kc_topic *topic, int n);

/* kc_compact_seen finds the record at an offset, or NULL. kc_compact_gone waits until it is gone,
 * and returns what is left then. */
const struct kc_seen *kc_compact_seen(const struct kc_log *log, int64_t offset);
const struct kc_log *kc_compact_gone(
    struct kc *kc, const struct kc_topic *topic, int64_t offset, const char *what);

#endif
