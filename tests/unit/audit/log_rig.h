/* log_rig: a broker with one internal topic of one partition, for the probes that read such logs.
 * Every answer to Fetch holds one batch, which the test appends. One rig per test program. */
#ifndef TESTS_UNIT_AUDIT_LOG_RIG_H
#define TESTS_UNIT_AUDIT_LOG_RIG_H

#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "lib/base/buf.h"
#include "tests/unit/lib/kafka/fake_broker.h"

struct log_rig {
    const char *topic;
    void (*batch_append)(int64_t offset, struct buf *out); /* the batch at this offset */
    int64_t log_start_offset, end_offset;
    int64_t first_asked, last_asked; /* offsets; -1: none yet */
    int fetches;
    uint64_t bytes_max; /* that a probe may read; log_rig_start sets no limit */
    uint64_t bytes_read;
    struct fake_broker broker;
    struct loop *loop;
    struct cluster *cluster;
    struct audit_inventory inventory; /* with the topic, and what the test adds */
};

int log_rig_start(struct log_rig *rig);
void log_rig_stop(struct log_rig *rig);

/* log_rig_look runs a probe. The log began at `began` when its offsets were asked for. */
void log_rig_look(struct log_rig *rig, int64_t began,
    uint64_t (*run)(const struct probe *probe, uint64_t bytes_max));

/* log_rig_says tells whether a fact's evidence has this text of the probe. */
bool log_rig_says(const struct audit_finding *finding, enum audit_probe probe, const char *text);

#endif
