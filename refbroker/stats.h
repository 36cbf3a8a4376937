/*
 * stats: the broker's counters, expanded from stats.def, and their text for /metrics (Prometheus).
 */
#ifndef REFBROKER_STATS_H
#define REFBROKER_STATS_H

#include <stdint.h>

#include "lib/base/buf.h"

struct stats {
#define STAT(name, kind, help) int64_t name;
#include "refbroker/stats.def"
#undef STAT
};

/* stats_write appends all values in Prometheus' text format. */
void stats_write(const struct stats *stats, struct buf *out);

#endif
