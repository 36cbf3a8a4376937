/*
 * top_sizes: how many bytes each partition takes, by DescribeLogDirs of all brokers.
 */
#ifndef CLI_TOP_SIZES_H
#define CLI_TOP_SIZES_H

#include <stdint.h>

#include "lib/kafka/cluster.h"
#include "mirror/selection.h"

/* top_sizes_ask returns the bytes of each partition by its number in the selection, of the largest
 * replica; -1 where no broker that answered has it. The caller frees. */
int64_t *top_sizes_ask(struct cluster *cluster, const struct selection *selection);

#endif
