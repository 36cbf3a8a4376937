/*
 * price_probe: what kdl price sees of a running cluster: two looks at its offsets and sizes, and
 * one at its groups, by the audit's probes, so that it sends no request that kdl audit would not.
 */
#ifndef CLI_PRICE_PROBE_H
#define CLI_PRICE_PROBE_H

#include <stdio.h>

#include "lib/kafka/cluster.h"
#include "price/load.h"

/* price_probe runs the cluster's loop for sample_ms and what the answers take. What was refused
 * stays unknown. `where` is how the cluster is called in sources. `progress` (a terminal, or NULL)
 * is told how far it is, in one line that is gone at the end. */
MUST_CHECK enum rc price_probe(struct cluster *cluster, const char *where, const char *patterns,
    int64_t sample_ms, FILE *progress, struct load *out, struct err *e);

#endif
