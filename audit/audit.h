/*
 * audit: asks a cluster everything, and says what its topics are.
 *
 * Read-only (probe.h). audit_run runs all probes one after the other on the cluster's loop and
 * derives the facts; it fails only where there is nothing to report on: the cluster cannot be
 * reached, refuses the login, or is too large; or where a file that was given is not what it should
 * be. Everything else is a gap in the inventory.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "audit/inventory.h"
#include "lib/kafka/cluster.h"

#define AUDIT_SAMPLE_BYTES ((uint64_t)256 << 20)

/* Files of users, read behind all questions. */
struct audit_files {
    const char *const *paths;
    size_t count;
};

struct audit_options {
    const char *patterns; /* of topics, as in probe_topics */
    uint64_t sample_bytes;
    struct audit_files request_logs; /* request_log.h */
    struct audit_files metrics;      /* metrics.h */
    struct audit_files kcp_states;   /* kcp_state.h */
    int64_t rate_ms;                 /* between two looks at the ends of the logs; 0: one look */
    void (*progress)(void *arg, const char *what); /* before each probe; NULL: nobody watches */
    /* What an audit that was ended had kept; the stored batches that it had read are not read again
     * (resume.h). RC_CONFLICT where it is of another cluster. NULL: there was none. */
    const struct audit_inventory *begun;
    /* Now and then while stored batches are read: what is to be `begun` of another audit, should
     * this one be ended. NULL: nobody keeps it. */
    void (*keep)(void *arg, const struct audit_inventory *inventory);
    void *arg; /* of both */
};

MUST_CHECK enum rc audit_run(struct cluster *cluster, const struct audit_options *options,
    struct audit_inventory *inventory, struct err *e);

/* audit_judge derives facts and applies the rules, to what audit_run or a snapshot brought;
 * RC_LIMIT where that does not fit. audit_run has done so. */
MUST_CHECK enum rc audit_judge(struct audit_inventory *inventory, struct err *e);

#endif
