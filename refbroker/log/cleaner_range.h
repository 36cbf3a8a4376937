/*
 * cleaner_range: what of a partition can be compacted, and whether it is time to
 * (LogCleanerManager: cleanableOffsets, grabFilthiestCompactedLog, maxCompactionDelay).
 *
 * Kafka cleans closed segments. Here runs take their place: from the first dirty run on, runs make
 * up a segment until the next one would carry it beyond segment.bytes, or has a largest timestamp
 * more than segment.ms (or max.compaction.lag.ms, where that is less) above the first one's. The
 * last segment, with whatever is in no object yet, is the active one and never cleaned. Since a run
 * is looked at as a whole, a segment may end later than Kafka's, never earlier; the uploader begins
 * a new run where the time within one would pass segment.ms.
 *
 * Cleaned are whole runs below the last stable offset, and with min.compaction.lag.ms those before
 * the first closed segment that has a record younger than that.
 */
#ifndef REFBROKER_LOG_CLEANER_RANGE_H
#define REFBROKER_LOG_CLEANER_RANGE_H

#include "refbroker/meta/topics.h"

struct cleaner_range {
    int64_t first_dirty;
    int64_t end; /* behind the last run that can be cleaned; first_dirty where there is none */
    int64_t clean_bytes;
    int64_t dirty_bytes; /* that can be cleaned */
    bool overdue;        /* by max.compaction.lag.ms */
};

/* cleaner_range_of walks the runs of a partition, which has a topic. */
struct cleaner_range cleaner_range_of(const struct partition *partition, int64_t now_wall_ms);

/* cleaner_range_ratio is the share of what can be cleaned, 0 to 1. */
double cleaner_range_ratio(const struct cleaner_range *range);

/* cleaner_range_is_due tells whether the share is above min.cleanable.dirty.ratio, or the time is
 * over. */
bool cleaner_range_is_due(const struct cleaner_range *range, const struct topic_values *values);

/* cleaner_range_segment_ms is the time that a segment spans at most. */
int64_t cleaner_range_segment_ms(const struct topic_values *values);

#endif
